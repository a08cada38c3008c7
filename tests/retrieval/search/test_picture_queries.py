"""A query picture is treated as the stored ones were, whoever opens the collection."""

import numpy as np
import pytest
from PIL import Image

from retrieval.collection.indexing import IndexRequest, index_by_request
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_addition, open_collection
from retrieval.corpora.registry import open_corpus
from retrieval.search.read_query import read_query
from retrieval.search.searcher import Searcher

RNG = np.random.default_rng(3)


def mixed(folder):
    """Write pictures of several sizes, colours and depths; return their names."""
    folder.mkdir()
    for number, shape in enumerate([(20, 30, 3), (30, 20), (25, 40, 3), (60, 22), (21, 21, 3)]):
        Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8)).save(folder / f"{number}.png")
    for number, shape in enumerate([(20, 30), (33, 22)], 5):
        Image.fromarray(RNG.integers(0, 400, shape).astype(np.uint16)).save(folder / f"{number}.png")
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("options", ["", "?fit=pad", "?fit=stretch&size=17x9", "?grey=true&white=300"])
def test_every_picture_finds_itself_from_its_file(tmp_path, options):
    names = mixed(tmp_path / "photos")
    LocalCollection.create(tmp_path / "c", open_corpus(f"{tmp_path / 'photos'}{options}")).add_space("pixels")
    collection = open_collection(tmp_path / "c")
    searcher = Searcher(collection)
    for name in names:
        (found,) = searcher.search(read_query(collection, str(tmp_path / "photos" / name)), 1)
        assert (found.answers[0].shown.id, found.answers[0].distance) == (name, 0.0)


@pytest.mark.parametrize("options", ["", "?fit=pad"])
def test_added_pictures_are_treated_alike(tmp_path, options):
    mixed(tmp_path / "photos")
    other = tmp_path / "other"
    other.mkdir()
    Image.fromarray(RNG.integers(0, 400, (50, 33)).astype(np.uint16)).save(other / "deep.png")
    collection = LocalCollection.create(tmp_path / "c", open_corpus(f"{tmp_path / 'photos'}{options}")).add_space(
        "pixels"
    )
    grown, change = collection.put(open_addition(collection, str(other)))
    assert change.added == ["deep.png"]
    (found,) = Searcher(grown).search(read_query(grown, str(other / "deep.png")), 1)
    assert (found.answers[0].shown.id, found.answers[0].distance) == ("deep.png", 0.0)


def test_a_collection_on_a_server_treats_pictures_alike(tmp_path, elasticsearch_url, index_name):
    names = mixed(tmp_path / "photos")
    plan = IndexRequest(("pixels",), tmp_path / "c", f"elasticsearch:{elasticsearch_url}/{index_name},flat")
    index_by_request(plan, open_corpus(f"{tmp_path / 'photos'}?fit=pad"))
    collection = open_collection(tmp_path / "c")
    assert "fit=pad" in collection.manifest.corpus
    for name in names:
        (found,) = Searcher(collection).search(read_query(collection, str(tmp_path / "photos" / name)), 1)
        assert found.answers[0].shown.id == name
        assert found.answers[0].distance == pytest.approx(0, abs=0.01)
    other = tmp_path / "other"
    other.mkdir()
    Image.fromarray(RNG.integers(0, 400, (50, 33)).astype(np.uint16)).save(other / "deep.png")
    grown, _ = collection.put(open_addition(collection, str(other)))
    (found,) = Searcher(grown).search(read_query(grown, str(other / "deep.png")), 1)
    assert found.answers[0].shown.id == "deep.png"
