"""Seeds are part of the test: equal methods are seldom called different by their luck with the seed."""

import numpy as np
import pytest
from scipy import stats

from retrieval.evaluation.difference import Verdict
from retrieval.evaluation.multiple_comparison import multiple_comparison
from retrieval.evaluation.seed_variance import StandardError, with_seeds


def fitted(rng: np.random.Generator, queries: np.ndarray, mean: float, spread: float, seeds: int = 3):
    """Return the mean over the seeds of every query, and the mean of every seed."""
    luck = rng.normal(0, spread, (seeds, 1))
    values = queries + mean + luck + rng.normal(0, 0.1, (seeds, len(queries)))
    return values.mean(axis=0), values.mean(axis=1)


def test_equal_methods_are_seldom_called_different_by_luck():
    rng = np.random.default_rng(0)
    wrong = without = 0
    for _ in range(80):
        queries = rng.normal(0.5, 0.2, 200)
        runs = {name: fitted(rng, queries, 0.0, 0.05) for name in "abc"}
        values = {name: run[0] for name, run in runs.items()}
        seeds = {name: run[1] for name, run in runs.items()}
        found = multiple_comparison(values, means_of_seeds=seeds, rounds=300)
        wrong += any(one.is_significant for one in found.differences)
        without += any(one.is_significant for one in multiple_comparison(values, rounds=300).differences)
    assert wrong <= 0.06 * 80
    assert without > 0.5 * 80  # what is wrong when the seed is forgotten


def test_a_large_difference_is_found_with_three_seeds():
    rng = np.random.default_rng(1)
    queries = rng.normal(0.5, 0.2, 200)
    runs = {name: fitted(rng, queries, mean, 0.01) for name, mean in (("a", 0.3), ("b", 0.0))}
    found = multiple_comparison(
        {name: run[0] for name, run in runs.items()}, means_of_seeds={name: run[1] for name, run in runs.items()}
    )
    assert found.of("a", "b").verdict is Verdict.BETTER


def test_the_interval_leaves_out_0_exactly_when_the_difference_is_significant():
    rng = np.random.default_rng(2)
    seen = set()
    for _ in range(60):
        queries = rng.normal(0.5, 0.2, 60)
        runs = {name: fitted(rng, queries, mean, 0.02) for name, mean in (("a", 0.1), ("b", 0.0), ("c", 0.05))}
        found = multiple_comparison(
            {name: run[0] for name, run in runs.items()},
            means_of_seeds={name: run[1] for name, run in runs.items()},
            rounds=500,
        )
        for one in found.differences:
            assert one.is_significant == (one.interval.low > 0 or one.interval.high < 0)
            seen.add(one.is_significant)
    assert seen == {True, False}


def test_seeds_that_agree_change_nothing():
    rng = np.random.default_rng(3)
    values = {name: rng.random(50) for name in "ab"}
    same = {name: np.full(3, value.mean()) for name, value in values.items()}
    assert multiple_comparison(values, means_of_seeds=same) == multiple_comparison(values)
    assert multiple_comparison(values, means_of_seeds={"a": [0.5]}) == multiple_comparison(values)


def test_more_queries_do_not_settle_what_the_seeds_leave_open():
    rng = np.random.default_rng(4)
    queries = rng.normal(0.5, 0.2, 500)
    values = {"a": queries + 0.02 + rng.normal(0, 0.1, 500), "b": queries}
    seeds = {"a": [0.4, 0.5, 0.66], "b": [0.45, 0.5, 0.55]}
    found = multiple_comparison(values, means_of_seeds=seeds).differences[0]
    assert (found.verdict, found.more_queries) == (Verdict.CANNOT_TELL, None)


@pytest.mark.parametrize("statistic", [0.1, 2.0, 30.0, 1e6])
def test_statistics_are_translated_by_their_p_value(statistic):
    error = StandardError(1.0, 2.7)
    there = error.as_of(99, statistic)
    if statistic < 1e6:  # beyond it, both p-values are 0 in floating point
        assert stats.t.sf(there, 99) == pytest.approx(stats.t.sf(statistic, 2.7), rel=1e-6)
        assert error.from_of(99, there) == pytest.approx(statistic, rel=1e-6)
    assert there < statistic
    assert StandardError(1.0, 99.0).as_of(99, statistic) == statistic


def test_the_variances_add():
    error = with_seeds(0.03, 41, [0.1, 0.2], [0.3])
    assert error.value == pytest.approx(np.hypot(0.03, np.std([0.1, 0.2], ddof=1) / np.sqrt(2)))
    assert 1 < error.freedom < 40
    assert with_seeds(0.03, 41) == StandardError(0.03, 40.0)


def test_ranks_are_as_uncertain_as_the_seeds():
    """Thousands of queries knew the rank of every space for certain, although another seed would have changed it."""
    queries = np.random.default_rng(6).normal(0.5, 0.01, 2000)
    values = {"a": queries + 0.005, "b": queries}
    seeds = {"a": [0.45, 0.51, 0.555], "b": [0.56, 0.44, 0.5]}
    assert multiple_comparison(values, rounds=100).ranks == {"a": (1, 1), "b": (2, 2)}
    assert multiple_comparison(values, means_of_seeds=seeds, rounds=100).ranks == {"a": (1, 2), "b": (1, 2)}
    agreeing = {"a": [0.505, 0.505], "b": [0.5, 0.5]}
    assert multiple_comparison(values, means_of_seeds=agreeing, rounds=100).ranks == {"a": (1, 1), "b": (2, 2)}
