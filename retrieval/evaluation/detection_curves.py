"""Curves of a ranking of anomalies and normal items, with pointwise bootstrap bands: recall by false alarms (ROC), and
precision by recall.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retrieval.evaluation.detection_measures import MEASURES, Measured, bootstrapped, with_interval
from retrieval.evaluation.false_alarms import wilson_interval

Floats = NDArray[np.float64]
#: Shares of normal items at which recall is shown, and recalls at which precision is shown.
ALARMS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
RECALLS = tuple(round(0.1 * step, 1) for step in range(1, 11))
#: A share times a number of items is a whole number but for rounding.
_ROUNDING = 1e-9


def recall_counts(detected: Floats, alarms: Floats, at: Sequence[float] = ALARMS) -> Floats:
    """Return how many anomalies are found, and how many there are, where at most a share of normal items is flagged.

    Parameters
    ----------
    detected, alarms : ndarray float64 (groups,)
        Number of anomalies, and of normal items, down to the end of each group of equal scores.
    at : sequence of float
        Shares of the normal items.

    Returns
    -------
    ndarray float64 (2, points)
        The quotient is the recall.

    References
    ----------
    Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27, 2006.

    Examples
    --------
    >>> recall_counts(np.array([1.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 1.0, 2.0]), (0.0, 0.5, 1.0)).tolist()
    [[1.0, 2.0, 2.0], [2.0, 2.0, 2.0]]
    """
    allowed = np.floor(np.asarray(at) * alarms[-1] + _ROUNDING)
    hits = np.append(0.0, detected)[np.searchsorted(alarms, allowed, side="right")]
    return np.stack([hits, np.full(len(hits), detected[-1])])


def precision_counts(detected: Floats, alarms: Floats, at: Sequence[float] = RECALLS) -> Floats:
    """Return how many anomalies, and how many items, are flagged where each recall is reached first.

    Returns
    -------
    ndarray float64 (2, points)
        The quotient is the precision.

    References
    ----------
    Davis & Goadrich, The relationship between precision-recall and ROC curves, ICML 2006.

    Examples
    --------
    >>> precision_counts(np.array([1.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 1.0, 2.0]), (0.5, 1.0)).tolist()
    [[1.0, 2.0], [1.0, 3.0]]
    """
    needed = np.maximum(1, np.ceil(np.asarray(at) * detected[-1] - _ROUNDING))
    first = np.searchsorted(detected, needed, side="left")
    return np.stack([detected[first], detected[first] + alarms[first]])


@dataclass(frozen=True)
class Curve:
    """A curve with its 95% bootstrap band, point by point.

    Attributes
    ----------
    at : tuple of float
        Where it was measured: shares of the normal items, or recalls.
    values, low, high : ndarray float64 (points,)
    """

    at: tuple[float, ...]
    values: Floats
    low: Floats
    high: Floats


class MeasuredRanking(NamedTuple):
    """A ranking measured on one set of bootstrap samples: AUROC and AP by name, and both curves."""

    measures: dict[str, Measured]
    recall: Curve
    precision: Curve


def measured_with_curves(
    scores: Sequence[ArrayLike], anomalous: ArrayLike, rounds: int | None = None, seed: int = 0
) -> list[MeasuredRanking]:
    """Measure several scores of the same items as `measured` does, and their curves on the same bootstrap samples.

    Recall is measured at those `ALARMS` that are at least one normal item. A band is as wide as the Wilson interval of
    the share at least: where no anomaly is found, none is in any sample, and the samples alone would say that none ever
    is; the same at the anomaly with the smallest score.

    Parameters
    ----------
    scores : sequence of array-like float (n,)
    anomalous : array-like bool (n,)
    rounds : int, optional
    seed : int

    Raises
    ------
    BadItemError, DimensionError

    References
    ----------
    Macskassy, Provost & Rosset, ROC confidence bands: an empirical evaluation, ICML 2005 (pointwise, by bootstrap).
    """
    n_normal = int((~np.asarray(anomalous, dtype=bool)).sum())
    alarms = tuple(share for share in ALARMS if share * n_normal >= 1)
    functions: dict[str, Callable[[Floats, Floats], Floats | float]] = {
        **MEASURES,
        "recall": lambda detected, flagged: recall_counts(detected, flagged, alarms),
        "precision": precision_counts,
    }
    return [
        MeasuredRanking(
            {name: with_interval(*both[name]) for name in MEASURES},
            _with_band(alarms, *both["recall"]),
            _with_band(RECALLS, *both["precision"]),
        )
        for both in bootstrapped(scores, anomalous, functions, rounds, seed)
    ]


def _with_band(at: tuple[float, ...], counts: Floats, samples: Floats) -> Curve:
    """Return a curve from its counts (2, points) and those of the samples (rounds, 2, points)."""
    low, high = np.quantile(samples[:, 0] / samples[:, 1], [0.025, 0.975], axis=0)
    binomial = np.array([wilson_interval(hits, count) for hits, count in counts.T.tolist()])
    return Curve(at, counts[0] / counts[1], np.minimum(low, binomial[:, 0]), np.maximum(high, binomial[:, 1]))
