"""Hubness: some items are among the nearest of very many others (hubs), and others of none (anti-hubs)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Length of the neighbour lists.
NEIGHBOURS = 10


@dataclass(frozen=True)
class Hubness:
    """The hubness of a space.

    Attributes
    ----------
    skewness : float
        Skewness of the k-occurrence: 0 when all items are in as many lists.
    antihubs : float
        Share of the items that are in no list.
    """

    skewness: float
    antihubs: float


def k_occurrence(scores: Floats, k: int = NEIGHBOURS) -> Floats:
    """Return in how many lists of the k nearest each item is.

    Parameters
    ----------
    scores : ndarray float64 (n_queries, n_items)
        Larger is better; -inf where an item is no answer, such as the query itself.
    k : int

    Returns
    -------
    ndarray float64 (n_items,)
        Expected numbers under a random order of equal scores: where a list ends within a group of m equal scores of
        which r fit, each item of the group counts r/m.

    Examples
    --------
    >>> k_occurrence(np.array([[-np.inf, 2.0, 1.0], [1.0, -np.inf, 1.0]]), 1)
    array([0.5, 1. , 0.5])
    """
    return np.asarray(memberships(scores, k).sum(axis=0))


def memberships(scores: Floats, k: int) -> Floats:
    """Return the probability that each item is among the k best of each query, (n_queries, n_items)."""
    k = min(k, scores.shape[1])
    last = np.partition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k, None]
    above = scores > last
    tied = (scores == last) & np.isfinite(scores)
    share = (k - above.sum(axis=1)) / np.maximum(tied.sum(axis=1), 1)
    return np.asarray(above + tied * np.minimum(share, 1)[:, None])


def hubness(occurrence: Floats) -> Hubness:
    """Return skewness and share of anti-hubs of a k-occurrence.

    References
    ----------
    Radovanović, Nanopoulos & Ivanović, Hubs in space: popular nearest neighbors in high-dimensional data, JMLR 11,
    2010, section 3 (skewness), section 4.3 (anti-hubs).

    Examples
    --------
    >>> observed = hubness(np.array([0.0, 0.0, 0.0, 4.0]))
    >>> round(observed.skewness, 4), observed.antihubs
    (1.1547, 0.75)
    """
    deviations = occurrence - occurrence.mean()
    spread = math.sqrt(float(np.mean(deviations**2)))
    even = spread <= 1e-9 * max(1.0, float(occurrence.mean()))
    skewness = 0.0 if even else float(np.mean(deviations**3)) / spread**3
    return Hubness(skewness, float(np.mean(occurrence == 0)))


def chance_of_random_lists(n: int, k: int = NEIGHBOURS) -> Hubness:
    """Return the hubness when every list holds k random items: the k-occurrence is then binomial.

    Examples
    --------
    >>> chance = chance_of_random_lists(1000)
    >>> round(chance.skewness, 3), round(chance.antihubs, 6)
    (0.311, 4.3e-05)
    """
    share = k / (n - 1)
    variance = (n - 1) * share * (1 - share)
    skewness = (1 - 2 * share) / math.sqrt(variance) if variance > 0 else 0.0
    return Hubness(skewness, (1 - share) ** (n - 1))
