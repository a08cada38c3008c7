"""Measures of a ranking of two classes, anomalies and normal items, with stratified bootstrap intervals.

Equal scores share their rank, so the measures do not depend on the order of the items. They are those of scikit-learn
(``roc_auc_score``, ``average_precision_score``); here one sort serves all bootstrap samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoders.errors import BadItemError, DimensionError
from retrieval.evaluation.significance import Interval, holm

Floats = NDArray[np.float64]
#: Bootstrap samples: as many as cost about this number of items, within limits. Intervals of many items are narrow, so
#: fewer samples suffice.
COST, FEWEST, MOST = 2e7, 200, 2000


@dataclass(frozen=True)
class Ranking:
    """Items sorted by score, strangest first, and where groups of equal scores end."""

    order: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, scores: ArrayLike) -> Ranking:
        """Sort scores (n,)."""
        values = np.asarray(scores, np.float64)
        if not np.isfinite(values).all():
            raise BadItemError("a score is not a finite number, so items cannot be ranked")
        order = np.argsort(-values, kind="stable")
        return cls(order, np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1))

    def counts(self, weights: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return the number of anomalies, and of normal items, down to the end of each group (groups,).

        Parameters
        ----------
        weights : ndarray float64 (n,)
            How often each item counts.
        positive : ndarray bool (n,)
            Which items are anomalies.
        """
        ranked, anomalous = weights[self.order], positive[self.order]
        every = np.cumsum(ranked)[self.ends]
        detected = np.cumsum(np.where(anomalous, ranked, 0))[self.ends]
        return detected, every - detected


def roc_auc(detected: Floats, alarms: Floats) -> float:
    """Return the probability that an anomaly has a larger score than a normal item; ties count one half.

    Parameters
    ----------
    detected, alarms : ndarray float64 (groups,)
        Number of anomalies, and of normal items, down to the end of each group of equal scores.

    References
    ----------
    Hanley & McNeil, The meaning and use of the area under a ROC curve, Radiology 143, 1982.

    Examples
    --------
    >>> roc_auc(np.array([1.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 1.0, 2.0]))
    0.75
    """
    steps = np.diff(alarms, prepend=0)
    below = np.append(0, detected[:-1])
    return float(((detected + below) / 2 * steps).sum() / (detected[-1] * alarms[-1]))


def average_precision(detected: Floats, alarms: Floats) -> float:
    """Return the mean precision at each anomaly; see `roc_auc`.

    Examples
    --------
    >>> round(average_precision(np.array([1.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 1.0, 2.0])), 4)
    0.8333
    """
    precision = detected / np.maximum(detected + alarms, 1)
    return float((precision * np.diff(detected, prepend=0)).sum() / detected[-1])


#: Name -> measure.
MEASURES: dict[str, Callable[[Floats, Floats], float]] = {"AUROC": roc_auc, "AP": average_precision}


@dataclass(frozen=True)
class Measured:
    """A measure with its 95% bootstrap interval, and its value in each bootstrap sample."""

    value: float
    interval: Interval
    samples: Floats


def measured(
    scores: Sequence[ArrayLike], anomalous: ArrayLike, rounds: int | None = None, seed: int = 0
) -> list[dict[str, Measured]]:
    """Measure several scores of the same items, on the same bootstrap samples.

    Anomalies and normal items are resampled apart, so that each sample has as many of both.

    Parameters
    ----------
    scores : sequence of array-like float (n,)
    anomalous : array-like bool (n,)
    rounds : int, optional
        Number of bootstrap samples; by default 200 to 2,000, fewer for more items.
    seed : int

    Returns
    -------
    list of dict of str to Measured
        For each score, the measures of `MEASURES` by name.

    Raises
    ------
    BadItemError
        When there is no anomaly or no normal item, or a score is not finite.
    DimensionError
        When the lengths differ.

    References
    ----------
    Efron & Tibshirani, An Introduction to the Bootstrap, 1993, §13.3 (percentile interval).
    """
    return [
        {name: with_interval(*both[name]) for name in MEASURES}
        for both in bootstrapped(scores, anomalous, MEASURES, rounds, seed)
    ]


