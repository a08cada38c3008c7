"""Measures under equal scores: the closed forms against every order, and against the order of the corpus."""

from __future__ import annotations

from itertools import groupby, permutations, product

import numpy as np
import pytest
import pytrec_eval
from scipy.sparse import csr_array

from encoders.codes import Kind, Metric, Space
from encoders.errors import OptionError
from indexers.registry import create_index
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.measures import MEASURES, parse_measure
from retrieval.evaluation.ranking import Rankings, rank, without_query_rows
from retrieval.evaluation.relevance import LabelRelevance, QrelRelevance, Relevance

LABEL_MEASURES = ("P@1", "P@3", "P@5", "R@4", "RR", "RR@2", "AP", "AP@1", "AP@3", "AP@5", "Success@2", "nDCG@4")
QREL_MEASURES = ("P@3", "R@4", "RR", "RR@3", "AP", "AP@4", "Success@2", "nDCG", "nDCG@3")


def index_of(scores: list[int]):
    """An index in which a query [1] gives every item its score."""
    codes = np.array(scores, np.float32)[:, None]
    index = create_index("exact", Space(1, Kind.DENSE, Metric.DOT))
    index.add([str(row) for row in range(len(codes))], codes)
    return index


def orders(scores: list[int]):
    """Every ranking that a list of scores allows."""
    by_score = sorted(range(len(scores)), key=lambda row: -scores[row])
    groups = [list(group) for _, group in groupby(by_score, key=lambda row: scores[row])]
    for chosen in product(*(list(permutations(group)) for group in groups)):
        yield [row for group in chosen for row in group]


def mean_over_orders(scores: list[int], relevance: Relevance, measure: str, depth: int) -> tuple[float, float, float]:
    values = []
    for order in orders(scores):
        grades = relevance.grades(np.array([0]), np.array([order[:depth]]))
        values.append(float(parse_measure(measure)(relevance.judged(np.array([0]), grades))[0]))
    return float(np.mean(values)), min(values), max(values)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("depth", [5, 7])
def test_by_label_the_closed_form_is_the_mean_over_every_order(seed, depth):
    draw = np.random.default_rng(seed)
    scores, labels = draw.integers(0, 3, 7).tolist(), draw.integers(0, 2, 7).tolist()
    relevance = LabelRelevance(labels, [0], np.array([-1]))
    index, query = index_of(scores), np.ones((1, 1), np.float32)
    rankings = rank(index, query, depth, np.array([-1]), draw.permutation(7), relevance)
    found = expected_measures(rankings, relevance, LABEL_MEASURES, complete=True)
    for measure in LABEL_MEASURES:
        mean, low, high = mean_over_orders(scores, relevance, measure, depth)
        assert found.per_query[measure][0] == pytest.approx(mean, abs=1e-12), measure
        assert (found.worst[measure], found.best[measure]) == pytest.approx((low, high)), measure


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("depth", [4, 7])
def test_by_grades_the_closed_form_is_the_mean_over_every_order(seed, depth):
    draw = np.random.default_rng(seed)
    scores = draw.integers(0, 3, 7).tolist()
    qrels = {"q": {str(row): int(grade) for row, grade in enumerate(draw.integers(-1, 4, 7))} | {"absent": 2}}
    relevance = QrelRelevance(qrels, ["q"], {str(row): row for row in range(7)}, np.array([-1]))
    index, query = index_of(scores), np.ones((1, 1), np.float32)
    rankings = rank(index, query, depth, np.array([-1]), draw.permutation(7), relevance)
    found = expected_measures(rankings, relevance, QREL_MEASURES, complete=True)
    for measure in QREL_MEASURES:
        mean, low, high = mean_over_orders(scores, relevance, measure, depth)
        assert found.per_query[measure][0] == pytest.approx(mean, abs=1e-12), measure
        assert (found.worst[measure], found.best[measure]) == pytest.approx((low, high)), measure


def test_a_constant_space_gets_the_value_of_chance():
    labels = np.repeat(np.arange(5), [100, 50, 30, 15, 5])
    query_rows = np.arange(len(labels))
    relevance = LabelRelevance(labels, labels, query_rows)
    codes = np.ones((len(labels), 3), np.float32)
    index = create_index("exact", Space(3, Kind.DENSE, Metric.EUCLIDEAN))
    index.add([str(row) for row in query_rows], codes)
    rankings = rank(index, codes, 10, query_rows, query_rows, relevance)
    found = expected_measures(rankings, relevance, ("P@1", "P@10"))
    sizes = np.bincount(labels)[labels]
    for measure in ("P@1", "P@10"):
        np.testing.assert_allclose(found.per_query[measure], (sizes - 1) / (len(labels) - 1), rtol=1e-12)
    assert found.worst["P@10"] == 0
    assert (rankings.group_size == len(labels) - 1).all()


def small_numbers(kind: Kind, n: int, dim: int):
    rows = np.random.default_rng(7).integers(0, 2, (n, dim)).astype(np.float32)
    if kind is Kind.BINARY:
        return np.packbits(rows.astype(bool), axis=1)
    return csr_array(rows) if kind is Kind.SPARSE else rows


EXACT_INDEXES = [
    ("exact", Kind.DENSE, Metric.EUCLIDEAN),
    ("exact", Kind.DENSE, Metric.COSINE),
    ("exact", Kind.DENSE, Metric.DOT),
    ("exact", Kind.SPARSE, Metric.DOT),
    ("exact", Kind.SPARSE, Metric.COSINE),
    ("exact", Kind.BINARY, Metric.HAMMING),
    ("sparse", Kind.SPARSE, Metric.DOT),
    ("sparse", Kind.SPARSE, Metric.COSINE),
    ("faiss:Flat", Kind.DENSE, Metric.EUCLIDEAN),
    ("faiss:Flat", Kind.DENSE, Metric.DOT),
    ("faiss:BFlat", Kind.BINARY, Metric.HAMMING),
]


