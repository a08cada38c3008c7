"""AUROC and average precision: those of scikit-learn, with intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score

from encoders.errors import BadItemError, DimensionError
from retrieval.evaluation.detection_measures import differences, measured


@pytest.mark.parametrize("levels", [3, 10**9])
def test_they_are_those_of_scikit_learn(levels):
    rng = np.random.default_rng(levels)
    for _ in range(20):
        labels, scores = rng.random(60) < 0.3, rng.integers(0, levels, 60).astype(float)
        labels[:2] = True, False
        (found,) = measured([scores], labels, rounds=2)
        assert found["AUROC"].value == pytest.approx(roc_auc_score(labels, scores))
        assert found["AP"].value == pytest.approx(average_precision_score(labels, scores))


def test_order_and_scale_change_nothing_and_turned_scores_turn_it():
    rng = np.random.default_rng(0)
    labels, scores, order = np.arange(80) < 20, rng.standard_normal(80), rng.permutation(80)
    (one,) = measured([scores], labels, rounds=2)
    (other,) = measured([np.exp(scores[order])], labels[order], rounds=2)
    (turned,) = measured([-scores], labels, rounds=2)
    for name in one:
        assert one[name].value == pytest.approx(other[name].value)
    assert turned["AUROC"].value == pytest.approx(1 - one["AUROC"].value)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    truth = norm.cdf(1 / np.sqrt(2))
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        scores = np.append(rng.standard_normal(100), rng.standard_normal(60) + 1)
        (found,) = measured([scores], np.arange(160) >= 100, rounds=200, seed=seed)
        low, high = found["AUROC"].interval
        assert low <= found["AUROC"].value <= high
        held += low <= truth <= high
    assert 50 <= held <= 60


def test_a_difference_is_found_where_there_is_one():
    rng = np.random.default_rng(0)
    labels = np.arange(300) < 100
    good, bad = labels + rng.standard_normal(300), 0.1 * labels + rng.standard_normal(300)
    first, same, worse = measured([good, good + 0.01 * rng.random(300), bad], labels, rounds=300)
    none, found = differences([(first["AUROC"], same["AUROC"]), (first["AUROC"], worse["AUROC"])])
    assert not none.found
    assert none.interval.low <= 0 <= none.interval.high
    assert found.found
    assert found.interval.low > 0
    assert found.value == pytest.approx(first["AUROC"].value - worse["AUROC"].value)
    assert differences([]) == []


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(BadItemError, match="at least one anomaly and one normal"):
        measured([[1.0, 2.0]], [True, True])
    with pytest.raises(BadItemError, match="not a finite number"):
        measured([[1.0, float("inf")]], [True, False])
    with pytest.raises(DimensionError, match="each of 2 items"):
        measured([[1.0, 2.0, 3.0]], [True, False])
