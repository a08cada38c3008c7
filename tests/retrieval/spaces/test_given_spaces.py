"""Given embeddings as a space of a collection: compared, searched, changed, analysed; ids flow from the corpus to the encoder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from embeddings_server import Answer, embedding, embeddings_server

from encoders.errors import ArtifactError, BadItemError, QueryError
from encoders.progress import quiet
from encoders.registry import create
from encoders.spec import write_stage
from retrieval.analysis.analyze import analyze
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import compare, compare_collection
from retrieval.experiment.health.health import health
from retrieval.search.read_query import asked_query
from retrieval.search.request import SearchRequest

WORDS = ["apple tree", "pear tree", "plum cake", "heat flow", "flow of air", "heat of air"]


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch) -> Path:
    """A BEIR folder whose queries and documents have the same ids, and mean different things by them."""
    monkeypatch.setenv("NEARBY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": str(row), "text": f"{words} {row}"} for row, words in enumerate(WORDS)]
    queries = [{"_id": str(row), "text": words} for row, words in enumerate(reversed(WORDS))]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    judged = "".join(f"{5 - row}\t{row}\t1\n" for row in range(6))
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    save(tmp_path / "docs.npz", [row["_id"] for row in documents], [row["text"] for row in documents])
    save(tmp_path / "queries.npz", [row["_id"] for row in queries], [row["text"] for row in queries])
    return folder


def save(path: Path, ids: list[str], texts: list[str]) -> None:
    order = np.random.default_rng(3).permutation(len(ids))
    np.savez(path, ids=np.array(ids)[order], v=np.array([embedding(text) for text in texts], np.float32)[order])


def given(folder: Path, **more: str) -> str:
    return write_stage("given", str(folder / "docs.npz"), more)


def search(collection, text: str, **more):
    options = {"spaces": (), "k": 3, "filters": (), "fuse": None, "depth": None, "shortlist": None, "rerank": None,
               "candidates": None, "radius": None, **more}  # fmt: skip
    vector = options.pop("vector", None)
    return SearchRequest.read(**options).answer(collection, asked_query(collection, text, vector)).found


def ids(found) -> list[str]:
    return [answer.shown.id for answer in found.answers]


def test_a_comparison_is_that_of_the_model_itself(corpus, tmp_path):
    with embeddings_server() as server:
        model = write_stage("endpoint", server.url, {"model": "words"})
        spaces = [model, given(tmp_path, queries="queries.npz"), given(tmp_path, encoder=server.url, model="words")]
        spaces += [f"{spaces[1]}+truncate:12", "bm25"]
        found = compare(open_corpus(str(corpus)), spaces, examples=0).spaces
    assert found[1].measures == found[2].measures == found[0].measures
    assert found[1].measures["nDCG@10"] > 0.9
    assert found[3].dim == 12


def test_what_cannot_be_measured_is_refused_before_any_work(corpus, tmp_path):
    opened = open_corpus(str(corpus))
    with pytest.raises(BadItemError, match=r"6 of 6 queries have no vector \(queries= is not given\)"):
        compare(opened, ["bm25", given(tmp_path)], examples=0)
    save(tmp_path / "docs.npz", ["0", "1"], WORDS[:2])
    with pytest.raises(BadItemError, match="4 of 6 items have no vector"):
        compare(opened, ["bm25", given(tmp_path, queries="queries.npz")], examples=0)


def test_search_by_item_vector_words_and_both(corpus, tmp_path):
    collection = LocalCollection.create(tmp_path / "c", open_corpus(str(corpus)))
    collection = collection.add_space("bm25").add_space(given(tmp_path, queries="queries.npz"))
    bm25, vectors = search(collection, "heat")
    assert ids(bm25)
    assert "--query-vector FILE" in vectors.note
    by_item = search(collection, "@3")[1]
    assert "3" not in ids(by_item)
    near = np.array([embedding(f"{words} {row}") for row, words in enumerate(WORDS)]) @ embedding("heat flow 3")
    assert ids(by_item)[0] == str(np.argsort(-near)[1])  # of document 3, not of query 3
    np.save(tmp_path / "q.npy", np.array(embedding("plum cake 2")))
    bm25, vectors = search(collection, "", vector=tmp_path / "q.npy")
    assert "the query is a vector only" in bm25.note
    assert ids(vectors)[0] == "2"
    assert vectors.answers[0].distance == pytest.approx(0, abs=1e-3)
    assert ids(search(collection, "plum", vector=tmp_path / "q.npy", fuse="rrf"))[0] == "2"
    np.save(tmp_path / "q.npy", np.zeros((2, 24)))
    with pytest.raises(Exception, match="holds 2 vectors"):
        search(collection, "", vector=tmp_path / "q.npy")


def test_words_are_encoded_by_the_endpoint_and_its_failure_is_a_note(corpus, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("encoders.text.endpoint._QUICK", 0.1)
    with embeddings_server() as server:
        spec = given(tmp_path, encoder=server.url, model="words")
        LocalCollection.create(tmp_path / "c", open_corpus(str(corpus))).add_space("bm25").add_space(spec)
        collection = open_collection(tmp_path / "c")
        assert ids(search(collection, "plum cake 2")[1])[0] == "2"
        assert "endpoint: 2 requests embedded 2 texts for" in capsys.readouterr().err
        server.faults = [Answer(503)] * 50
        assert "status 503" in search(collection, "pear tree 1")[1].note
        with pytest.raises(QueryError, match="status 503"):
            search(collection, "pear tree 1", spaces=(spec,))


def test_the_collection_works_without_the_files_where_codes_are_indexed(corpus, tmp_path):
    spec = given(tmp_path, queries="queries.npz")
    collection = LocalCollection.create(tmp_path / "c", open_corpus(str(corpus))).add_space(spec)
    before = ids(search(collection, "@3")[0])
    (tmp_path / "docs.npz").unlink()
    collection = open_collection(tmp_path / "c")
    assert ids(search(collection, "@3")[0]) == before
    assert compare_collection(collection, examples=0).spaces[0].measures["nDCG@10"] > 0.9
    with pytest.raises(ArtifactError, match="there is no file"):
        collection.put([Item("7", "new text")])


def test_items_are_added_with_their_vectors_or_not_at_all(corpus, tmp_path):
    collection = LocalCollection.create(tmp_path / "c", open_corpus(str(corpus))).add_space(given(tmp_path))
    with pytest.raises(BadItemError, match=r"item 'new': 1 of 1 item have no vector|item 'new': 1 of 1 item"):
        collection.put([Item("new", "plum tart")])
    assert open_collection(tmp_path / "c").items.size == 6
    texts = [*(f"{words} {row}" for row, words in enumerate(WORDS)), "plum tart"]
    save(tmp_path / "docs.npz", [*map(str, range(6)), "new"], texts)
    collection, change = open_collection(tmp_path / "c").put([Item("new", "plum tart")])
    assert change.added == ["new"]
    np.save(tmp_path / "q.npy", np.array(embedding("plum tart")))
    assert ids(search(collection, "", vector=tmp_path / "q.npy")[0])[0] == "new"


def test_any_modality_and_every_command_that_has_ids(tmp_path):
    digits = open_corpus("digits")
    rows = np.array([item.content.ravel() for item in digits], np.float32)
    np.save(tmp_path / "docs.npy", rows)
    names = [item.id for item in digits]
    (tmp_path / "ids.txt").write_text("\n".join(names))
    spec = f"given:{tmp_path}/docs.npy?ids=ids.txt&metric=euclidean"
    found = compare(digits, ["pixels", spec, f"{spec}+pca:8"], examples=0).spaces
    # pixels are the same numbers in another unit
    assert found[0].measures == pytest.approx(found[1].measures, rel=1e-4)
    np.save(tmp_path / "docs.npy", rows)
    numbered = f"given:{tmp_path}/docs.npy+select:9,criterion=mutual-information"  # fitted on items that are no queries
    assert names == [str(row) for row in range(len(rows))]
    assert compare(digits, [numbered], examples=0).spaces[0].dim == 9
    study = analyze(digits, [create(spec)], sample=60, parts=("quality",), say=quiet)
    assert study.spaces[0].quality

    assert health(digits, [create(spec)], sample=60).spaces[0].findings
