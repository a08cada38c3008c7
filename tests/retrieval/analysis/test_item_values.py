"""Values of items on a map: clusters that are found again, hubness as `health` counts it, exact scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from encoders.codes import Kind, Metric, Space
from indexers.registry import create_index
from retrieval.analysis.item_values import item_clusters, item_hubness, item_scores
from retrieval.evaluation.health.hubness import hubness, k_occurrence
from retrieval.evaluation.health.similarity import mask_query_rows, rows_of, score_matrix

KINDS = [
    (Kind.DENSE, Metric.EUCLIDEAN), (Kind.DENSE, Metric.COSINE), (Kind.SPARSE, Metric.DOT),
    (Kind.BINARY, Metric.HAMMING),
]  # fmt: skip


def codes_of_kind(kind: Kind, n: int = 60, dim: int = 16):
    rng = np.random.default_rng(1)
    if kind is Kind.BINARY:
        return rng.integers(0, 256, (n, dim // 8), dtype=np.uint8)
    numbers = rng.normal(size=(n, dim)).astype(np.float32)
    return csr_array(np.where(np.abs(numbers) > 1, np.abs(numbers), 0)) if kind is Kind.SPARSE else numbers


@pytest.mark.parametrize("seed", range(3))
def test_clusters_that_are_apart_are_found_and_numbered_by_size(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.permutation([5, 20, 40, 80])
    middles = 50 * np.eye(4, 6)
    wanted = np.repeat(np.arange(4), sizes)
    codes = (middles[wanted] + rng.normal(size=(len(wanted), 6))).astype(np.float32)
    found = item_clusters(codes, Metric.EUCLIDEAN, 4, seed)
    by_size = np.argsort(-sizes)
    assert [np.unique(wanted[found == at]).tolist() for at in range(4)] == [[size] for size in by_size.tolist()]


@pytest.mark.parametrize(("kind", "metric"), KINDS)
def test_hubness_is_that_of_the_health_report(kind, metric):
    codes, space = codes_of_kind(kind), Space(16, kind, metric)
    counts, asked = item_hubness(codes, space)
    scores = mask_query_rows(score_matrix(rows_of(codes, space), rows_of(codes, space), metric), np.arange(60))
    np.testing.assert_allclose(counts, k_occurrence(scores), atol=1e-9)
    assert asked == 60
    assert counts.sum() == pytest.approx(60 * 10)
    assert hubness(counts) == hubness(k_occurrence(scores))


def test_equal_items_are_equal_hubs():
    codes = np.repeat(np.eye(3, dtype=np.float32), 7, axis=0)
    counts, _ = item_hubness(codes, Space(3, Kind.DENSE, Metric.EUCLIDEAN), k=3)
    np.testing.assert_allclose(counts, 3)


def test_a_large_collection_is_asked_by_some_of_its_items():
    codes, space = codes_of_kind(Kind.DENSE, 400), Space(16, Kind.DENSE, Metric.EUCLIDEAN)
    counts, asked = item_hubness(codes, space, max_pairs=400 * 50)
    assert asked == 50
    assert counts.sum() == pytest.approx(50 * 10)
    whole, _ = item_hubness(codes, space)
    assert np.corrcoef(counts, whole)[0, 1] > 0.4
    again, _ = item_hubness(codes, space, max_pairs=400 * 50)
    np.testing.assert_array_equal(counts, again)


def test_queries_with_codes_of_their_own_ask():
    codes, space = codes_of_kind(Kind.DENSE, 30), Space(16, Kind.DENSE, Metric.DOT)
    flipped, _ = item_hubness(codes, space, lambda rows: -codes[rows])
    scores = mask_query_rows(score_matrix(-codes.astype(float), codes.astype(float), Metric.DOT), np.arange(30))
    np.testing.assert_allclose(flipped, k_occurrence(scores))


@pytest.mark.parametrize(("kind", "metric"), KINDS)
def test_scores_are_those_of_a_search(kind, metric):
    codes, space = codes_of_kind(kind), Space(16, kind, metric)
    index = create_index(None, space)
    index.fit(codes).add([str(at) for at in range(60)], codes)
    found = item_scores(index, codes[[0]], np.arange(60))
    (hits,) = index.search(codes[[0]], 60)
    assert {hit.id: np.float32(hit.score) for hit in hits} == {
        str(at): np.float32(score) for at, score in enumerate(found) if not np.isnan(score)
    }
