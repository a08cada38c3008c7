"""The 95% interval of the rank of each space: a paired bootstrap over queries, and over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from retrieval.evaluation.max_t import ROUNDING
from retrieval.evaluation.significance import Floats, block_sizes

#: Bootstrap samples for the interval of a rank.
_RANK_ROUNDS = 2_000


def rank_intervals(
    order: list[str], values: Floats, seed: int, means_of_seeds: Mapping[str, ArrayLike]
) -> dict[str, tuple[int, int]]:
    """Return the 95% interval of the rank of each space.

    Queries are drawn with replacement, for all spaces alike; the seeds of a space, for it alone.
    """
    n_queries = len(values)
    if not n_queries:
        return dict.fromkeys(order, (1, len(order)))
    rng, parts = np.random.default_rng(seed), []
    for size in block_sizes(_RANK_ROUNDS, max(n_queries, len(order) ** 2)):
        # seven times as fast as drawing from a multinomial distribution
        drawn = (np.bincount(rng.integers(0, n_queries, n_queries), minlength=n_queries) for _ in range(size))
        weights = np.stack(list(drawn)).astype(np.float64)
        means = weights @ values / n_queries
        for at, name in enumerate(order):
            means[:, at] += _drawn_seeds(rng, means_of_seeds.get(name, ()), size)
        parts.append(1 + (means[:, None, :] > means[:, :, None] + ROUNDING).sum(axis=2))
    low, high = np.quantile(np.concatenate(parts), [0.025, 0.975], axis=0, method="nearest")
    return {name: (int(low[at]), int(high[at])) for at, name in enumerate(order)}


def _drawn_seeds(rng: np.random.Generator, means_of_seeds: ArrayLike, rounds: int) -> Floats:
    """Return by how much the mean over seeds differs when they are drawn with replacement (rounds,); 0 for one seed.

    The deviations of n drawn seeds are too small by the factor (n - 1) / n on average, which is corrected.
    """
    means = np.asarray(means_of_seeds, np.float64)
    count = len(means)
    if count < 2:
        return np.zeros(rounds)
    drawn: Floats = means[rng.integers(0, count, (rounds, count))].mean(axis=1) - means.mean()
    return drawn * math.sqrt(count / (count - 1))
