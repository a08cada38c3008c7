"""What holds of exact search in particular."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from encoders.codes import Kind, Metric, Space
from indexers import brute_force, pairs
from indexers.exact import Exact
from indexers.topk import best


def index_of(codes: Any, metric: Metric, kind: Kind = Kind.DENSE, dim: int | None = None) -> Exact:
    index = Exact(Space(dim or codes.shape[1], kind, metric))
    index.add([str(row) for row in range(codes.shape[0])], codes)
    return index


def test_neighbours_far_from_the_origin_are_right() -> None:
    """Where ``|a|^2 + |b|^2 - 2ab`` in float32 has no digit left, the order is still that of the distances."""
    rng = np.random.default_rng(0)
    codes = (10_000 + 0.1 * rng.standard_normal((500, 30))).astype(np.float32)
    queries = (10_000 + 0.1 * rng.standard_normal((5, 30))).astype(np.float32)
    truth = ((queries[:, None].astype(float) - codes[None].astype(float)) ** 2).sum(axis=2)
    scores, rows = index_of(codes, Metric.EUCLIDEAN).search_rows(queries, 10)
    assert (rows == np.argsort(truth, axis=1, kind="stable")[:, :10]).all()
    np.testing.assert_allclose(scores, -np.sort(truth, axis=1)[:, :10], rtol=1e-5)


@pytest.mark.parametrize("metric", [Metric.EUCLIDEAN, Metric.DOT, Metric.COSINE])
@pytest.mark.parametrize("kind", [Kind.DENSE, Kind.SPARSE])
def test_equal_items_come_in_the_order_of_their_rows(metric: Metric, kind: Kind) -> None:
    rng = np.random.default_rng(0)
    values = np.tile(rng.random((1, 7), dtype=np.float32), (900, 1))
    values[5] *= 2
    codes = csr_array(values) if kind is Kind.SPARSE else values
    _, rows = index_of(codes, metric, kind).search_rows(codes[[0]], 40)
    found = rows[0].tolist()
    assert [row for row in found if row != 5] == [row for row in range(41) if row != 5][: 40 - (5 in found)]


@pytest.mark.parametrize("metric", [Metric.EUCLIDEAN, Metric.DOT, Metric.COSINE])
def test_blocks_change_nothing(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    codes, queries = (rng.random((n, 12), dtype=np.float32) for n in (500, 40))
    codes[400] = codes[3]
    index = index_of(codes, metric)
    whole = index.search_rows(queries, 30)
    monkeypatch.setattr(brute_force, "BLOCK_ITEMS", 64)
    monkeypatch.setattr(brute_force, "BLOCK_SCORES", 64 * 7)
    monkeypatch.setattr(pairs, "BLOCK_CANDIDATES", 16)
    pieces = index.search_rows(queries, 30)
    assert (pieces.rows == whole.rows).all()
    assert (pieces.scores == whole.scores).all()


@pytest.mark.parametrize("bits", [1, 8, 30, 64, 100])
def test_hamming_counts_bits(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brute_force, "BLOCK_WORDS", 1000)
    rng = np.random.default_rng(bits)
    a, b = (rng.integers(0, 2, (n, bits), dtype=np.uint8) for n in (6, 300))
    truth = (a[:, None] != b[None]).sum(axis=2)
    index = index_of(np.packbits(b, axis=1), Metric.HAMMING, Kind.BINARY, bits)
    scores, rows = index.search_rows(np.packbits(a, axis=1), 20)
    order = np.argsort(truth, axis=1, kind="stable")[:, :20]
    assert (rows == order).all()
    assert (-scores == np.take_along_axis(truth, order, axis=1)).all()


def test_sparse_codes_with_repeated_entries_are_their_sum() -> None:
    doubled = csr_array((np.ones(3, np.float32), np.array([1, 1, 0]), np.array([0, 3])), shape=(1, 4))
    index = index_of(doubled, Metric.EUCLIDEAN, Kind.SPARSE)
    assert index.search(csr_array(np.array([[1, 2, 0, 0]], np.float32)), 1)[0][0].score == 0
    assert doubled.nnz == 3


def test_codes_added_in_pieces_are_one_matrix() -> None:
    index = Exact(Space(2, Kind.DENSE, Metric.DOT))
    parts = [np.full((rows, 2), rows, np.float32) for rows in (1, 2, 3)]
    for rows, part in enumerate(parts):
        index.add([f"{rows}-{row}" for row in range(len(part))], part)
    assert np.asarray(index.codes()).tolist() == np.concatenate(parts).tolist()
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(index.codes())[0] = 1


def test_the_best_of_many_ties_are_the_first() -> None:
    scores = np.random.default_rng(0).integers(0, 3, 1000).astype(np.float32)
    expected = np.argsort(-scores, kind="stable")
    for k in (1, 5, 300, 700, 999, 1000):
        assert best(scores, k).tolist() == expected[:k].tolist()
