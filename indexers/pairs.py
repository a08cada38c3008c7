"""Scores of given pairs of query and item, by the definition of the metric: for shortlists and candidates."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Metric
from indexers.hits import Rows
from indexers.topk import best

#: Items compared at a time: few enough for the cache.
BLOCK_CANDIDATES = 1024


class Pairs(Protocol):
    """Compares queries with given rows of an index, and reads no other rows."""

    def scores(self, query_row: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores of some rows (ascending, unique) for the query at `query_row`."""
        ...


class DensePairs:
    """Dense codes: inner product, or minus the squared difference. A score depends on its query and item alone."""

    def __init__(self, queries: Any, codes: Any, squares: NDArray[Any], metric: Metric) -> None:
        self.queries, self.codes, self.metric = queries, codes, metric
        self.inverse = inverse_lengths(squares) if metric is Metric.COSINE else None
        self.buffer = np.empty((max(1, min(len(codes), BLOCK_CANDIDATES)), codes.shape[1]), dtype=np.float32)

    def scores(self, query_row: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores of some rows for the query at `query_row`."""
        query = self.queries[query_row]
        scores = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), len(self.buffer)):
            some = rows[start : start + len(self.buffer)]
            items = np.take(self.codes, some, axis=0, out=self.buffer[: len(some)], mode="clip")
            if self.metric is Metric.EUCLIDEAN:
                items -= query
                scores[start : start + len(some)] = 0 - np.einsum("kd,kd->k", items, items)
            else:
                scores[start : start + len(some)] = np.einsum("kd,d->k", items, query)
        if self.inverse is not None:
            as_cosines(np.multiply(scores, self.inverse[rows], out=scores))
        return scores

    def block_scores(self, first: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores (n, m) of rows (n, m) for the n queries from `first` on: equal to `scores`, bit by bit."""
        n, m = rows.shape
        queries = np.repeat(self.queries[first : first + n], m, axis=0)
        items = np.take(self.codes, rows.ravel(), axis=0)
        if self.metric is Metric.EUCLIDEAN:
            items -= queries
            return np.asarray(0 - np.einsum("kd,kd->k", items, items)).reshape(n, m)
        scores = np.einsum("kd,kd->k", items, queries).reshape(n, m)
        return scores if self.inverse is None else as_cosines(np.multiply(scores, self.inverse[rows], out=scores))


class SparsePairs:
    """CSR codes, item by item. Each sum is in the order of the components, as in a product of whole matrices."""

    def __init__(self, queries: Any, codes: Any, squares: NDArray[Any], metric: Metric) -> None:
        self.queries, self.codes, self.metric = queries, codes, metric
        self.inverse = inverse_lengths(squares) if metric is Metric.COSINE else None
        self.dense_query = np.zeros(codes.shape[1], dtype=np.float64 if metric is Metric.EUCLIDEAN else np.float32)

    def scores(self, query_row: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores of some rows for the query at `query_row`."""
        terms, weights = row_of(self.queries, query_row)
        items = self.codes[rows].astype(self.dense_query.dtype, copy=False)
        self.dense_query[terms] = weights
        products = items @ self.dense_query
        if self.metric is Metric.EUCLIDEAN:
            products = 2 * products - exact_squares(items) - exact_squares(self.queries[[query_row]])[0]
        elif self.inverse is not None:
            products = as_cosines(products * self.inverse[rows])
        self.dense_query[terms] = 0
        return np.asarray(products, dtype=np.float32)


class PostingPairs:
    """Sparse codes as posting lists (dim, n) with ascending items: only the lists of a query's terms are read."""

    def __init__(self, queries: Any, postings: Any, squares: NDArray[Any], metric: Metric) -> None:
        self.queries, self.postings = queries, postings
        self.inverse = inverse_lengths(squares) if metric is Metric.COSINE else None

    def scores(self, query_row: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores of some rows for the query at `query_row`."""
        wanted = rows.astype(self.postings.indices.dtype)  # another type would convert every list
        scores = np.zeros(len(rows), dtype=np.float32)
        for term, weight in zip(*row_of(self.queries, query_row), strict=True):
            items, values = row_of(self.postings, term)
            here, there = _in_both(wanted, items)
            scores[here] += weight * values[there]
        return scores if self.inverse is None else as_cosines(scores * self.inverse[rows])


class BinaryPairs:
    """Packed bits, by exclusive or and population count."""

    def __init__(self, queries: Any, codes: Any, squares: NDArray[Any], metric: Metric) -> None:
        self.queries, self.codes = as_words(queries), codes

    def scores(self, query_row: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores of some rows for the query at `query_row`."""
        differing = np.bitwise_count(as_words(self.codes[rows]) ^ self.queries[query_row])
        return np.asarray(0 - differing.sum(axis=1, dtype=np.float32))


def score_pairs(pairs: Pairs, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the score of every row (n, m) for its query; -inf for row -1."""
    scores = np.full(rows.shape, -np.inf, dtype=np.float32)
    for query_row, some in enumerate(rows):
        given = some >= 0
        unique, back = np.unique(some[given], return_inverse=True)
        scores[query_row, given] = pairs.scores(query_row, unique)[back]
    return scores


def best_pairs(pairs: Pairs, rows: NDArray[np.int64], k: int, positive_only: bool) -> Rows:
    """Return the `k` best of the rows given for each query, as a search of these items alone returns them."""
    best_rows = Rows(np.full((len(rows), k), -np.inf, np.float32), np.full((len(rows), k), -1, np.int64))
    for query_row, some in enumerate(rows):
        given = np.sort(some[some >= 0])  # equal scores come in the order of the rows
        scores = pairs.scores(query_row, given)
        if positive_only:
            given, scores = given[scores > 0], scores[scores > 0]
        top = best(scores, k)
        best_rows.scores[query_row, : len(top)], best_rows.rows[query_row, : len(top)] = scores[top], given[top]
    return best_rows


def inverse_lengths(squares: NDArray[Any]) -> NDArray[np.float32]:
    """Return 1 / length of every row; 0 for a zero row, so that its cosine is 0."""
    lengths = np.sqrt(squares)
    inverse = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return np.asarray(np.minimum(inverse, np.finfo(np.float32).max), dtype=np.float32)


def as_cosines(scores: NDArray[Any]) -> NDArray[Any]:
    """Clip scores to [-1, 1], in place: rounding can make the cosine of equal directions larger than 1."""
    np.minimum(scores, 1, out=scores)
    return np.asarray(np.maximum(scores, -1, out=scores))


def exact_squares(codes: Any) -> NDArray[np.float64]:
    """Return the squared length of every CSR row in float64, summed in the order in which SciPy multiplies.

    Products of float32 numbers are exact in float64: ``2ab - |a|^2 - |b|^2`` is exactly 0 for equal codes.
    """
    squares = codes.astype(np.float64)
    squares.data **= 2
    return np.asarray(squares @ np.ones(codes.shape[1]))


def as_words(packed: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return packed bits as 64-bit words (n, words), padded with zeros."""
    words = -(-packed.shape[1] // 8)
    if packed.shape[1] % 8:
        packed = np.pad(packed, ((0, 0), (0, 8 * words - packed.shape[1])))
    return np.ascontiguousarray(packed).view(np.uint64)


def row_of(matrix: Any, row: int) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Return the columns and values of one row of a CSR matrix, without a copy."""
    part = slice(matrix.indptr[row], matrix.indptr[row + 1])
    return matrix.indices[part], matrix.data[part]


def _in_both(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the common numbers of two ascending arrays, in each; the shorter is looked up.

    Examples
    --------
    >>> _in_both(np.array([1, 4, 6, 9]), np.array([0, 4, 9]))
    (array([1, 3]), array([1, 2]))
    """
    if len(a) > len(b):
        there, here = _in_both(b, a)
        return here, there
    positions = np.searchsorted(b, a)
    positions[positions == len(b)] = 0
    common = np.flatnonzero(b[positions] == a) if len(a) else positions
    return common, positions[common]