def with_interval(value: Floats, samples: Floats) -> Measured:
    """Return a measure with the 95% percentile interval of its samples (rounds,)."""
    low, high = np.quantile(samples, [0.025, 0.975])
    return Measured(float(value), Interval(float(low), float(high)), samples)


def bootstrapped(
    scores: Sequence[ArrayLike],
    anomalous: ArrayLike,
    functions: Mapping[str, Callable[[Floats, Floats], Floats | float]],
    rounds: int | None = None,
    seed: int = 0,
) -> list[dict[str, tuple[Floats, Floats]]]:
    """Return functions of the rankings by several scores, of all items and of the same bootstrap samples.

    Parameters
    ----------
    scores, anomalous, rounds, seed
        See `measured`.
    functions : mapping of str to callable
        Each is given the numbers of anomalies and of normal items down to each group, as `roc_auc` is.

    Returns
    -------
    list of dict of str to (ndarray, ndarray)
        For each score and function: the value of all items (...), and those of the samples (rounds, ...).

    Raises
    ------
    BadItemError, DimensionError
    """
    positive = np.asarray(anomalous, dtype=bool)
    if any(np.shape(one) != positive.shape for one in scores):
        raise DimensionError(f"expected a score for each of {len(positive):,} items")
    if not positive.any() or positive.all():
        raise BadItemError("a ranking is measured with at least one anomaly and one normal item")
    rankings = [Ranking.of(one) for one in scores]
    samples: list[dict[str, list[Floats | float]]] = [{name: [] for name in functions} for _ in scores]
    for weights in _resampled(positive, rounds, seed):
        for ranking, values in zip(rankings, samples, strict=True):
            counts = ranking.counts(weights, positive)
            for name, function in functions.items():
                values[name].append(function(*counts))
    whole = [ranking.counts(np.ones(len(positive)), positive) for ranking in rankings]
    return [
        {name: (np.asarray(function(*counts)), np.array(values[name])) for name, function in functions.items()}
        for counts, values in zip(whole, samples, strict=True)
    ]


def _resampled(positive: NDArray[np.bool_], rounds: int | None, seed: int) -> Iterator[Floats]:
    """Yield how often each item is drawn in a bootstrap sample (n,)."""
    rng = np.random.default_rng(seed)
    strata = [np.flatnonzero(positive), np.flatnonzero(~positive)]
    for _ in range(int(np.clip(COST / len(positive), FEWEST, MOST)) if rounds is None else rounds):
        weights = np.zeros(len(positive))
        for rows in strata:
            drawn = rng.integers(0, len(rows), len(rows))
            weights[rows] = np.bincount(drawn, minlength=len(rows))
        yield weights


@dataclass(frozen=True)
class Difference:
    """The difference of a measure between two scores, by paired bootstrap.

    Attributes
    ----------
    value : float
        The first minus the second.
    interval : Interval
        95%.
    p_value : float
        Two-sided, corrected for the number of pairs (Holm).
    """

    value: float
    interval: Interval
    p_value: float

    @property
    def found(self) -> bool:
        """Whether the two differ: the interval does not hold 0, and the corrected p-value is below 5%."""
        return self.p_value < 0.05 and not self.interval.low <= 0 <= self.interval.high


def differences(pairs: Sequence[tuple[Measured, Measured]]) -> list[Difference]:
    """Compare pairs of measures of the same items and bootstrap samples.

    References
    ----------
    Efron & Tibshirani 1993, §16.4; Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    rows: list[Any] = []
    for first, second in pairs:
        drawn = first.samples - second.samples
        below, above = (1 + (drawn <= 0).sum()) / (1 + len(drawn)), (1 + (drawn >= 0).sum()) / (1 + len(drawn))
        low, high = np.quantile(drawn, [0.025, 0.975])
        rows.append((first.value - second.value, Interval(float(low), float(high)), min(1.0, 2 * min(below, above))))
    corrected = holm([p for _, _, p in rows])
    return [Difference(value, interval, float(p)) for (value, interval, _), p in zip(rows, corrected, strict=True)]
