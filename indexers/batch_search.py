"""Exact search for many dense queries: FAISS selects a few candidates more than asked for, which are then compared.

Items and queries are moved so that the items are around zero: the product that selects candidates then rounds as little
as distances allow. A query whose last candidate is not clearly worse than its k-th best is answered another way.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Metric
from indexers.hits import Rows
from indexers.pairs import DensePairs, inverse_lengths
from indexers.rounding import Lengths

#: Fewest queries for which this is faster, and the largest k.
MANY_QUERIES, LARGEST_K = 64, 512
#: Candidates beyond k.
MORE = 2
#: Items moved at a time (float32: 64 MiB), and items that say where the centre is.
BLOCK_NUMBERS, SAMPLE = 2**24, 1024
#: Numbers of candidates compared at a time.
BLOCK_COMPARED = 2**20
#: Squared lengths beyond this could overflow in a sum.
LARGEST_SQUARE = 1e30


class Batch(NamedTuple):
    """The best `k` rows of every query, and whether these are certainly the best: a bool for each query."""

    rows: Rows
    certain: NDArray[np.bool_]


def suits(queries: Any, codes: Any, k: int) -> bool:
    """Return whether `search_batch` is made for such a search."""
    return isinstance(codes, np.ndarray) and len(queries) >= MANY_QUERIES and k <= min(LARGEST_K, len(codes) - MORE)


def search_batch(
    queries: NDArray[np.float32], codes: NDArray[np.float32], squares: NDArray[Any], metric: Metric, k: int
) -> Batch | None:
    """Search float32 codes (m, dim) for queries (n, dim).

    Parameters
    ----------
    queries : ndarray float32 (n, dim)
        Of unit length for cosine.
    codes : ndarray float32 (m, dim)
    squares : ndarray (m,)
        Squared lengths of the codes.
    metric : Metric
    k : int
        Less than m.

    Returns
    -------
    Batch or None
        None when codes are too large or damaged: then their comparison by a product says nothing.
    """
    frame = _Frame.of(queries, codes, squares, metric)
    candidates = _candidates(frame, codes, k + MORE)
    if candidates is None:
        return None
    scores, rows, lengths = candidates
    slack = lengths.slack(frame.moved_queries, metric, k)
    certain = (rows[:, -1] >= 0) & (scores[:, -1] < scores[:, k - 1] - slack)
    rows.sort(axis=1)  # equal scores come in the order of the rows
    return Batch(_best(DensePairs(queries, codes, squares, metric), np.maximum(rows, 0), k), certain)


class _Frame(NamedTuple):
    """What moves queries and items so that a larger inner product is a better score."""

    queries: NDArray[np.float32]
    metric: Metric
    centre: NDArray[np.float32]
    inverse: NDArray[np.float32] | None

    @classmethod
    def of(cls, queries: Any, codes: Any, squares: NDArray[Any], metric: Metric) -> _Frame:
        centre = np.zeros(codes.shape[1], np.float32)
        if metric is Metric.EUCLIDEAN:
            centre = codes[:: max(1, len(codes) // SAMPLE)].mean(axis=0, dtype=np.float64).astype(np.float32)
            queries = np.hstack([queries - centre, np.ones((len(queries), 1), np.float32)])
        inverse = inverse_lengths(squares) if metric is Metric.COSINE else None
        return cls(np.ascontiguousarray(queries), metric, centre, inverse)

    @property
    def moved_queries(self) -> NDArray[np.float32]:
        """The queries without the component that stands for the lengths of items."""
        return self.queries[:, : len(self.centre)]

    def moved(self, items: Any, part: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return items for the inner product, and their squared lengths.

        ``-|q - x|^2 = 2 (q x - |x|^2 / 2) - |q|^2``, and the last term is the same for all items.
        """
        if self.inverse is not None:
            items = items * self.inverse[part, None]
        elif self.metric is Metric.EUCLIDEAN:
            moved = np.empty((len(items), items.shape[1] + 1), np.float32)
            squares = np.einsum("nd,nd->n", np.subtract(items, self.centre, out=moved[:, :-1]), moved[:, :-1])
            np.multiply(squares, -0.5, out=moved[:, -1])
            return moved, squares
        return np.ascontiguousarray(items), np.einsum("nd,nd->n", items, items)


def _candidates(frame: _Frame, codes: Any, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64], Lengths] | None:
    """Return inner products and rows (n, count), best first, and the lengths of moved items: all but the longest one
    are of the first block, as `count` items that are near enough suffice.

    None when an item is too large, or not a number.
    """
    import faiss

    rows_at_once = max(count, BLOCK_NUMBERS // frame.queries.shape[1])
    scores, rows, lengths = None, None, None
    for start in range(0, len(codes), rows_at_once):
        part = slice(start, start + rows_at_once)
        moved, squares = frame.moved(codes[part], part)
        if not np.max(squares) < LARGEST_SQUARE:  # also for NaN
            return None
        some_scores, some = faiss.knn(frame.queries, moved, min(count, len(moved)), faiss.METRIC_INNER_PRODUCT)
        some[some >= 0] += start
        here = Lengths.of(squares)
        if scores is None or rows is None or lengths is None:
            scores, rows, lengths = some_scores, some, here
        else:
            lengths = lengths._replace(longest=max(lengths.longest, here.longest))
            scores, rows = _merged(np.hstack([scores, some_scores]), np.hstack([rows, some]), count)
    return None if scores is None or rows is None or lengths is None else (scores, rows, lengths)


def _merged(
    scores: NDArray[np.float32], rows: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)


def _best(pairs: DensePairs, rows: NDArray[np.int64], k: int) -> Rows:
    """Return the best `k` of the rows (n, m) of each query, by the definition of the metric."""
    result = Rows(np.empty((len(rows), k), np.float32), np.empty((len(rows), k), np.int64))
    at_once = max(1, BLOCK_COMPARED // (rows.shape[1] * pairs.codes.shape[1]))
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        scores = pairs.block_scores(start, some)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        result.scores[start : start + at_once] = np.take_along_axis(scores, order, axis=1)
        result.rows[start : start + at_once] = np.take_along_axis(some, order, axis=1)
    return result
