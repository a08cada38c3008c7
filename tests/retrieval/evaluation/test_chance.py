"""The chance level equals the mean over random orders, and random codes are not called better than it."""

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from indexers.exact import Exact
from retrieval.evaluation.chance import chance_measures, is_above_chance
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.ranking import rank
from retrieval.evaluation.relevance import LabelRelevance, QrelRelevance, Relevance

IDS = [f"d{number}" for number in range(30)]
MEASURES = ["P@10", "AP@10", "RR@10", "nDCG@10", "R@5", "Success@5"]


def by_label(query_rows: np.ndarray) -> Relevance:
    labels = [str(number % 3) for number in range(30)]
    return LabelRelevance(labels, ["0", "1", "2", "0"], query_rows)


def by_qrels(query_rows: np.ndarray) -> Relevance:
    qrels = {
        "a": {"d1": 2, "d2": 1, "d0": 1},
        "b": {"d5": 3, "gone": 1},
        "c": {f"d{number}": 1 + number % 2 for number in range(20)},
        "e": {"d29": 1},
    }
    return QrelRelevance(qrels, list(qrels), {one: row for row, one in enumerate(IDS)}, query_rows)


@pytest.mark.parametrize("relevance_of", [by_label, by_qrels])
@pytest.mark.parametrize("own", [[-1, -1, -1, -1], [0, 4, 2, 3], [0, -1, 2, -1]])
@pytest.mark.parametrize("depth", [10, 29, 30, 100])
def test_it_is_what_an_index_of_equal_codes_reaches(relevance_of, own, depth):
    query_rows = np.array(own)
    relevance = relevance_of(query_rows)
    index = Exact(Space(1, Kind.DENSE, Metric.EUCLIDEAN))
    index.add(IDS, np.ones((30, 1), np.float32))
    rankings = rank(index, np.ones((4, 1), np.float32), depth, query_rows, np.arange(30), relevance)
    equal = expected_measures(rankings, relevance, MEASURES, complete=True).per_query
    found = chance_measures(relevance, query_rows, 30, MEASURES, depth)
    for measure in MEASURES:
        np.testing.assert_allclose(found[measure], equal[measure], rtol=1e-12)


def test_it_is_the_mean_over_random_orders():
    query_rows = np.array([0, 4, 2, -1])
    relevance = by_qrels(query_rows)
    rng = np.random.default_rng(0)
    sums = np.zeros(4)
    for _ in range(4000):
        index = Exact(Space(1, Kind.DENSE, Metric.DOT))
        index.add(IDS, rng.random((30, 1), np.float32))
        rankings = rank(index, np.ones((4, 1), np.float32), 10, query_rows, np.arange(30), relevance)
        sums += expected_measures(rankings, relevance, ["nDCG@10"]).per_query["nDCG@10"]
    found = chance_measures(relevance, query_rows, 30, ["nDCG@10"], 10)["nDCG@10"]
    np.testing.assert_allclose(found, sums / 4000, atol=0.015)


def test_the_best_of_random_spaces_is_seldom_called_better_than_chance():
    rng = np.random.default_rng(1)
    called = 0
    for _ in range(80):
        chance = np.full(60, 0.1)
        spaces = rng.binomial(10, 0.1, (8, 60)) / 10
        called += is_above_chance(max(spaces, key=np.mean), chance, len(spaces))
    assert called <= 0.05 * 80 + 2 * np.sqrt(0.05 * 0.95 * 80)
    assert is_above_chance(np.clip(rng.normal(0.3, 0.1, 60), 0, 1), np.full(60, 0.1), 8)
    assert not is_above_chance(np.zeros(60), np.full(60, 0.1), 8)  # below chance is not better
