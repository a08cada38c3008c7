"""All pairs at once: the family-wise error is kept, and nothing is said that the queries cannot show."""

from __future__ import annotations

import math
import tracemalloc
from itertools import combinations

import numpy as np
import pytest

from encoders.errors import BadItemError, DimensionError, OptionError
from retrieval.evaluation.difference import Verdict
from retrieval.evaluation.letter_display import letter_display
from retrieval.evaluation.multiple_comparison import MultipleComparison, multiple_comparison
from retrieval.evaluation.significance import holm, randomisation_test


def measured(rng, n_queries: int, shifts, spread: float = 1.0) -> dict[str, np.ndarray]:
    """Return P@10 of spaces that answer queries of different difficulty, better by `shifts`."""
    difficulty = rng.normal(size=(n_queries, 1))
    values = 1 / (1 + np.exp(-(difficulty + np.asarray(shifts) + spread * rng.normal(size=(n_queries, len(shifts))))))
    return {f"space {at}": np.round(values[:, at], 1) for at in range(len(shifts))}


def different(found: MultipleComparison) -> set[tuple[str, str]]:
    return {(one.first, one.second) for one in found.differences if one.is_significant}


def test_copies_of_queries_are_one_query_to_the_test():
    """30 copies of one query made 'better' of a difference on a single query."""
    rng = np.random.default_rng(0)
    values = {"a": rng.random(40), "b": rng.random(40), "c": rng.random(40)}
    single = multiple_comparison(values)
    copied = {name: np.repeat(own, 5) for name, own in values.items()}
    found = multiple_comparison(copied, repeats=np.repeat(np.arange(40)[::-1], 5))
    assert found.n_queries == single.n_queries == 40
    for one in single.differences:
        other = found.of(one.first, one.second)
        assert (other.p_value, other.interval) == (one.p_value, pytest.approx(one.interval))
    assert not found.of("a", "b").is_significant
    alike = multiple_comparison({"a": np.full(30, 0.9), "b": np.zeros(30)}, repeats=np.zeros(30, np.int64))
    assert (alike.n_queries, alike.of("a", "b").is_significant) == (1, False)
    assert multiple_comparison({"a": np.full(30, 0.9), "b": np.zeros(30)}).of("a", "b").is_significant
    # a query that is asked more often than others counts more in the mean
    often = multiple_comparison({"a": [1.0, 1, 1, 0], "b": [0.0, 0, 0, 0]}, repeats=np.array([7, 7, 7, 3]))
    assert often.of("a", "b").difference == pytest.approx(0.75)


def test_equal_spaces_are_rarely_called_different():
    """Of 300 draws of 8 equal spaces and 40 queries, 5 % are wrong on average; 28 wrong draws have p < .001."""
    rng = np.random.default_rng(0)
    wrong = sum(bool(different(multiple_comparison(measured(rng, 40, [0] * 8), rounds=300))) for _ in range(300))
    assert 3 <= wrong <= 27  # with fewer, it would find too little


def test_it_finds_more_than_holm_over_the_same_pairs():
    rng, ours, theirs = np.random.default_rng(1), 0, 0
    for _ in range(40):
        values = measured(rng, 40, [0.8, 0, 0, 0, 0])
        ours += len(different(multiple_comparison(values, rounds=2000)))
        p_values = [randomisation_test(values[a], values[b], rounds=2000) for a, b in combinations(values, 2)]
        theirs += int((holm(p_values) < 0.05).sum())
    assert ours >= theirs > 0


def test_a_space_that_is_much_worse_hides_nothing():
    """A test with ONE critical difference for all pairs (Tukey's) becomes blind when one space is far away."""
    rng = np.random.default_rng(2)
    values = measured(rng, 60, [0.6, 0, 0, 0, -5], spread=0.5)
    assert {second for first, second in different(multiple_comparison(values)) if first == "space 0"} >= {
        "space 1",
        "space 2",
        "space 3",
        "space 4",
    }


def test_two_spaces_are_compared_as_by_the_randomisation_test():
    values = measured(np.random.default_rng(3), 50, [0.3, 0])
    both = multiple_comparison(values, rounds=20_000).differences[0].p_value
    assert both == pytest.approx(randomisation_test(*values.values(), rounds=20_000, seed=1), abs=0.01)


