"""A collection that is damaged anywhere says so: when it is opened, or when every byte of it is compared."""

from __future__ import annotations

import json

import numpy as np
import pytest
from flipping import outcomes

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import ArtifactError
from encoders.registry import create
from retrieval.applications.recommendation import Recommender
from retrieval.collection.local import LocalCollection
from retrieval.collection.verification import verify
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.registry import open_corpus

TEXTS = ["red apples", "green pears and apples", "a blunt body", "heat in a body", "pears", "a garden of apples"]


class Listed(Corpus):
    name, modality = "listed", Modality.TEXT

    def __iter__(self):
        return (Item(str(row), text, label=text[:1], metadata={"n": str(row)}) for row, text in enumerate(TEXTS))


@pytest.fixture
def collection(tmp_path):
    return LocalCollection.create(tmp_path / "c", Listed()).add_space("bow").add_space("tfidf+lsa:2", "faiss:Flat")


def test_one_flipped_bit_in_a_collection_is_an_error_or_changes_nothing(collection):
    folder = collection.folder

    def answer():
        opened = LocalCollection(folder)
        found = [(item.id, item.content, item.label, item.metadata) for item in opened.items]
        for spec in opened.spaces:
            space = opened.space(spec)
            found.append((spec, space.index.search(space.encoder.encode_queries(["green apples"]), 3)))
        return found

    present = collection._stored.generation
    others = [path for path in present.parent.iterdir() if path != present]
    for path in others:
        path.rename(folder.parent / path.name)  # of them nothing is read
    assert set(counted := outcomes(folder, answer, lambda a, b: a == b, every=4)) == {"error", "right"}, counted


@pytest.mark.parametrize("spec", ["bow", "bm25:k1=1.5", "tfidf+lsa:2"])
def test_one_flipped_bit_in_an_encoder_is_an_error_or_changes_nothing(tmp_path, spec):
    create(spec).fit(TEXTS).save(tmp_path / "e")

    def answer():
        codes = Encoder.load(tmp_path / "e").encode_queries(["green apples in a garden"])
        return codes.toarray() if hasattr(codes, "toarray") else codes

    assert set(counted := outcomes(tmp_path / "e", answer, np.array_equal, every=2)) <= {"error", "right"}, counted
    assert counted["error"] > 50


def test_one_flipped_bit_in_a_recommender_is_an_error_or_changes_nothing(tmp_path):
    rows = [f"u{user},i{item},{(user * item) % 5 + 1}" for user in range(6) for item in range(5) if (user + item) % 4]
    (tmp_path / "r.csv").write_text("\n".join(["user,item,rating", *rows]))
    Recommender.fit(open_corpus(str(tmp_path / "r.csv")), "mf:2,solver=als").save(tmp_path / "r")
    counted = outcomes(
        tmp_path / "r", lambda: Recommender.load(tmp_path / "r").recommended("u1", 3), lambda a, b: a == b
    )
    assert set(counted) <= {"error", "right"}, counted


def test_a_sound_collection_is_said_to_be_and_counted(collection):
    found = verify(collection.folder)
    assert found.damaged == []
    read = [path for path in collection._stored.generation.rglob("*") if path.is_file()]
    assert (found.files, found.bytes) == (len(read), sum(path.stat().st_size for path in read))
    assert found.lines() == [f"{collection.folder}: {found.files} files, {found.bytes:,} bytes: all as written"]
    found.require_whole()


def test_every_damaged_file_is_named(collection):
    present = collection._stored.generation
    victims = [
        present / "items.sqlite",
        *present.glob("spaces/bow*/index/postings.data.npy"),
        *present.glob("spaces/tfidf*/index/index.faiss"),
        *present.glob("spaces/tfidf*/codes/codes.npy"),
        *present.glob("spaces/tfidf*/encoder/state.safetensors"),
    ]
    assert len(victims) == 5
    for path in victims:
        raw = bytearray(path.read_bytes())
        raw[-1] ^= 1
        path.write_bytes(raw)
    found = verify(collection.folder)
    assert len(found.damaged) == 5
    for path in victims:
        assert any(str(path) in line for line in found.damaged), found.damaged
    with pytest.raises(ArtifactError, match="is damaged: index the corpus again in a new folder"):
        found.require_whole()


def test_an_item_that_is_not_what_was_stored_is_named_where_the_file_has_no_checksum(collection):
    manifest = collection._stored.generation / "manifest.json"
    value = {key: v for key, v in json.loads(manifest.read_text()).items() if key not in ("digest", "files")}
    manifest.write_text(json.dumps(value))  # as an older nearby wrote it
    assert verify(collection.folder).damaged == []
    items = collection._stored.generation / "items.sqlite"
    items.write_bytes(items.read_bytes().replace(b"green pears", b"green peers"))
    assert "item '1' differs from its checksum" in verify(collection.folder).damaged[0]
    with pytest.raises(ArtifactError, match="item '1' differs from its checksum"):
        list(LocalCollection(collection.folder).items)
