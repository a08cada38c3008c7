"""Intrinsic dimension: how many numbers would describe the neighbourhoods of a space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Neighbours of the maximum likelihood estimate.
NEIGHBOURS = 20
#: Share of the largest ratios that TwoNN leaves out (Facco et al. use 10%).
DISCARDED = 0.1
#: Fewest distinct items of an estimate.
MIN_ITEMS = 50


def nearest_distances(distances: Floats, k: int = NEIGHBOURS) -> Floats:
    """Return the k smallest distances of every item from others, ascending, (n, k).

    Parameters
    ----------
    distances : ndarray float64 (n, n)
        The diagonal is not read.
    k : int
    """
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    return np.sort(np.partition(others, k - 1, axis=1)[:, :k], axis=1)


def two_nn(nearest: Floats, discarded: float = DISCARDED) -> float:
    """Return the TwoNN estimate: the slope of -log(1 - F) over the logarithm of r2 / r1, through the origin.

    Parameters
    ----------
    nearest : ndarray float64 (n, 2 or more)
        Distances to the nearest and second nearest item, ascending. Items with a nearest distance of 0 are left out.
    discarded : float
        Share of the largest ratios that is left out.

    Returns
    -------
    float
        NaN with fewer than three ratios above 1, of which no line can be drawn.

    References
    ----------
    Facco, d'Errico, Rodriguez & Laio, Estimating the intrinsic dimension of datasets by a minimal neighborhood
    information, Scientific Reports 7, 2017. A test compares it with ``skdim.id.TwoNN(method="linear")``.

    Examples
    --------
    >>> points = np.random.default_rng(0).uniform(size=(500, 2))
    >>> distances = np.linalg.norm(points[:, None] - points, axis=2)
    >>> 1.8 < two_nn(nearest_distances(distances, 2)) < 2.2
    True
    """
    apart = nearest[nearest[:, 0] > 0]
    ratios = np.sort(np.log(apart[:, 1] / apart[:, 0]))
    kept = ratios[: int(len(ratios) * (1 - discarded))]
    if np.count_nonzero(kept) < 3:
        return float("nan")
    cumulated = -np.log(1 - np.arange(1, len(kept) + 1) / len(ratios))
    return float(kept @ cumulated / (kept @ kept))


def levina_bickel(nearest: Floats) -> float:
    """Return the maximum likelihood estimate over the given neighbours, the local ones combined by harmonic mean.

    Parameters
    ----------
    nearest : ndarray float64 (n, k)
        Distances to the k nearest items, ascending. Items with a nearest distance of 0 are left out.

    Returns
    -------
    float
        NaN when no item is left, or all k distances are equal.

    References
    ----------
    Levina & Bickel, Maximum likelihood estimation of intrinsic dimension, NIPS 2004, equation 8; combined as MacKay &
    Ghahramani proposed in 2005. A test compares it with ``skdim.id.MLE``.

    Examples
    --------
    >>> levina_bickel(np.array([[1.0, np.e, np.e**2]]))
    0.6666666666666666
    """
    apart = nearest[nearest[:, 0] > 0]
    sums = np.log(apart[:, -1:] / apart).sum(axis=1)
    total = float(sums.mean()) if len(sums) else 0.0
    return (nearest.shape[1] - 1) / total if total > 0 else float("nan")