@pytest.mark.parametrize("n_queries", [5, 8, 40, 300])
def test_an_interval_without_zero_means_a_significant_difference(n_queries):
    found = multiple_comparison(measured(np.random.default_rng(n_queries), n_queries, [1, 0.5, 0.2, 0.1, 0, 0]))
    assert any(one.is_significant for one in found.differences) or n_queries < 40
    for one in found.differences:
        low, high = one.interval
        assert low <= one.difference <= high
        assert one.is_significant == (low > 0 or high < 0)
        assert one.difference >= 0
        assert one.wins + one.ties + one.losses == n_queries


def test_intervals_hold_all_true_differences_at_once():
    """The true difference of every pair is 0: all intervals hold it in 95 % of the draws."""
    rng, missed = np.random.default_rng(4), 0
    for _ in range(200):
        found = multiple_comparison(measured(rng, 60, [0] * 4), rounds=400)
        missed += any(not one.interval.low <= 0 <= one.interval.high for one in found.differences)
    assert missed <= 20


def test_the_detectable_difference_is_found_in_about_eight_of_ten_draws():
    rng = np.random.default_rng(5)
    trial = multiple_comparison(measured(rng, 60, [0, 0, 0]), rounds=1000).differences[0].detectable
    hits = 0
    for _ in range(150):
        values = measured(rng, 60, [0, 0, 0])
        values["space 0"] = values["space 0"] + trial  # exactly this much better, on average
        hits += ("space 0", "space 1") in different(multiple_comparison(values, rounds=400))
    assert 0.6 < hits / 150 < 0.95


def test_more_queries_settle_it():
    rng = np.random.default_rng(6)
    values = measured(rng, 40, [0.35, 0])
    found = multiple_comparison(values).differences[0]
    assert found.verdict is Verdict.CANNOT_TELL
    assert found.more_queries is not None
    assert found.more_queries > 0
    times = -(-(40 + found.more_queries) // 40)
    repeated = {name: np.tile(column, times) for name, column in values.items()}
    assert multiple_comparison(repeated).differences[0].is_significant


def test_three_verdicts():
    rng = np.random.default_rng(7)
    base = rng.random(2000)
    found = multiple_comparison(
        {"base": base, "same": base + rng.normal(0, 0.05, 2000), "equal": base, "far": base - 0.3}
    )
    assert found.of("same", "base").verdict is Verdict.EQUIVALENT
    assert found.of("equal", "base").verdict is Verdict.EQUIVALENT
    assert found.of("far", "base").verdict is Verdict.BETTER
    assert found.of("far", "base").first == "base"
    assert found.tied_with_best() == {"same": True, "base": True, "equal": True, "far": False}
    assert multiple_comparison({"a": base[:8], "b": base[8:16]}).differences[0].verdict is Verdict.CANNOT_TELL


def test_the_order_of_queries_and_of_spaces_changes_nothing():
    rng = np.random.default_rng(8)
    values = measured(rng, 50, [0.5, 0.2, 0, -0.4])
    order = rng.permutation(50)
    shuffled = {name: values[name][order] for name in reversed(values)}
    found, other = multiple_comparison(values), multiple_comparison(shuffled)
    assert (found.order, found.letters) == (other.order, other.letters)
    for one, two in zip(found.differences, other.differences, strict=True):
        assert (one.first, one.second, one.verdict) == (two.first, two.second, two.verdict)
        assert one.p_value == pytest.approx(two.p_value, abs=0.02)


def test_scores_may_be_scaled():
    values = measured(np.random.default_rng(9), 50, [0.6, 0])
    scaled = {name: 1e-6 * column for name, column in values.items()}
    assert multiple_comparison(values).differences[0].p_value == multiple_comparison(scaled).differences[0].p_value


def test_few_queries_say_little():
    none = multiple_comparison({"a": [], "b": []})
    assert (none.letters, none.differences[0].verdict) == ({"a": "a", "b": "a"}, Verdict.CANNOT_TELL)
    one = multiple_comparison({"a": [1.0], "b": [0.0]}).differences[0]
    assert (one.verdict, one.more_queries, one.interval) == (Verdict.CANNOT_TELL, None, (-1.0, 1.0))
    five = multiple_comparison({"a": np.ones(5), "b": np.zeros(5)}).differences[0]  # p = 2 / 2^5
    assert (five.verdict, five.interval, five.more_queries) == (Verdict.CANNOT_TELL, (-1.0, 1.0), None)
    six = multiple_comparison({"a": np.ones(6), "b": np.zeros(6)}).differences[0]
    assert six.verdict is Verdict.BETTER
    assert math.isinf(six.effect_size)
    assert multiple_comparison({"alone": [0.5, 0.5]}).letters == {"alone": "a"}
    assert multiple_comparison({}).order == []


def test_ranks():
    rng = np.random.default_rng(10)
    found = multiple_comparison(measured(rng, 400, [3, 0.05, 0, -3]))
    assert found.ranks["space 0"] == (1, 1)
    assert found.ranks["space 3"] == (4, 4)
    assert {found.ranks["space 1"], found.ranks["space 2"]} == {(2, 3)}


def test_letters_are_shared_by_exactly_the_pairs_that_do_not_differ():
    rng = np.random.default_rng(11)
    for size in (1, 2, 5, 9):
        names = [f"s{at}" for at in range(size)]
        for _ in range(20):
            apart = {pair for pair in combinations(names, 2) if rng.random() < 0.4}
            letters = letter_display(names, apart)
            assert letters["s0"].startswith("a")
            for pair in combinations(names, 2):
                shared = set(letters[pair[0]]) & set(letters[pair[1]])
                assert bool(shared) == (pair not in apart)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(DimensionError, match="same queries"):
        multiple_comparison({"a": [0.1, 0.2], "b": [0.1]})
    with pytest.raises(BadItemError, match="not a finite number"):
        multiple_comparison({"a": [0.1, float("nan")], "b": [0.1, 0.2]})


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e6])
def test_what_rounding_adds_is_no_difference(scale):
    base = scale * np.random.default_rng(12).random(50)
    found = multiple_comparison({"a": base, "b": base * (1 + 2e-16)}).differences[0]
    assert (found.difference, found.ties, found.is_significant) == (0, 50, False)