@pytest.mark.parametrize(("description", "kind", "metric"), EXACT_INDEXES)
def test_the_order_of_the_corpus_changes_no_measure(description, kind, metric):
    labels = np.sort(np.random.default_rng(3).integers(0, 4, 300))
    codes = small_numbers(kind, 300, 8)
    seen = []
    for order in (np.arange(300), np.random.default_rng(5).permutation(300), np.arange(300)[::-1]):
        index = create_index(description, Space(8, kind, metric))
        index.add([str(row) for row in order], codes[order])
        relevance = LabelRelevance(labels[order], labels[order], np.arange(300))
        rankings = rank(index, codes[order], 10, np.arange(300), order, relevance)
        found = expected_measures(rankings, relevance, ("P@10", "AP@10", "RR@10"))
        back = np.argsort(order)
        seen.append((found.per_query["P@10"][back], found.per_query["AP@10"][back], order[rankings.rows][back]))
    for other in seen[1:]:
        np.testing.assert_allclose(other[0], seen[0][0], atol=1e-9)
        np.testing.assert_allclose(other[1], seen[0][1], atol=1e-9)
        if description != "sparse":  # what shares no term is no answer there: -1 has no name
            np.testing.assert_array_equal(other[2], seen[0][2])


def test_without_equal_scores_the_values_are_those_of_trec_eval():
    draw = np.random.default_rng(11)
    codes = draw.normal(size=(60, 4)).astype(np.float32)
    queries = draw.normal(size=(9, 4)).astype(np.float32)
    index = create_index("exact", Space(4, Kind.DENSE, Metric.DOT))
    index.add([f"d{row}" for row in range(60)], codes)
    qrels = {f"q{at}": {f"d{row}": int(draw.integers(0, 4)) for row in draw.choice(60, 12, False)} for at in range(9)}
    relevance = QrelRelevance(qrels, list(qrels), {f"d{row}": row for row in range(60)}, np.full(9, -1))
    rankings = rank(index, queries, 60, np.full(9, -1), np.arange(60), relevance)
    found = expected_measures(rankings, relevance, ("nDCG@10", "AP", "RR", "P@10", "R@20"))
    run = {
        query: {f"d{row}": float(score) for row, score in zip(rows, scores, strict=True)}
        for query, rows, scores in zip(qrels, rankings.rows.tolist(), rankings.scores.tolist(), strict=True)
    }
    names = {"nDCG@10": "ndcg_cut_10", "AP": "map", "RR": "recip_rank", "P@10": "P_10", "R@20": "recall_20"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, set(names.values())).evaluate(run)
    for ours, name in names.items():
        np.testing.assert_allclose(found.per_query[ours], [theirs[query][name] for query in qrels], atol=1e-6)
        assert found.worst[ours] == pytest.approx(found.best[ours])


def test_a_query_is_not_among_its_own_answers_wherever_it_stands():
    scores = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]], np.float32)
    rows = np.array([[4, 5, 6], [7, 8, -1]])
    kept_scores, kept = without_query_rows(scores, rows, np.array([5, -1]))
    np.testing.assert_array_equal(kept, [[4, 6, -1], [7, 8, -1]])
    np.testing.assert_array_equal(kept_scores[0], [3, 1, -np.inf])


@pytest.mark.parametrize("by_label", [True, False])
def test_an_answer_that_an_index_misses_never_raises_an_expected_measure(by_label):
    draw = np.random.default_rng(int(by_label))
    labels = draw.integers(0, 3, 40)
    qrels = {
        str(query): {str(row): int(grade) for row, grade in enumerate(draw.integers(0, 4, 40))} for query in range(3)
    }
    nobody = np.full(3, -1)
    relevance: Relevance = (
        LabelRelevance(labels, [0, 1, 2], nobody)
        if by_label
        else QrelRelevance(qrels, list(qrels), {str(row): row for row in range(40)}, nobody)
    )
    scores = np.repeat(np.array([[5, 5, 5, 4, 3, 3, 2, 2, 2, 2, 1, 0]], np.float32), 3, axis=0)
    rows = np.stack([draw.permutation(40)[:12] for _ in range(3)])
    measures = [f"{name}@{k}" for name in MEASURES for k in (1, 5, 10, 30)]
    before = dict.fromkeys(measures, np.full(3, np.inf))
    for kept in (12, 11, 10, 6, 4, 3, 0):  # whole groups of equal scores: what is cut in two is another group
        seen_scores, seen_rows = scores.copy(), rows.copy()
        seen_scores[:, kept:], seen_rows[:, kept:] = -np.inf, -1
        rankings = Rankings(
            seen_scores, seen_rows, np.zeros(3, np.int64), np.zeros((3, len(relevance.levels)), np.int64)
        )
        after = expected_measures(rankings, relevance, measures, complete=True).per_query
        for measure in measures:
            assert (after[measure] <= before[measure] + 1e-12).all(), (measure, kept)
        before = after


def test_a_measure_beyond_the_known_answers_is_refused():
    relevance = LabelRelevance([0, 1, 0], [0], np.array([-1]))
    rankings = rank(index_of([3, 2, 1]), np.ones((1, 1), np.float32), 2, np.array([-1]), np.arange(3), relevance)
    with pytest.raises(OptionError, match="P@3 needs the first 3 answers, but the rankings hold 2"):
        expected_measures(rankings, relevance, ["P@3"])
