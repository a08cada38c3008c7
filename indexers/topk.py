"""The k best of a row of scores or distances, equal scores in column order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def candidate_columns(scores: NDArray[np.float32], k: int, slack: float = 0) -> NDArray[np.int64]:
    """Return the columns, ascending, whose scores are at most `slack` below the k-th largest.

    Call it for one row at a time: NumPy partitions a row that fits the cache several times faster than a large block.

    Parameters
    ----------
    scores : ndarray (m,)
        No NaN.
    k : int
        At least 1.
    """
    m = len(scores)
    if k >= m:
        return np.arange(m)
    kth = np.partition(scores, m - k)[m - k]
    return np.flatnonzero(scores >= kth - np.float32(slack))


def best(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the columns of the `k` largest scores, best first; equal ones in column order.

    Examples
    --------
    >>> best(np.array([1, 5, 5, 0, 5], dtype=np.float32), 2).tolist()
    [1, 2]
    """
    columns = candidate_columns(scores, k)
    return columns[np.argsort(-scores[columns], kind="stable")[:k]]


def smallest(distances: NDArray[np.unsignedinteger[Any]], k: int) -> NDArray[np.int64]:
    """Return the columns of the `k` smallest whole numbers, smallest first; equal ones in column order.

    Examples
    --------
    >>> smallest(np.array([3, 1, 1, 4, 1], dtype=np.uint16), 2).tolist()
    [1, 2]
    """
    if k >= len(distances):
        return np.argsort(distances, kind="stable")
    columns = np.flatnonzero(distances <= np.partition(distances, k - 1)[k - 1])
    return columns[np.argsort(distances[columns], kind="stable")[:k]]