@pytest.mark.parametrize("n_queries", [2, 3, 4, 5])
def test_where_no_p_value_can_be_small_there_is_no_interval(n_queries):
    rng = np.random.default_rng(n_queries)
    base = 0.5 + 1e-4 * rng.random(n_queries)
    found = multiple_comparison({"a": base, "b": 0.5 + 1e-4 * rng.random(n_queries)}).differences[0]
    assert (found.verdict, found.interval, found.more_queries) == (Verdict.CANNOT_TELL, (-1.0, 1.0), None)


def test_many_spaces_are_compared_in_little_memory():
    rng = np.random.default_rng(13)
    tracemalloc.start()
    found = multiple_comparison({str(at): rng.random(40) for at in range(100)})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.differences) == 100 * 99 // 2
    assert peak < 300e6


@pytest.mark.parametrize("settings", [{"alpha": 0}, {"alpha": 1}, {"alpha": float("nan")}, {"rounds": 0}])
def test_settings_without_a_meaning_are_refused(settings):
    with pytest.raises(OptionError, match="alpha is between 0 and 1"):
        multiple_comparison({"a": [0.1, 0.2], "b": [0.3, 0.1]}, **settings)


@pytest.mark.parametrize("n_queries", [9, 40, 700])
@pytest.mark.parametrize("influenced", [False, True])
def test_the_order_of_queries_and_of_spaces_changes_no_number(n_queries, influenced):
    """Signs are drawn, and they must not fall on positions: the same queries in another order have the same p-values."""
    rng = np.random.default_rng(n_queries)
    values = measured(rng, n_queries, [0.6, 0.4, 0.2, 0])
    added = {name: np.round(0.1 * rng.normal(size=n_queries), 2) for name in values} if influenced else None
    first = multiple_comparison(values, added, rounds=500)
    assert any(0.01 < one.p_value < 0.99 for one in first.differences)  # or every order would agree
    for turn in range(3):
        order = rng.permutation(n_queries)
        names = [list(values)[at] for at in rng.permutation(4)]
        second = multiple_comparison(
            {name: values[name][order] for name in names},
            added and {name: added[name][order] for name in names},
            rounds=500,
        )
        assert (second.order, second.letters, second.ranks) == (first.order, first.letters, first.ranks), turn
        for one, other in zip(first.differences, second.differences, strict=True):
            assert (one.p_value, one.more_queries, one.verdict) == (other.p_value, other.more_queries, other.verdict)
            np.testing.assert_allclose(one.interval, other.interval, atol=1e-9)
            assert one.detectable == pytest.approx(other.detectable, abs=1e-9)
