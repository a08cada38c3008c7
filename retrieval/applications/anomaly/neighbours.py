"""Distance to the k-th nearest normal item, in any space."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Metric
from indexers.base import Index
from indexers.checked_index import CheckedIndex
from indexers.validation import LARGEST as LARGEST_CODE
from retrieval.applications.anomaly.score import Score
from retrieval.applications.anomaly.stages import Stages, by_blocks

#: Rank of the neighbour whose distance is the score.
K = 5


class Neighbours(Score):
    """Distance to the k-th nearest of the stored training items; minus the score in a space of inner products.

    Parameters
    ----------
    stages : Stages
    k : int
    index : Index, optional
        Codes of training items; needed before `score`.

    References
    ----------
    Ramaswamy, Rastogi & Shim, Efficient algorithms for mining outliers from large data sets, SIGMOD 2000.
    """

    name: ClassVar[str] = "neighbours"
    meaning: ClassVar[str] = "distance to the k-th nearest normal item"

    def __init__(self, stages: Stages, k: int = K, index: Index | None = None) -> None:
        super().__init__(stages)
        self.k, self.index = k, index

    @classmethod
    def why_not(cls, stages: Stages) -> str:
        """Return an empty text: every space has neighbours."""
        return ""

    def _score(self, rows: Codes) -> Any:
        if self.index is None:
            raise ValueError("neighbours need an index")
        return nearest(self.index, self.stages.encode(rows), min(self.k, len(self.index))).distances[:, -1]

    def options(self) -> dict[str, Any]:
        """Return the rank of the neighbour."""
        return {"k": self.k}


class Nearest(NamedTuple):
    """The nearest codes of an index, nearest first.

    Attributes
    ----------
    distances : ndarray float64 (n, k)
        Infinite where there is none.
    rows : ndarray int64 (n, k)
        -1 where there is none.
    """

    distances: NDArray[np.float64]
    rows: NDArray[np.int64]


def nearest(index: Index, codes: Codes, k: int) -> Nearest:
    """Find the nearest codes of an index, for codes of any size.

    An index compares in float32, whose squares end at 1e38, and refuses larger codes. Those are compared here in
    float64, so that their order is right; a code that is infinite or NaN is infinitely far from everything.

    Parameters
    ----------
    index : Index
        Exact, with at least `k` codes.
    codes : float32 (n, dim), sparse or packed bits
    k : int

    Examples
    --------
    >>> from encoders.codes import Kind, Space
    >>> from indexers.registry import create_index
    >>> index = create_index("exact", Space(1, Kind.DENSE, Metric.EUCLIDEAN))
    >>> index.add(["a", "b"], np.float32([[0], [3]]))
    >>> [f"{one:g}" for one in nearest(index, np.float32([[1], [1e20], [1e30], [np.inf]]), 1).distances[:, 0]]
    ['1', '1e+20', '1e+30', 'inf']
    """
    metric = index.space.metric
    if index.space.kind is not Kind.DENSE:
        return _searched(index, codes, k)
    dense = np.asarray(codes, np.float32)
    largest = np.abs(dense).max(axis=1, initial=0).astype(np.float64)
    limit = index.largest_code if isinstance(index, CheckedIndex) else LARGEST_CODE
    far = ~(largest <= limit)
    if not far.any():
        return _searched(index, dense, k)
    neighbours = Nearest(np.full((len(dense), k), np.inf), np.full((len(dense), k), -1, np.int64))
    near, finite = ~far, far & np.isfinite(largest)
    parts = [(near, _searched(index, dense[near], k))] if near.any() else []
    if finite.any() and metric is Metric.COSINE:  # a direction does not depend on the length
        shorter = dense[finite] * (min(1.0, limit) / 2 / largest[finite, None])
        parts.append((finite, _searched(index, shorter.astype(np.float32), k)))
    elif finite.any():
        parts.append((finite, _compared(index, dense[finite], k)))
    for which, some in parts:
        neighbours.distances[which], neighbours.rows[which] = some
    return neighbours


def _searched(index: Index, codes: Codes, k: int) -> Nearest:
    best = index.search_rows(codes, k)
    return Nearest(distances(best.scores, index.space.metric), best.rows)


def _compared(index: Index, codes: NDArray[np.float32], k: int) -> Nearest:
    """Compare codes with those of an index in float64; codes are few, as they are far from all normal items."""
    known, is_product = index.codes(), index.space.metric is Metric.DOT
    far, rows = [], []
    for code in codes.astype(np.float64):
        apart = by_blocks(known, lambda some, code=code: -(some @ code) if is_product else _lengths(some - code))
        rows.append(np.argsort(apart, kind="stable")[:k])
        far.append(apart[rows[-1]])
    return Nearest(np.array(far), np.array(rows))


def _lengths(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(rows, axis=1))


def distances(scores: NDArray[Any], metric: Metric) -> NDArray[np.float64]:
    """Return the distances that belong to scores of an index; for an inner product, minus the score.

    Examples
    --------
    >>> distances(np.array([-25.0, 0.0]), Metric.EUCLIDEAN).tolist()
    [5.0, 0.0]
    >>> distances(np.array([0.75]), Metric.COSINE).tolist()
    [0.25]
    """
    values = np.asarray(scores, dtype=np.float64)
    if metric is Metric.DOT:  # a row without any known word has no neighbour: stranger than every other
        return np.where(np.isfinite(values), -values, np.inf)
    if metric is Metric.COSINE:
        return np.maximum(1 - values, 0)
    nearest = np.maximum(-values, 0)
    return np.asarray(np.sqrt(nearest) if metric is Metric.EUCLIDEAN else nearest)
