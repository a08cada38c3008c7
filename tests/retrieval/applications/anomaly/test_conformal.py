"""Conformal p-values: uniform for normal items, whatever their number and ties; and the two rules that flag by them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control, kstest

from encoders.errors import BadItemError, OptionError
from retrieval.applications.anomaly.conformal import (
    benjamini_hochberg,
    needed_items,
    p_values,
    require_calibration,
    smallest_p_value,
)


def simulated(n: int, rounds: int, ties: str = "conservative", levels: int | None = None) -> np.ndarray:
    """One p-value of a normal item for each of many sets of calibration scores."""
    rng = np.random.default_rng(n)
    found = []
    for number in range(rounds):
        scores = rng.standard_normal(n + 1) if levels is None else rng.integers(0, levels, n + 1).astype(float)
        found.append(p_values(scores[:n], scores[n:], ties, seed=number)[0])
    return np.array(found)


@pytest.mark.parametrize("n", [1, 9, 40])
def test_p_values_of_normal_items_are_uniform_on_their_steps(n):
    steps = np.rint(simulated(n, 8000) * (n + 1)).astype(int)
    counts = np.bincount(steps, minlength=n + 2)[1:]
    assert counts.sum() == 8000
    expected = 8000 / (n + 1)
    assert ((counts - expected) ** 2 / expected).sum() < n + 5 * np.sqrt(2 * n) + 5  # chi-squared with n degrees


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("levels", [None, 3])
def test_no_more_normal_items_are_flagged_than_asked(rate, levels):
    found = simulated(99, 6000, levels=levels)
    allowed = 4 * np.sqrt(rate * (1 - rate) / 6000)
    assert (found <= rate).mean() <= rate + allowed
    if levels is None:  # and not fewer
        assert (found <= rate).mean() >= rate - allowed


def test_random_ties_make_them_uniform_where_most_scores_are_equal():
    conservative, random = simulated(20, 4000, levels=2), simulated(20, 4000, "random", levels=2)
    assert kstest(random, "uniform").pvalue > 0.001
    assert kstest(conservative, "uniform").pvalue < 1e-6
    assert random.min() > 0


def test_it_is_the_definition():
    rng = np.random.default_rng(0)
    calibration, scores = rng.integers(0, 9, 30), rng.integers(0, 9, 50)
    by_hand = [(1 + sum(known >= one for known in calibration)) / 31 for one in scores]
    assert p_values(calibration, scores).tolist() == pytest.approx(by_hand)


def test_order_and_company_change_nothing():
    rng = np.random.default_rng(1)
    calibration, scores = rng.random(50), rng.random(40)
    together = p_values(calibration, scores)
    order = rng.permutation(40)
    assert (p_values(rng.permutation(calibration), scores[order]) == together[order]).all()
    assert [p_values(calibration, [one])[0] for one in scores] == together.tolist()
    for change in (np.exp, lambda x: 3 * x - 7):  # only ranks count
        assert (p_values(change(calibration), change(scores)) == together).all()
    flagged = benjamini_hochberg(together, 0.9)
    assert 0 < flagged.sum() < 40
    assert (benjamini_hochberg(together[order], 0.9) == flagged[order]).all()


def test_the_false_discovery_rate_is_not_above_the_asked_one():
    rng = np.random.default_rng(2)
    shares, power = [], []
    for _ in range(400):
        calibration = rng.standard_normal(400)
        scores = np.append(rng.standard_normal(90), rng.standard_normal(10) + 5)
        flagged = benjamini_hochberg(p_values(calibration, scores), 0.2)
        shares.append(flagged[:90].sum() / max(1, flagged.sum()))
        power.append(flagged[90:].mean())
    assert np.mean(shares) <= 0.2
    assert np.mean(shares) > 0.05  # it is not safe by flagging nothing
    assert np.mean(power) > 0.9


def test_it_is_benjamini_and_hochberg():
    rng = np.random.default_rng(3)
    for _ in range(50):
        p = rng.random(30) ** 3
        assert (benjamini_hochberg(p, 0.1) == (false_discovery_control(p) <= 0.1)).all()
    assert benjamini_hochberg([], 0.1).tolist() == []


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.1, 0.003, 0.5, 1 / 3])
def test_the_smallest_number_of_items_is_the_smallest(rate):
    n = needed_items(rate)
    assert smallest_p_value(n) <= rate
    assert n == 0 or smallest_p_value(n - 1) > rate


def test_a_p_value_on_the_rate_is_flagged_for_every_number_of_items():
    for n in range(99, 2000, 100):  # with one more, (n + 1) / 100 are at least as strange
        p = p_values(np.arange(n, dtype=float), [n - (n + 1) // 100 + 0.5])
        assert p[0] <= 0.01 < p[0] + 1 / (n + 1)


def test_too_few_items_are_said_with_the_number_needed():
    with pytest.raises(
        OptionError, match=r"1% needs at least 99 held-out normal items, and this detector has 98: .* 1.1%"
    ):
        require_calibration(98, 0.01, "--false-alarms")
    require_calibration(99, 0.01, "--false-alarms")


def test_bad_numbers_are_refused():
    with pytest.raises(BadItemError, match="score 1 is not a number"):
        p_values([1.0, float("nan")], [1.0])
    with pytest.raises(BadItemError, match="there are none"):
        p_values([], [1.0])
    with pytest.raises(OptionError, match="'conservative' or 'random'"):
        p_values([1.0], [1.0], "both")


def test_scores_that_differ_by_rounding_are_equal():
    """The score of an item differs by rounding when it is computed alone and in a batch."""
    calibration = np.repeat([1.0, 2.0, 3.0], 30)
    exact = p_values(calibration, [1.0, 2.0, 3.0])
    for rounding in (1 - 1e-6, 1 + 1e-6):
        np.testing.assert_array_equal(p_values(calibration, np.array([1.0, 2.0, 3.0]) * rounding), exact)
        np.testing.assert_array_equal(
            p_values(calibration, np.array([1.0, 2.0, 3.0]) * rounding, ties="random"),
            p_values(calibration, [1.0, 2.0, 3.0], ties="random"),
        )
