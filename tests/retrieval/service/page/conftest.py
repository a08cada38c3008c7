"""Collections that are hard to show, served; and their page in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from chromium import complaints, requests
from page_in_browser import HOSTILE, PLAIN, Page
from running_service import Client, running

from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.service.settings import Settings


@pytest.fixture(scope="session")
def shown_collections(collections, decoders, tmp_path_factory) -> dict[str, str]:
    """Folders: texts, pictures, sounds, rows, texts that are hostile, in one space too or without labels, and pictures in spaces of networks."""
    import soundfile

    root = tmp_path_factory.mktemp("shown")
    lines = [json.dumps({"id": id, "text": text, "label": label}) for id, text, label in HOSTILE + PLAIN]
    (root / "hostile.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (root / "sounds").mkdir()
    time = np.arange(4000) / 8000
    for pitch in range(200, 1400, 200):
        soundfile.write(root / "sounds" / f"tone {pitch}.wav", 0.5 * np.sin(2 * np.pi * pitch * time), 8000)
    (root / "unlabelled.jsonl").write_text(
        "\n".join(json.dumps({"id": id, "text": text}) for id, text, _ in PLAIN), encoding="utf-8"
    )
    made = {
        "hostile": (str(root / "hostile.jsonl"), ("bm25", "tfidf", "tfidf+lsa:2")),
        "sounds": (str(root / "sounds"), ("log-mel", "log-mel+pca:2")),
        "rows": ("corpus:breast-cancer", ("columns", "columns+pca:2")),
        "one-space": (str(root / "hostile.jsonl"), ("bow",)),
        "unlabelled": (str(root / "unlabelled.jsonl"), ("bow", "tfidf")),
    }
    for name, (corpus, specs) in made.items():
        collection = LocalCollection.create(root / f"{name}-served", open_corpus(corpus))
        for spec in specs:
            collection = collection.add_space(spec)
        collection.close()
    return {**collections, "decoders": decoders, **{name: str(root / f"{name}-served") for name in made}}


@pytest.fixture(scope="session")
def shown(shown_collections) -> Iterator[Client]:
    """A service of all of them."""
    with running(Settings(shown_collections)) as client:
        yield client


@pytest.fixture
def page(browser, shown) -> Iterator[Page]:
    """The page; whatever a test does, the console stays silent and nothing is asked from outside."""
    complaints(browser), requests(browser)
    page = Page(browser, shown)
    yield page
    assert complaints(browser) == []
    asked = [one for one in requests(browser) if not one.startswith(("data:", "blob:", "about:"))]
    assert asked
    assert {one for one in asked if not one.startswith(page.origin + "/")} == set()
