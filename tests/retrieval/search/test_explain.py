"""An explanation agrees with the search: score, place, and the words that make the score."""

from __future__ import annotations

import json

import pytest

from encoders.errors import CollectionError
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.search.explain import explain
from retrieval.search.query import item_query, text_query
from retrieval.search.searcher import Searcher

TEXTS = ["heat transfer in a plate", "lift of a thin wing", "heat of a wing", "a shell under pressure"]


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained")
    lines = [json.dumps({"id": str(at), "text": text}) for at, text in enumerate(TEXTS)]
    (folder / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    made = LocalCollection.create(folder / "made", open_corpus(str(folder / "texts.jsonl")))
    for spec in ("bm25", "tfidf", "tfidf+lsa:2"):
        made = made.add_space(spec)
    yield made
    made.close()


@pytest.mark.parametrize("of", ["text", "item"])
def test_it_agrees_with_the_search(collection, of):
    query = text_query(collection, "heat wing") if of == "text" else item_query(collection, "2")
    for space in Searcher(collection).search(query, 10):
        for rank, answer in enumerate(space.answers, 1):
            (found,) = explain(collection, query, answer.shown.id, (space.spec,))
            assert found.rank == rank
            assert found.score == pytest.approx(answer.score, abs=1e-6)
            assert found.distance == (None if answer.distance is None else pytest.approx(answer.distance, abs=1e-6))


@pytest.mark.parametrize("spec", ["bm25", "tfidf"])
def test_the_parts_of_the_words_are_the_score(collection, spec):
    (found,) = explain(collection, text_query(collection, "heat wing lift"), "2", (spec,))
    assert set(found.words) == {"heat", "wing"}
    assert sum(found.words.values()) == pytest.approx(found.score, rel=1e-5)


def test_nothing_in_common_and_nothing_known_are_said(collection):
    (found,) = explain(collection, text_query(collection, "lift"), "3", ("tfidf",))
    assert (found.score, found.note) == (None, "query and item have nothing in common")
    (unknown,) = explain(collection, text_query(collection, "zzz"), "3", ("tfidf",))
    assert "no word of the query" in unknown.note
    with pytest.raises(CollectionError, match="no item 'none'"):
        explain(collection, text_query(collection, "lift"), "none")
