"""The randomisation test against full enumeration and SciPy; Holm's correction; the bootstrap."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from encoders.errors import BadItemError, DimensionError
from retrieval.evaluation.significance import bootstrap_interval, holm, randomisation_test


def test_p_value_is_near_that_of_all_assignments() -> None:
    rng = np.random.default_rng(0)
    for _ in range(3):
        difference = rng.integers(-3, 6, 11) / 10  # steps of .1: many assignments tie with the observed one
        sums = np.abs(np.array(list(product((-1, 1), repeat=11))) @ difference)
        exact = np.mean(sums >= abs(difference.sum()) - 1e-9)
        found = randomisation_test(difference, np.zeros(11), rounds=20_000)
        assert found == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-4)


def test_p_value_agrees_with_scipy() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.random(40), rng.random(40) * 0.85
    test = stats.permutation_test(
        (first, second), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=4000, rng=rng
    )
    assert randomisation_test(first, second) == pytest.approx(test.pvalue, abs=0.04)


def test_p_values_are_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(2)
    p = [randomisation_test(rng.random(30), rng.random(30), rounds=500, seed=i) for i in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_blocks_change_nothing_but_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    first, second = rng.random(48) + 0.1, rng.random(48)
    whole = randomisation_test(first, second)
    monkeypatch.setattr("retrieval.evaluation.significance._BLOCK", 48 * 7)
    assert randomisation_test(first, second) == pytest.approx(whole, abs=0.02)


def test_the_same_seed_gives_the_same_p_and_either_order() -> None:
    first, second = np.random.default_rng(4).random((2, 50))
    p = randomisation_test(first, second, seed=7)
    assert p == randomisation_test(first, second, seed=7) == randomisation_test(second, first, seed=7)
    assert p != randomisation_test(first, second, seed=8)


def test_p_is_never_zero_and_no_difference_is_one() -> None:
    assert randomisation_test(np.ones(100), np.zeros(100), rounds=999) == 1 / 1000
    assert randomisation_test([0.3], [0.3]) == 1.0
    assert randomisation_test([1.0], [0.0]) == 1.0
    assert randomisation_test([], []) == 1.0


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm([0.04, 0.01, 0.03, 0.5]), [0.09, 0.04, 0.09, 0.5])
    assert holm([]).tolist() == []
    assert holm([0.9, 0.8]).max() == 1.0


def test_bootstrap_agrees_with_scipy() -> None:
    values = np.random.default_rng(6).random(200)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=5000, rng=0).confidence_interval
    assert bootstrap_interval(values) == pytest.approx((theirs.low, theirs.high), abs=0.005)
    wide, narrow = bootstrap_interval(values, 0.99), bootstrap_interval(values, 0.5)
    assert wide.low < narrow.low < values.mean() < narrow.high < wide.high


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(DimensionError, match="same queries"):
        randomisation_test([0.1, 0.2], [0.1])
    with pytest.raises(BadItemError, match="not a finite number"):
        randomisation_test([0.1, float("nan")], [0.1, 0.2])
    with pytest.raises(DimensionError, match="at least one query"):
        bootstrap_interval([])


def test_the_order_of_queries_changes_no_p_value_and_no_interval():
    rng = np.random.default_rng(5)
    first, second = rng.random(60).round(1), rng.random(60).round(1)
    p_value, interval = randomisation_test(first, second, rounds=500), bootstrap_interval(first, rounds=500)
    assert 0.01 < p_value < 0.99
    assert randomisation_test(second, first, rounds=500) == p_value
    for _ in range(3):
        order = rng.permutation(60)
        assert randomisation_test(first[order], second[order], rounds=500) == p_value
        assert bootstrap_interval(first[order], rounds=500) == interval
