"""A fused list as lines and as JSON."""

from __future__ import annotations

import pytest

from retrieval.collection.filters import Filter
from retrieval.report.terminal.hybrid import fused_json, fused_lines
from retrieval.search.hybrid import FusedAnswers
from retrieval.search.query import Query
from retrieval.search.result import Answer, Shown
from retrieval.search.searcher import SpaceAnswers

QUERY = Query("words", Shown("query", None, "words"))
LONG = "bow:2000,stop=english+deep-ae:500-250-128,loss=auto,metric=auto,output=auto,activation=silu,norm=batch,k=1"


def fused(*rows: tuple[str, float, tuple[int | None, ...]], note: str | None = None) -> FusedAnswers:
    spaces = [SpaceAnswers("bow", LONG, "cosine", [], 2.5, note), SpaceAnswers("bm25", "bm25:k1=1.5", "dot", [], 2.5)]
    answers = [Answer(Shown(id, None), score, score, None) for id, score, _ in rows]
    return FusedAnswers(spaces, answers, [ranks for _, _, ranks in rows], 100, 2.5)


def test_each_answer_stands_with_its_rank_in_each_space():
    lines = fused_lines(QUERY, fused(("seven", 0.0325, (2, 1)), ("eight", 0.01, (None, 40))), verbose=True)
    assert lines[2] == "rrf of 2 spaces, the 100 best of each   2.5 ms"
    assert lines[-3].split() == ["rrf", "#1", "#2", "id"]
    assert lines[-2].split() == ["1", "0.03250", "2", "1", "seven"]
    assert lines[-1].split() == ["2", "0.01000", "-", "40", "eight"]
    assert max(map(len, lines)) <= 100
    assert LONG in "".join(line.strip() for line in lines)
    assert [line.split()[:2] for line in lines if line.lstrip().startswith("#")] == [["#1", "bow"], ["#2", "bm25"]]


@pytest.mark.parametrize(("filters", "why"), [([], "this space"), ([Filter("a", "b")], "satisfies the filter")])
def test_an_empty_list_and_a_space_without_answers_say_why(filters, why):
    lines = fused_lines(QUERY, fused(note="no word is known"), filters)
    assert "      no answer: no word is known" in lines
    assert why in lines[-1]
    assert ("among: a=b" in lines) is bool(filters)


def test_json_says_the_same():
    told = fused_json(QUERY, fused(("seven", 0.5, (2, None)), note="why"), [Filter("a", "b")])
    assert told["filters"] == [{"field": "a", "value": "b", "operator": "="}]
    assert [(space["spec"], space["note"]) for space in told["spaces"]] == [("bow", "why"), ("bm25", None)]
    assert told["fusion"] == {"method": "rrf", "constant": 60, "depth": 100, "milliseconds": 2.5}
    assert [(hit["id"], hit["score"], hit["ranks"]) for hit in told["hits"]] == [("seven", 0.5, (2, None))]
    assert "distance" not in told["hits"][0]
