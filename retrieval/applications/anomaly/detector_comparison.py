"""What a comparison of anomaly detectors found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.anomaly.strangest import ExplainedItem
from retrieval.evaluation.detection_curves import Curve
from retrieval.evaluation.detection_measures import Difference, Measured
from retrieval.evaluation.significance import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DetectorResult:
    """How well one detector finds the anomalies.

    Attributes
    ----------
    name : str
        The spec of the space, or the name of a baseline.
    score : str
        The name of the score.
    is_baseline : bool
    auroc, average_precision : Measured
    recall_curve : Curve
        Recall by the share of normal test items that are flagged.
    precision_curve : Curve
        Precision by recall.
    recall, precision : float
        Of the flagged items; the precision is NaN if none is flagged.
    false_alarms : float
        Share of the normal test items that are flagged.
    false_alarms_interval : Interval
        95% (Wilson).
    excess_p_value : float
        How often as many normal test items are flagged by chance, if they are like the held-out ones.
    against_best : Difference or None
        The AUROC of the best space minus its own; None for the best one.
    scores, calibration : ndarray float64
        Of the test items, and of the held-out ones.
    p_values : ndarray float64
        Of the test items.
    training : ndarray float64
        Scores of some training items.
    threshold : float
        The score above which items are flagged.
    letters : str
        Detectors that share a letter were not found to differ in AUROC, all pairs compared.
    detectable : float
        The difference of AUROC to the best space that is found four times in five; 0 for the best one.
    """

    name: str
    score: str
    is_baseline: bool
    auroc: Measured
    average_precision: Measured
    recall_curve: Curve
    precision_curve: Curve
    recall: float
    precision: float
    false_alarms: float
    false_alarms_interval: Interval
    excess_p_value: float
    against_best: Difference | None
    scores: Floats
    calibration: Floats
    p_values: Floats
    training: Floats
    threshold: float
    letters: str
    detectable: float


@dataclass(frozen=True)
class DetectorComparison:
    """A comparison of detectors on the same test items.

    Attributes
    ----------
    corpus : str
    normal : list of str
        Labels of the normal items.
    n_training, n_held_out, n_normal, n_anomalies : int
        Numbers of normal items to train, to calibrate and to test, and of anomalies.
    rate : float
        The rate of false alarms asked.
    results : list of DetectorResult
        The spaces in the order in which they were named, then the baselines.
    anomalous : ndarray bool (n,)
        Which test items are anomalies.
    ids, labels : list
        Of the test items.
    titles : dict of int to str
        Position -> title, of the strangest test items of the best space.
    groups : list of list of int
        The positions of the test items with the largest scores in the best space, strangest first; items of the same
        content stand together.
    explained : list of ExplainedItem
        Why the strangest of them are strange, in their order.
    """

    corpus: str
    normal: list[str]
    n_training: int
    n_held_out: int
    n_normal: int
    n_anomalies: int
    rate: float
    results: list[DetectorResult]
    anomalous: NDArray[np.bool_]
    ids: list[str]
    labels: list[str | None]
    titles: dict[int, str]
    groups: list[list[int]]
    explained: list[ExplainedItem]

    @property
    def best(self) -> DetectorResult:
        """The space with the highest AUROC."""
        return best_of(self.results)

    @property
    def strangest(self) -> list[int]:
        """The first position of each of the `groups`."""
        return [group[0] for group in self.groups]

    def identical_ids(self, group: Sequence[int]) -> list[str]:
        """Return the ids of the other items of a group."""
        return [self.ids[row] for row in group[1:]]

    @property
    def base_rate(self) -> float:
        """The share of anomalies in the test: the average precision of a random ranking."""
        return self.n_anomalies / (self.n_anomalies + self.n_normal)


def best_of(results: Sequence[DetectorResult]) -> DetectorResult:
    """Return the space with the highest AUROC; baselines do not count."""
    return max((one for one in results if not one.is_baseline), key=lambda one: one.auroc.value)
