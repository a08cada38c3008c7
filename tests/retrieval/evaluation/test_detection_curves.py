"""Curves of a ranking: their bands hold them, and the truth about as often as they say; more items make them narrow."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve

from retrieval.evaluation.detection_curves import measured_with_curves
from retrieval.evaluation.detection_measures import measured

SEEDS = 40


def drawn(normal, anomalies, shift, seed):
    rng, anomalous = np.random.default_rng(seed), np.arange(normal + anomalies) >= normal
    return rng.standard_normal(normal + anomalies) + shift * anomalous, anomalous


@pytest.mark.parametrize("levels", [2, 10**9])
def test_they_are_those_of_scikit_learn(levels):
    for seed in range(10):
        scores, anomalous = drawn(300, 50, 1.0, seed)
        scores = np.round(scores * levels) / levels
        (one,) = measured_with_curves([scores], anomalous, rounds=2)
        alarms, recall, _ = roc_curve(anomalous, scores)
        expected = [recall[alarms <= at + 1e-9].max() for at in one.recall.at]
        np.testing.assert_allclose(one.recall.values, expected)
        precision, recall, _ = precision_recall_curve(anomalous, scores)  # recall falls
        expected = [precision[recall >= at - 1e-9][-1] for at in one.precision.at]
        np.testing.assert_allclose(one.precision.values, expected)


def test_measures_are_those_of_the_same_bootstrap_samples():
    scores, anomalous = drawn(200, 40, 1.0, 0)
    (one,), (other,) = measured_with_curves([scores], anomalous, 50, 3), measured([scores], anomalous, 50, 3)
    for name, value in other.items():
        assert one.measures[name].value == value.value
        assert (one.measures[name].samples == value.samples).all()


@pytest.mark.parametrize(("normal", "anomalies"), [(60, 20), (1000, 100), (3000, 30)])
@pytest.mark.parametrize("shift", [0.0, 1.5, 50.0])
def test_bands_hold_their_curves(normal, anomalies, shift):
    for seed in range(5):
        scores, anomalous = drawn(normal, anomalies, shift, seed)
        for values in (scores, np.round(scores)):
            (one,) = measured_with_curves([values], anomalous, rounds=100, seed=seed)
            for curve in (one.recall, one.precision):
                assert (curve.low <= curve.values + 1e-12).all()
                assert (curve.values <= curve.high + 1e-12).all()
                assert (curve.low >= 0).all()
                assert (curve.high <= 1).all()


@pytest.mark.parametrize(("normal", "anomalies"), [(200, 60), (1000, 100), (3000, 30)])
def test_bands_of_random_scores_hold_the_diagonal_and_the_base_rate(normal, anomalies):
    """Percentiles of the samples alone hold it in 2 % of cases where no anomaly is among the few first items."""
    diagonal, base = [], []
    for seed in range(SEEDS):
        (one,) = measured_with_curves([drawn(normal, anomalies, 0.0, seed)[0]], np.arange(normal + anomalies) >= normal,
                                      rounds=100, seed=seed)  # fmt: skip
        diagonal.append((one.recall.low <= one.recall.at) & (one.recall.at <= one.recall.high))
        rate = anomalies / (normal + anomalies)
        base.append((one.precision.low <= rate) & (rate <= one.precision.high))
    assert np.mean(diagonal, axis=0).min() >= 0.85
    assert np.mean(base, axis=0).min() >= 0.85
    assert np.mean(diagonal) >= 0.93
    assert np.mean(base) >= 0.93


def test_bands_leave_out_what_is_not_so():
    scores, anomalous = drawn(2000, 400, 1.5, 0)
    (one,) = measured_with_curves([scores], anomalous, rounds=200)
    inner = np.array(one.recall.at) < 0.9
    assert (one.recall.low > one.recall.at)[inner].all()  # not those of a random order
    assert (one.precision.low > 400 / 2400)[:-1].all()


def test_bands_become_narrow_with_the_root_of_the_number_of_items():
    widths = []
    for factor in (1, 16):
        made = [measured_with_curves([drawn(200 * factor, 100 * factor, 1.5, seed)[0]],
                                     np.arange(300 * factor) >= 200 * factor, rounds=100)[0] for seed in range(5)]  # fmt: skip
        # the small test has no point below one normal item of 200
        widths.append([
            np.mean([(one.recall.high - one.recall.low)[-6:].mean() for one in made]),
            np.mean([(one.precision.high - one.precision.low).mean() for one in made]),
        ])  # fmt: skip
    for small, large in zip(*widths, strict=True):
        assert small / 6 <= large <= small / 2.5
