"""Drift: whether new normal items still look like those on which the detector was calibrated."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retrieval.applications.anomaly.conformal import SAME

#: A p-value below this is a warning.
ALPHA = 0.01


@dataclass(frozen=True)
class Drift:
    """A comparison of the scores of new normal items with the calibration scores.

    Attributes
    ----------
    statistic : float
        Largest difference between the two shares of scores below a value, from 0 to 1.
    p_value : float
        Of the two-sample Kolmogorov-Smirnov test: how often samples of one distribution differ as much.
    n : int
        Number of new items.
    """

    statistic: float
    p_value: float
    n: int

    @property
    def found(self) -> bool:
        """Whether the scores differ."""
        return self.p_value < ALPHA


def drift_of(calibration: ArrayLike, scores: ArrayLike, sizes: tuple[float, float] | None = None) -> Drift:
    """Compare the scores of new items, all of which are normal, with the calibration scores.

    Scores that differ by rounding are equal: an item scored in a batch of another size has not drifted.

    Parameters
    ----------
    calibration : array-like float (n,)
    scores : array-like float (m,)
    sizes : tuple of float, optional
        How many single items each sample is worth, see `effective_size`; by default n and m.

    References
    ----------
    Kolmogorov-Smirnov test: Hodges, The significance probability of the Smirnov two-sample test, Arkiv för Matematik
    3(43), 1958 (as in SciPy); with weights: Monahan, Numerical Methods of Statistics, 2nd edition, 2011, §12.4.

    Examples
    --------
    >>> usual = np.random.default_rng(0).standard_normal(300)
    >>> drift_of(usual[:150], usual[150:]).found, drift_of(usual, usual + 1).found
    (False, True)
    """
    from scipy.stats import ks_2samp, kstwo

    known = np.sort(np.asarray(calibration, np.float64))
    first, second = _without_rounding(known, known), _without_rounding(known, np.asarray(scores, np.float64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it falls back to the asymptotic p-value
        result = ks_2samp(first, second)
    statistic, p = float(result.statistic), float(result.pvalue)
    if sizes is not None and (sizes[0] < len(first) or sizes[1] < len(second)):
        p = float(kstwo.sf(statistic, max(1, round(sizes[0] * sizes[1] / (sizes[0] + sizes[1])))))
    return Drift(statistic, p, len(second))


def effective_size(groups: NDArray[np.int64]) -> float:
    """Return how many single items a sample with repeats is worth: the fewer, the more unequal the repeats.

    Parameters
    ----------
    groups : ndarray int64 (n,)
        Equal items have one group; see `repeats.groups_of`.

    References
    ----------
    Kish, Survey Sampling, 1965, §11.7.

    Examples
    --------
    >>> effective_size(np.array([0, 1, 2])), effective_size(np.array([0, 0, 1, 1])), effective_size(np.array([0, 0, 1]))
    (3.0, 2.0, 1.8)
    """
    counts = np.unique(groups, return_counts=True)[1].astype(np.float64)
    return float(len(groups) ** 2 / np.square(counts).sum())


def _without_rounding(known: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scores, those nearly equal to a calibration score as the smallest such one; `known` is ascending."""
    at = np.minimum(np.searchsorted(known, scores - SAME * np.abs(scores), side="left"), len(known) - 1)
    return np.where(known[at] <= scores + SAME * np.abs(scores), known[at], scores)
