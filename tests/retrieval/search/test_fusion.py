"""Reciprocal rank fusion: the sums of the paper, and an order that nothing accidental decides."""

from __future__ import annotations

import itertools
import random

import pytest

from indexers.base import Hit
from retrieval.search.fusion import reciprocal_rank_fusion


def listed(ids: str) -> list[Hit]:
    return [Hit(id, -float(place)) for place, id in enumerate(ids)]


def order(*lists: str, constant: int = 60) -> str:
    return "".join(one.id for one in reciprocal_rank_fusion([listed(ids) for ids in lists], constant))


def test_scores_are_the_sums_of_the_paper():
    found = reciprocal_rank_fusion([listed("abc"), listed("cxa"), listed("c")])
    assert [(one.id, one.ranks) for one in found] == [
        ("c", (3, 1, 1)), ("a", (1, 3, None)), ("b", (2, None, None)), ("x", (None, 2, None)),
    ]  # fmt: skip
    assert [one.score for one in found] == pytest.approx([1 / 63 + 2 / 61, 1 / 61 + 1 / 63, 1 / 62, 1 / 62], abs=1e-15)


def test_the_scores_of_the_lists_decide_nothing_but_which_hits_are_equal():
    lists = [[Hit("a", -9e9), Hit("b", 3.0)], [Hit("b", 1e30), Hit("c", 0.0)]]
    assert [one.id for one in reciprocal_rank_fusion(lists)] == ["b", "a", "c"]


def test_the_constant_decides_how_much_a_first_rank_is_worth():
    first, second = "axyzb", "mnopb"  # a is first in one list, b fifth in both
    assert order(first, second, constant=60)[0] == "b"
    assert order(first, second, constant=1)[0] == "a"


def test_of_equal_sums_the_best_single_rank_comes_first():
    # with a constant of 0: a = 1/2 (rank 2), b = 1/3 + 1/6 (ranks 3 and 6)
    found = order("pab", "qrstub", constant=0)
    assert found.index("a") < found.index("b")
    assert order("pxb", "qrstub", "pa", constant=0).index("a") < order("pxb", "qrstub", "pa", constant=0).index("b")
    # ... although the first list knows b alone


def test_then_the_order_of_the_first_list_decides():
    assert order("ab", "ba") == "ab"
    assert order("ba", "ab") == "ba"
    assert order("a", "b") == "ab"
    assert order("b", "a") == "ba"
    assert order("c", "ab", "ba") == "abc"  # neither is on the first list: the second decides


def test_equal_scores_share_their_mean_rank_in_whatever_order_they_are_listed():
    tied = [Hit("b", 1.0), Hit("c", 1.0)]
    found = [
        reciprocal_rank_fusion([[Hit("a", 2.0), *order, Hit("d", 0.0)], [Hit("z", 1.0)]])
        for order in (tied, tied[::-1])
    ]
    assert found[0] == found[1]
    assert {one.id: one.ranks[0] for one in found[0]} == {"a": 1, "b": 2.5, "c": 2.5, "d": 4, "z": None}
    constant = [[Hit(id, 1.0) for id in ids] for ids in ("abc", "cab")]
    assert [[one.ranks for one in reciprocal_rank_fusion([hits])] for hits in constant] == [[(2,)] * 3] * 2


def test_the_same_ranks_in_other_lists_are_the_same_score():
    """A running sum of three reciprocals depends on their order in the last digit."""
    rankings = list(itertools.permutations((1, 2, 7)))
    assert len({sum(1 / (60 + rank) for rank in ranks) for ranks in rankings}) > 1
    scores = set()
    for ranks in rankings:
        lists = [
            [Hit(f"{list_} {place}", -float(place)) for place in range(1, rank)] for list_, rank in enumerate(ranks)
        ]
        found = reciprocal_rank_fusion([[*hits, Hit("wanted", -99.0)] for hits in lists])
        (score,) = [one.score for one in found if one.id == "wanted"]
        scores.add(score)
    assert len(scores) == 1


def test_it_is_a_function_of_the_lists_and_leaves_nothing_out():
    rng = random.Random(5)
    lists = [listed("".join(rng.sample("abcdefghijklmnop", 9))) for _ in range(4)]
    found = reciprocal_rank_fusion(lists)
    assert {one.id for one in found} == {hit.id for hits in lists for hit in hits}
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert found == reciprocal_rank_fusion(lists)


def test_one_list_stays_as_it_is_and_none_is_nothing():
    assert order("cab") == "cab"
    assert order("cab", "") == "cab"
    assert reciprocal_rank_fusion([]) == []
