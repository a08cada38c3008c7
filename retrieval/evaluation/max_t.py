"""The max-T test: the t statistic of every pair of spaces, and the largest of all pairs under random signs.

A pair is represented by the squared cosine of its differences with a constant: it orders pairs as the size of t does.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from retrieval.evaluation.significance import Floats, block_sizes

#: What rounding may change of a value, relative to it, and of the statistic.
ROUNDING, SAME = 1e-12, 1e-9


class Sums(NamedTuple):
    """What the statistics of all pairs need: the sum and the sum of squares of their differences."""

    total: Floats
    squares: Floats


def gaps_of(values: Floats, first: int, second: int) -> Floats:
    """Return the differences of two columns; what rounding may have made is 0."""
    gaps = values[:, first] - values[:, second]
    gaps[np.abs(gaps) <= ROUNDING * np.maximum(np.abs(values[:, first]), np.abs(values[:, second]))] = 0
    return gaps


def sums_of(values: Floats, pairs: tuple[np.ndarray, np.ndarray]) -> Sums:
    """Return sums and sums of squares of the differences of pairs of columns, pair by pair: n x pairs may be large."""
    total, squares = np.zeros((2, len(pairs[0])))
    for at, (first, second) in enumerate(zip(*pairs, strict=True)):
        difference = gaps_of(values, first, second)
        total[at], squares[at] = difference.sum(), difference @ difference
    return Sums(total, squares)


def cosines_of(total: Floats, squares: Floats, n_queries: int) -> Floats:
    """Return the squared cosine of differences with a constant; it orders pairs as the size of t does.

    t^2 = (n - 1) c / (1 - c). Unlike t, it is finite when all queries have the same difference.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(squares > 0, total**2 / (n_queries * squares), 0.0)


def largest_cosines(
    values: Floats, pairs: tuple[np.ndarray, np.ndarray], squares: Floats, rounds: int, seed: int
) -> Floats:
    """Return the largest statistic of all pairs for every random sign assignment (rounds,)."""
    n_queries = len(values)
    if not n_queries or not len(squares):
        return np.zeros(rounds)
    rng, parts, width = np.random.default_rng(seed), [], -(-n_queries // 8)
    total = values.sum(axis=0)
    for size in block_sizes(rounds, max(n_queries, len(squares))):
        raw = np.frombuffer(rng.bytes(size * width), np.uint8).reshape(size, width)
        negative = np.unpackbits(raw, axis=1, count=n_queries).astype(np.float64)
        sums = total - 2 * (negative @ values)
        parts.append(cosines_of(sums[:, pairs[0]] - sums[:, pairs[1]], squares, n_queries).max(axis=1))
    return np.concatenate(parts)


def cosine_of(statistic: float, n_queries: int) -> float:
    """Return the squared cosine of a t statistic; the inverse of `t_of`."""
    return 1.0 if math.isinf(statistic) else statistic**2 / (n_queries - 1 + statistic**2)


def critical_cosine(largest: Floats, alpha: float) -> float:
    """Return the statistic above which the p-value is below alpha: p = (count at or above it + 1) / (rounds + 1)."""
    allowed = math.ceil(alpha * (len(largest) + 1)) - 2
    return float(np.sort(largest)[::-1][allowed]) + SAME if 0 <= allowed < len(largest) else 1.0


def t_of(cosine: float, n_queries: int, alpha: float) -> float:
    """Return the t statistic of a squared cosine; infinite if no p-value can be below alpha."""
    if 2.0 ** (1 - n_queries) >= alpha or cosine >= 1 - SAME:  # so few queries that any difference may be chance
        return math.inf
    return math.sqrt((n_queries - 1) * cosine / (1 - cosine))
