"""Queries as they are typed: what cannot be asked is said with what can."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import QueryError
from retrieval.collection import Collection
from retrieval.corpora.registry import open_corpus
from retrieval.searcher import Searcher, read_query


@pytest.fixture
def texts(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"id":"apple","text":"red apples"}\n{"id":"none","text":" "}\n')
    return Collection.create(tmp_path / "texts", open_corpus(str(tmp_path / "t.jsonl"))).add_space("bm25")


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
    made = Collection.create(tmp_path / "c", open_corpus(str(tmp_path / "v.npy"))).add_space("vectors")
    for row in (np.eye(8)[3], np.eye(8)[3:4].astype(np.float32)):
        np.save(tmp_path / "q.npy", row)
        assert Searcher(made).search(read_query(made, str(tmp_path / "q.npy")), 1)[0].answers[0].shown.id == "3"
    np.save(tmp_path / "q.npy", np.ones((2, 4)))  # once taken for one vector of 8 numbers
    with pytest.raises(QueryError, match=r"q\.npy holds an array of shape \(2, 4\); expected one vector of 8 numbers"):
        read_query(made, str(tmp_path / "q.npy"))
    np.save(tmp_path / "q.npy", np.eye(8))
    with pytest.raises(QueryError, match="expected one vector of 8 numbers"):
        read_query(made, str(tmp_path / "q.npy"))
