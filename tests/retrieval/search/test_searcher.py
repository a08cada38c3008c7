"""Queries as they are typed: what cannot be asked is said with what can."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import QueryError
from retrieval.collection.filters import Filter
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.search.query import Query
from retrieval.search.read_query import read_query
from retrieval.search.result import show
from retrieval.search.searcher import Searcher


@pytest.fixture
def texts(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"id":"apple","text":"red apples"}\n{"id":"none","text":" "}\n')
    return LocalCollection.create(tmp_path / "texts", open_corpus(str(tmp_path / "t.jsonl"))).add_space("bm25")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("@aple", "no item 'aple'; did you mean 'apple'[?]; for a text that begins with '@' write '@@'"),
        ("@", "give the id of an item after '@'; for a text that begins with '@' write '@@'"),
        ("@none", "an empty text"),
        ("zzz", "no word of the query is known to the space 'bm25': try other words, or another space"),
    ],
)
def test_a_query_that_cannot_be_answered_is_met_with_advice(texts, query, message):
    with pytest.raises(QueryError, match=message):
        Searcher(texts).search(read_query(texts, query))


def test_a_vector_is_one_row_of_the_right_width(tmp_path):
    np.save(tmp_path / "v.npy", np.eye(8))
    made = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "v.npy"))).add_space("vectors")
    for row in (np.eye(8)[3], np.eye(8)[3:4].astype(np.float32)):
        np.save(tmp_path / "q.npy", row)
        assert Searcher(made).search(read_query(made, str(tmp_path / "q.npy")), 1)[0].answers[0].shown.id == "3"
    np.save(tmp_path / "q.npy", np.ones((2, 4)))  # once taken for one vector of 8 numbers
    with pytest.raises(QueryError, match=r"q\.npy holds an array of shape \(2, 4\); expected one vector of 8 numbers"):
        read_query(made, str(tmp_path / "q.npy"))
    np.save(tmp_path / "q.npy", np.eye(8))
    with pytest.raises(QueryError, match="expected one vector of 8 numbers"):
        read_query(made, str(tmp_path / "q.npy"))


@pytest.fixture
def labelled(tmp_path):
    lines = [f'{{"id":"{n}","text":"pear {word}","label":"{"ab"[n % 2]}"}}\n' for n, word in enumerate("uvwxyz")]
    (tmp_path / "t.jsonl").write_text("".join(lines))
    made = LocalCollection.create(tmp_path / "labelled", open_corpus(str(tmp_path / "t.jsonl")))
    return made.add_space("bm25").add_space("bow")


def test_hits_come_through_one_method_of_the_collection(labelled, monkeypatch):
    asked = []
    plain = LocalCollection.search
    monkeypatch.setattr(LocalCollection, "search", lambda *given: asked.append(given[1:]) or plain(*given))
    monkeypatch.setattr(LocalCollection, "codes_of", None)
    filters = []
    found = Searcher(labelled).search(read_query(labelled, "@3"), 2, filters)
    assert [[spec for spec, _ in spaces] for spaces, _, _ in asked] == [["bm25"], ["bow"]]  # a time for each
    assert [(k, given) for _, k, given in asked] == [(3, filters), (3, filters)]
    assert [len(one.answers) for one in found] == [2, 2]


def test_the_item_itself_is_no_answer_whether_or_not_it_satisfies_the_filter(labelled):
    for label, others in (("b", ["1", "5"]), ("a", ["0", "2", "4"])):
        for k in (1, 2, 10):
            found = Searcher(labelled).search(read_query(labelled, "@3"), k, [Filter("label", label)])
            assert [[answer.shown.id for answer in one.answers] for one in found] == [others[:k]] * 2


def test_a_filter_that_nothing_satisfies_is_an_error_not_an_empty_list(labelled):
    with pytest.raises(QueryError, match="no item has label=c; there are: a, b"):
        Searcher(labelled).search(Query("pear", show(next(iter(labelled.items)))), 3, [Filter("label", "c")])


def test_a_space_asked_twice_answers_once(labelled):
    assert Searcher(labelled, ["bow", "bm25", "bow"]).specs == ["bow", "bm25"]
