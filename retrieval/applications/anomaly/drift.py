"""Drift: whether new normal items still look like those on which the detector was calibrated."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

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


def drift_of(calibration: ArrayLike, scores: ArrayLike) -> Drift:
    """Compare the scores of new items, all of which are normal, with the calibration scores.

    References
    ----------
    Kolmogorov-Smirnov test: Hodges, The significance probability of the Smirnov two-sample test, Arkiv för Matematik
    3(43), 1958 (as in SciPy).

    Examples
    --------
    >>> usual = np.random.default_rng(0).standard_normal(300)
    >>> drift_of(usual[:150], usual[150:]).found, drift_of(usual, usual + 1).found
    (False, True)
    """
    from scipy.stats import ks_2samp

    first, second = np.asarray(calibration, np.float64), np.asarray(scores, np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it falls back to the asymptotic p-value
        result = ks_2samp(first, second)
    return Drift(float(result.statistic), float(result.pvalue), len(second))
