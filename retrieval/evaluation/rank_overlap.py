"""Rank overlap: how much two spaces agree on the answers to the same queries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from encoders.errors import DimensionError, OptionError

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Number of pairs of ranks compared at once.
_BLOCK = 2**22


def jaccard_at_k(rows_a: Rows, rows_b: Rows, k: int = 10) -> Floats:
    """Return |A ∩ B| / |A ∪ B| of the first k answers of each query, whatever their order.

    Parameters
    ----------
    rows_a, rows_b : ndarray int64 (n_queries, at least k)
        Row numbers of items, best first, without repetition; -1 after the last answer.
    k : int

    Returns
    -------
    ndarray float64 (n_queries,)
        1 when neither space has an answer.

    Raises
    ------
    DimensionError
        When the rankings differ in their queries, or are shorter than k.

    Examples
    --------
    >>> jaccard_at_k(np.array([[1, 2, 3]]), np.array([[3, 2, 9]]), k=3)
    array([0.5])
    """
    _check_queries(rows_a, rows_b)
    if k < 1 or min(rows_a.shape[1], rows_b.shape[1]) < k:
        raise DimensionError(f"Jaccard@{k} needs k >= 1 and {k} answers of both; got {rows_a.shape} and {rows_b.shape}")
    rows_a, rows_b = rows_a[:, :k], rows_b[:, :k]
    both = _agreements(rows_a, rows_b)[:, -1]
    either = _lengths(rows_a) + _lengths(rows_b) - both
    result = np.ones(len(rows_a))
    np.divide(both, either, out=result, where=either > 0)
    return result


def rbo(rows_a: Rows, rows_b: Rows, p: float = 0.9) -> Floats:
    """Return the rank-biased overlap of each query, extrapolated beyond the last rank (RBO_ext).

    Webber, Moffat & Zobel, "A Similarity Measure for Indefinite Rankings", ACM TOIS 28(4), 2010, equation
    32. A person who continues to the next rank with probability `p` finds this share of agreement; with
    0.9 the first 10 ranks have 86% of the weight. Extrapolation assumes that the agreement at the last rank
    continues, so that equal lists give 1.

    Parameters
    ----------
    rows_a, rows_b : ndarray int64 (n_queries, k)
        Row numbers of items, best first, without repetition; -1 after the last answer.
    p : float
        Persistence, above 0 and below 1; a smaller value gives the top ranks more weight.

    Returns
    -------
    ndarray float64 (n_queries,)
        1 when neither space has an answer, 0 when only one has.

    Raises
    ------
    DimensionError
        When the two differ in shape.
    OptionError
        When p is out of range.

    Examples
    --------
    >>> rbo(np.array([[1, 2], [1, 2]]), np.array([[1, 2], [2, 1]]))
    array([1. , 0.9])
    """
    _check_queries(rows_a, rows_b)
    if rows_a.shape != rows_b.shape:
        raise DimensionError(f"RBO compares rankings of one depth; got {rows_a.shape} and {rows_b.shape}")
    if not 0 < p < 1:
        raise OptionError(f"rbo: p should be above 0 and below 1; got {p}")
    lengths = np.stack([_lengths(rows_a), _lengths(rows_b)])
    short, long = lengths.min(axis=0)[:, None], lengths.max(axis=0)[:, None]
    if not rows_a.shape[1]:
        return np.ones(len(rows_a))

    depth = np.arange(1, rows_a.shape[1] + 1)
    overlap = _agreements(rows_a, rows_b)
    at_short = np.take_along_axis(overlap, np.maximum(short - 1, 0), axis=1)
    at_long = np.take_along_axis(overlap, np.maximum(long - 1, 0), axis=1)
    # Where one list has ended and the other goes on, the short one is taken to agree as before.
    assumed = np.where(depth > short, at_short * (depth - short) / np.maximum(short, 1), 0)
    seen = ((overlap + assumed) / depth * p**depth * (depth <= long)).sum(axis=1)
    last = (at_long - at_short) / np.maximum(long, 1) + at_short / np.maximum(short, 1)
    value = (1 - p) / p * seen + (last * p**long)[:, 0]
    return np.where(long[:, 0] == 0, 1.0, value)


def _agreements(rows_a: Rows, rows_b: Rows) -> Rows:
    """Return int64 ``(n, k)``: the number of items that the first d of both have in common, for d = 1..k."""
    n, k = rows_a.shape
    shared = np.zeros((n, k), np.int64)
    step = max(1, _BLOCK // (k * k)) if k else max(1, n)
    for start in range(0, n, step):
        a, b = rows_a[start : start + step], rows_b[start : start + step]
        query, rank_a, rank_b = np.nonzero((a[:, :, None] == b[:, None, :]) & (a >= 0)[:, :, None])
        # An item is shared from the deeper of its two ranks on; no pair of ranks occurs twice, but depths do.
        positions = query * k + np.maximum(rank_a, rank_b)
        shared[start : start + step] = np.bincount(positions, minlength=a.size).reshape(a.shape)
    return np.cumsum(shared, axis=1)


def _lengths(rows: Rows) -> Rows:
    return np.asarray(np.count_nonzero(rows >= 0, axis=1), np.int64)


def _check_queries(rows_a: Rows, rows_b: Rows) -> None:
    if rows_a.ndim != 2 or rows_b.ndim != 2 or len(rows_a) != len(rows_b):
        raise DimensionError(
            f"overlap compares answers to the same queries; got rows {rows_a.shape} and {rows_b.shape}"
        )
