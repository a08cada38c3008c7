"""Significance of the difference of two spaces, and confidence intervals over queries.

The paired randomisation test: if two spaces were equally good, the sign of their difference on a query
would be random. Smucker, Allan & Carterette, "A Comparison of Statistical Significance Tests for
Information Retrieval Evaluation", CIKM 2007, who recommend it over Wilcoxon's and the sign test.
`multiple_comparison` compares several spaces at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoders.errors import BadItemError, DimensionError

Floats = NDArray[np.float64]

ROUNDS = 10_000
#: Number of values in memory at once for any number of queries: 2 MiB of float64, near a processor's cache.
_BLOCK = 2**18
#: Decimals of the values that order the queries: rounding must not.
_DECIMALS = 9


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


def randomisation_test(first: ArrayLike, second: ArrayLike, rounds: int = ROUNDS, seed: int = 0) -> float:
    """Return the two-sided p-value of the difference of two means over the same queries.

    Parameters
    ----------
    first, second : array-like float (n_queries,)
        The same measure of two spaces, query by query.
    rounds : int
        Number of random sign assignments; the smallest possible p-value is 1 / (rounds + 1).
    seed : int
        The same seed gives the same p-value.

    Raises
    ------
    DimensionError
        When the numbers of queries differ.
    BadItemError
        When a value is not a number.

    Examples
    --------
    >>> randomisation_test([0.5, 0.1, 0.9], [0.5, 0.1, 0.9])
    1.0
    >>> randomisation_test(np.ones(20), np.zeros(20)) < 0.001
    True
    """
    values = stacked([first, second])
    gaps = values[:, :1] - values[:, 1:]
    gaps = -gaps if np.sort(gaps, axis=0).sum() < 0 else gaps  # the order of the two spaces changes nothing
    return float(_p_values(gaps[order_of_queries(gaps)], rounds, seed)[0])


def holm(p_values: ArrayLike) -> Floats:
    """Return p-values corrected for their number, in their order (Holm 1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    corrected = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(corrected, 1)
    return result


def bootstrap_interval(values: ArrayLike, level: float = 0.95, rounds: int = ROUNDS, seed: int = 0) -> Interval:
    """Return the percentile bootstrap interval of the mean over queries (Efron 1979).

    Same as ``scipy.stats.bootstrap(method="percentile")``, without its import time of half a second.

    Raises
    ------
    DimensionError
        When there is no query.
    BadItemError
        When a value is not a number.

    Examples
    --------
    >>> bootstrap_interval([0.5, 0.5, 0.5])
    Interval(low=0.5, high=0.5)
    """
    column = stacked([values])[:, 0]
    if not len(column):
        raise DimensionError("a confidence interval needs at least one query; got none")
    column = np.sort(column)  # the order of the queries changes nothing
    rng = np.random.default_rng(seed)
    means = [
        column[rng.integers(0, len(column), (size, len(column)), np.uint32)].mean(axis=1)
        for size in block_sizes(rounds, len(column))
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _p_values(differences: Floats, rounds: int, seed: int) -> Floats:
    """Return one p-value per column of ``(n_queries, m)``; all columns share the same random signs."""
    n_queries, m = differences.shape
    rng = np.random.default_rng(seed)
    total = differences.sum(axis=0)
    # Measures such as P@10 often tie exactly with what was observed; rounding must not decide those.
    observed = np.abs(total) - 1e-9 * np.abs(differences).sum(axis=0)
    extreme = np.zeros(m, np.int64)
    width = -(-n_queries // 8)
    for size in block_sizes(rounds, n_queries):
        raw = np.frombuffer(rng.bytes(size * width), np.uint8).reshape(size, width)
        negative = np.unpackbits(raw, axis=1, count=n_queries).astype(np.float64)
        extreme += (np.abs(total - 2 * (negative @ differences)) >= observed).sum(axis=0)
    # The observed assignment is one of them, so no p-value is 0 (Phipson & Smyth 2010).
    return (extreme + 1) / (rounds + 1)


def block_sizes(rounds: int, n_queries: int) -> Iterator[int]:
    """Yield the sizes of blocks of rounds, so that a block (rounds, queries) stays small."""
    size = max(1, _BLOCK // max(1, n_queries))
    for start in range(0, rounds, size):
        yield min(size, rounds - start)


def order_of_queries(values: Floats) -> NDArray[np.int64]:
    """Return an order of the queries that depends on their values, not on their positions.

    Random signs and samples are drawn by position. In this order, a permutation of the queries changes no result.

    Parameters
    ----------
    values : ndarray float64 (n_queries, m)

    Examples
    --------
    >>> values = np.array([[0.5, 0.2], [0.1, 0.9], [0.5, 0.1]])
    >>> values[order_of_queries(values)].tolist()
    [[0.1, 0.9], [0.5, 0.1], [0.5, 0.2]]
    """
    rounded = np.round(values, _DECIMALS) + 0.0  # no -0.0
    return np.asarray(np.lexsort(rounded.T[::-1])) if rounded.shape[1] else np.arange(len(rounded))


def stacked(columns: Sequence[ArrayLike]) -> Floats:
    """Return per-query values as one array ``(n_queries, m)``, or raise when they cannot be compared."""
    arrays = [np.asarray(column, np.float64) for column in columns]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 1:
        raise DimensionError(
            f"a paired test needs one value per query and the same queries; got shapes {sorted(shapes)}"
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise BadItemError("a measure of some query is not a finite number, so means cannot be compared")
    return np.stack(arrays, axis=1)
