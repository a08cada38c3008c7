"""The convex combination of normalised scores: several lists of hits become one, each list with a weight.

Scores are scaled to at most 1 for the best answer of each query. The lower end is the least score that the metric
allows (theoretical min-max), so that a query whose answers are all bad keeps low scores; a metric without such a
bound uses the last answer. An item outside the list of a space has there the score of the last answer, which is the
most that it can have, or 0 when the list is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Metric, Space
from indexers.base import Hit
from retrieval.search.fusion import Fused, fused_order, ranks_in

Floats = NDArray[np.float64]
#: Decimals of a combined score: rounding must not separate scores that are equal.
DECIMALS = 10


def least_score(space: Space, positive_only: bool) -> float | None:
    """Return the least score that a space can give; None where the metric has no bound.

    Examples
    --------
    >>> from encoders.codes import Kind
    >>> least_score(Space(8, Kind.DENSE, Metric.COSINE), False)
    -1.0
    >>> least_score(Space(8, Kind.BINARY, Metric.HAMMING), False)
    -8.0
    >>> least_score(Space(8, Kind.DENSE, Metric.EUCLIDEAN), False) is None
    True
    """
    if positive_only:
        return 0.0
    return {Metric.COSINE: -1.0, Metric.HAMMING: -float(space.dim)}.get(space.metric)


def normalised(scores: NDArray[Any], least: float | None, depth: int) -> tuple[Floats, Floats]:
    """Scale the scores of n queries to at most 1.

    Parameters
    ----------
    scores : ndarray (n, width)
        Descending; -inf after the last answer.
    least : float or None
        As `least_score` returns it.
    depth : int
        Number of answers that were asked for.

    Returns
    -------
    scaled : ndarray float64 (n, width)
        0 after the last answer, and in a list whose scores are all at the lower end.
    outside : ndarray float64 (n,)
        The value of an item that is not in the list.

    References
    ----------
    S. Bruch, S. Gai, A. Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023,
    equation 4 (TM2C2).

    Examples
    --------
    >>> scaled, outside = normalised(np.array([[0.5, 0.2, -np.inf]]), least=0.0, depth=2)
    >>> scaled.round(6).tolist(), outside.round(6).tolist()
    ([[1.0, 0.4, 0.0]], [0.4])
    """
    values = np.asarray(scores, np.float64)
    held = np.isfinite(values)
    count = held.sum(axis=1)
    if not values.shape[1]:
        return np.zeros(values.shape), np.zeros(len(values))
    last = np.where(count > 0, np.take_along_axis(values, np.maximum(count - 1, 0)[:, None], axis=1)[:, 0], 0.0)
    low = last if least is None else np.full(len(values), least)
    high = np.where(count > 0, values[:, 0], low)
    width = np.where(high > low, high - low, np.inf)
    scaled = np.where(held, np.maximum(values - low[:, None], 0), 0) / width[:, None]
    at_end = np.take_along_axis(scaled, np.maximum(count - 1, 0)[:, None], axis=1)[:, 0]
    return scaled, np.where(count >= depth, at_end, 0.0)


def convex_combination(
    lists: Sequence[Sequence[Hit]], weights: Sequence[float], least: Sequence[float | None], depth: int
) -> list[Fused]:
    """The fused list, best first: the sum of the normalised scores, each times its weight.

    Parameters
    ----------
    lists : sequence of lists of Hit
        Best first, one for each space.
    weights : sequence of float
    least : sequence of float or None
        The least score of each space.
    depth : int
        Number of hits that were asked for in each space.

    Examples
    --------
    >>> words, codes = [Hit("a", 8.0), Hit("b", 2.0)], [Hit("b", 0.9), Hit("c", 0.5)]
    >>> [(one.id, one.score) for one in convex_combination([words, codes], [0.5, 0.5], [0.0, 0.0], depth=3)]
    [('b', 0.625), ('a', 0.5), ('c', 0.2777777778)]
    """
    sums = dict.fromkeys((hit.id for hits in lists for hit in hits), 0.0)
    for hits, weight, bound in zip(lists, weights, least, strict=True):
        scaled, outside = normalised(np.array([[hit.score for hit in hits]], np.float64), bound, depth)
        known = dict(zip((hit.id for hit in hits), scaled[0].tolist(), strict=True))
        for id in sums:
            sums[id] += weight * known.get(id, float(outside[0]))
    ranks = ranks_in(lists)
    return sorted((Fused(id, round(value, DECIMALS), ranks[id]) for id, value in sums.items()), key=fused_order)
