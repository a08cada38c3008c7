"""New normal items that are like the old ones are hardly ever called drifted; others are."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.row import Row
from retrieval.applications.anomaly.detection import Rule, detect
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.drift import ALPHA, drift_of
from retrieval.applications.anomaly.given import GivenItems

FITS = 100


def once(normal_rows, n, seed):
    return normal_rows(n, seed)


def five_times(normal_rows, n, seed):
    return np.repeat(normal_rows(n // 5, seed), 5, axis=0)


def unequally_often(normal_rows, n, seed):
    times = np.random.default_rng(seed).geometric(0.3, n)
    return np.repeat(normal_rows(n, seed), times, axis=0)[:n]


def drifts(fit_on, batches, spaces="vectors+pca:2"):
    """Return the result for the first batch, of one fit for each pair of training items and new ones."""
    found = []
    for number, (training, new) in enumerate(zip(fit_on, batches, strict=True)):
        detector = AnomalyDetector.fit(training, spaces, seed=number)
        modality = Modality.ROW if isinstance(new, list) else Modality.VECTOR
        found.append(detect(detector, GivenItems(new, modality), Rule("fdr", 0.5), as_normal=True).drift)
    return found


def error(rate, rounds):
    return 3 * np.sqrt(rate * (1 - rate) / rounds)


@pytest.mark.parametrize("make", [once, five_times, unequally_often])
def test_new_normal_items_are_hardly_ever_called_drifted(normal_rows, make):
    """Five repeats of an item counted as five items, and half of the new data were called drifted."""
    found = drifts(
        (make(normal_rows, 300, 2 * fit) for fit in range(FITS)),
        (make(normal_rows, 100, 2 * fit + 1) for fit in range(FITS)),
    )
    assert np.mean([drift.found for drift in found]) <= ALPHA + error(ALPHA, FITS)
    assert np.mean([drift.p_value <= 0.05 for drift in found]) <= 0.05 + error(0.05, FITS)


@pytest.mark.parametrize("make", [once, five_times])
def test_items_that_have_moved_are(normal_rows, make):
    found = drifts(
        (make(normal_rows, 300, 2 * fit) for fit in range(10)),
        (make(normal_rows, 300, 2 * fit + 1) + np.float32([0, 0, 0, 0.3, 0, 0]) for fit in range(10)),
    )
    assert all(drift.found for drift in found)


def of_categories(n, seed):
    rng = np.random.default_rng(seed)
    columns = [rng.choice(list("abc"), n, p=[0.6, 0.3, 0.1]).tolist(), rng.choice(list("xy"), n, p=[0.7, 0.3]).tolist()]
    return [Row(("kind", "place"), values) for values in zip(*columns, strict=True)]


@pytest.mark.parametrize("count", [37, 300])
def test_equal_rows_of_batches_of_other_sizes_have_not_drifted(count):
    found = drifts(
        (of_categories(300, 2 * fit) for fit in range(10)),
        (of_categories(count, 2 * fit + 1) for fit in range(10)),
        "columns+pca:1",
    )
    assert not any(drift.found for drift in found)


def test_scores_that_differ_by_rounding_are_equal():
    """The score of an item differs by rounding when it is computed in a batch of another size."""
    calibration = np.repeat([1.0, 2.0, 3.0], 100)
    for rounding in (1 - 1e-6, 1 + 1e-6):
        drift = drift_of(calibration, calibration * rounding)
        assert (drift.statistic, drift.p_value) == (0, 1)
        jittered = calibration * np.random.default_rng(0).choice([1, rounding], 300)
        assert drift_of(jittered, calibration).statistic == 0
    assert drift_of(calibration, calibration + 0.01).found


def test_without_repeats_it_is_the_test_of_scipy():
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(0)
    first, second = rng.standard_normal(80), rng.standard_normal(50) + 0.3
    drift, expected = drift_of(first, second), ks_2samp(first, second)
    assert (drift.statistic, drift.p_value, drift.n) == (expected.statistic, expected.pvalue, 50)
    repeated = drift_of(np.repeat(first, 3), np.repeat(second, 7), (80, 50))
    assert (repeated.statistic, repeated.n) == (pytest.approx(expected.statistic), 350)
    assert repeated.p_value == pytest.approx(expected.pvalue, rel=0.2)
