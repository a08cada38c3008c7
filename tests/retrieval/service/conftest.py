"""A running service on small collections."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from running_service import Client, running

from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.service.settings import Settings

SIX_TEXTS = [
    ("wing", "Lift of a thin wing in a slipstream.", "flow"),
    ("heat", "Heat transfer at the nose of a blunt body.", "heat"),
    ("plate", "Flow past a flat plate with heat transfer.", "heat"),
    ("shell", "Buckling of a thin cylindrical shell under pressure.", "solid"),
    ("drag", "Drag of a wing at supersonic speed.", "flow"),
    ("@home/a b", "A shell with an odd id: <b>bold</b>.", "solid"),
]


@pytest.fixture(scope="session")
def collections(tmp_path_factory) -> dict[str, str]:
    """Folders of a collection of texts, and of one of pictures."""
    root = tmp_path_factory.mktemp("served")
    lines = [json.dumps({"id": id, "text": text, "label": label}) for id, text, label in SIX_TEXTS]
    (root / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    texts = LocalCollection.create(root / "texts", open_corpus(str(root / "texts.jsonl")))
    for spec in ("bm25", "tfidf", "tfidf+lsa:2"):
        texts = texts.add_space(spec)
    texts.close()
    pictures = LocalCollection.create(root / "pictures", open_corpus("corpus:digits"))
    for spec in ("pixels", "pixels+pca:4"):
        pictures = pictures.add_space(spec)
    pictures.close()
    return {"texts": str(root / "texts"), "pictures": str(root / "pictures")}


@pytest.fixture(scope="session")
def decoders(tmp_path_factory) -> str:
    """Folder of a collection of pictures in spaces that decode in other ways than sums."""
    folder = tmp_path_factory.mktemp("decoding") / "decoders"
    collection = LocalCollection.create(folder, open_corpus("corpus:digits"))
    for spec in ("pixels+vae:3,epochs=2", "pixels+kmeans:5", "pixels+pca:8+binarize"):
        collection = collection.add_space(spec)
    collection.close()
    return str(folder)


@pytest.fixture(scope="session")
def service(collections) -> Iterator[Client]:
    """A service of both, on this machine alone and without a token."""
    with running(Settings(collections)) as client:
        yield client
