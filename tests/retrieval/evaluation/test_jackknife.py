"""The influence of an item equals what its removal changes; equal spaces are seldom called different."""

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from encoders.errors import OptionError
from indexers.exact import Exact
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.jackknife import answer_influence, with_influence
from retrieval.evaluation.multiple_comparison import multiple_comparison
from retrieval.evaluation.ranking import Rankings, rank
from retrieval.evaluation.relevance import LabelRelevance


def ranked(codes: np.ndarray, labels: list[str], asked: np.ndarray, depth: int) -> tuple[Rankings, LabelRelevance]:
    index = Exact(Space(codes.shape[1], Kind.DENSE, Metric.EUCLIDEAN))
    index.add([str(row) for row in range(len(codes))], codes)
    relevance = LabelRelevance(labels, [labels[row] for row in asked], asked)
    return rank(index, codes[asked], depth, asked, np.arange(len(codes)), relevance), relevance


@pytest.mark.parametrize("measure", ["P@1", "P@5", "AP@5", "AP@12"])
@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("n_items", [40, 8])
def test_it_is_what_the_removal_of_the_item_changes(measure, every, n_items):
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(n_items, 3)).astype(np.float32)
    found, truth = both_ways(codes, rng.integers(0, 4, n_items).astype(str).tolist(), measure, every, 13)
    np.testing.assert_allclose(found, truth, atol=1e-6)


#: Measures of a list; a cutoff behind its end is measured only where it is complete.
SHORT = [(13, measure) for measure in ("P@1", "P@5", "AP@1", "AP@5", "AP@12")]
WHOLE = [(39, measure) for measure in ("P@1", "P@5", "P@39", "AP@1", "AP@5", "AP@12", "AP@39")]


@pytest.mark.parametrize(("depth", "measure"), [*SHORT, *WHOLE])
@pytest.mark.parametrize("levels", [1, 2, 5, 9])
def test_equal_scores_count_as_in_random_order(measure, levels, depth):
    rng = np.random.default_rng(1)
    codes = rng.integers(0, levels, (40, 1)).astype(np.float32)
    found, truth = both_ways(codes, rng.integers(0, 3, 40).astype(str).tolist(), measure, 1, depth)
    if depth == 39:  # every group is listed whole
        np.testing.assert_allclose(found, truth, atol=1e-6)
    else:  # members that are not listed are left out: little is lost
        assert np.abs(found - truth).mean() < 0.3 * np.abs(truth).mean() + 0.02


@pytest.mark.parametrize("measure", ["P@10", "AP@10"])
def test_the_error_of_a_space_of_few_codes_shrinks_with_the_number_of_items(measure):
    rng = np.random.default_rng(2)
    errors = []
    for count in (100, 400):
        labels = rng.integers(0, 4, count)
        codes = np.where(rng.random(count) < 0.5, labels, rng.integers(0, 4, count))[:, None].astype(np.float32)
        rankings, relevance = ranked(codes, labels.astype(str).tolist(), np.arange(count), 30)
        values = expected_measures(rankings, relevance, [measure]).per_query[measure]
        items = with_influence(values, answer_influence(rankings, relevance, np.arange(count), measure))
        errors.append(items.std() / np.sqrt(count))
    assert errors[1] < 0.7 * errors[0]
    assert errors[1] < 0.035


def both_ways(
    codes: np.ndarray, labels: list[str], measure: str, every: int, depth: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the influence as computed, and by removing every item in turn."""
    asked = np.arange(0, len(codes), every)
    rankings, relevance = ranked(codes, labels, asked, depth)
    values = expected_measures(rankings, relevance, [measure], complete=True).per_query[measure]
    truth = np.zeros(len(asked))
    for position, removed in enumerate(asked.tolist()):
        rest = np.delete(np.arange(len(codes)), removed)
        left = np.delete(np.arange(len(asked)), position)
        new_rows = np.searchsorted(rest, asked[left])
        again, relevance_left = ranked(codes[rest], [labels[row] for row in rest], new_rows, depth)
        without = expected_measures(again, relevance_left, [measure], complete=True).per_query[measure]
        truth[position] = (values[left] - without).sum()
    return answer_influence(rankings, relevance, asked, measure), truth


def test_queries_that_are_no_items_have_no_influence():
    rng = np.random.default_rng(1)
    codes, labels = rng.normal(size=(20, 2)).astype(np.float32), ["a", "b"] * 10
    rankings, _ = ranked(codes, labels, np.arange(20), 6)
    relevance = LabelRelevance(labels, labels, np.full(20, -1))
    assert not answer_influence(rankings, relevance, np.full(20, -1), "P@5").any()
    with pytest.raises(OptionError, match="knows P@k and AP@k; got nDCG@10"):
        answer_influence(rankings, relevance, np.arange(20), "nDCG@10")


@pytest.mark.parametrize("structure", [0.0, 0.8])
def test_two_equal_spaces_of_one_corpus_are_seldom_called_different(structure):
    rng = np.random.default_rng(2)
    plain = corrected = 0
    for _ in range(80):
        labels = rng.integers(0, 5, 120)
        centres = structure * rng.normal(size=(5, 4))
        names, asked = labels.astype(str).tolist(), np.arange(120)
        values, items = {}, {}
        for space in "ab":
            codes = (centres[labels] + rng.normal(size=(120, 4))).astype(np.float32)
            rankings, relevance = ranked(codes, names, asked, 11)
            values[space] = expected_measures(rankings, relevance, ["P@10"]).per_query["P@10"]
            items[space] = with_influence(values[space], answer_influence(rankings, relevance, asked, "P@10"))
            assert items[space].mean() == pytest.approx(values[space].mean())
        plain += multiple_comparison(values, rounds=200).differences[0].is_significant
        corrected += multiple_comparison(items, rounds=200).differences[0].is_significant
    assert corrected <= 0.05 * 80
    assert plain > corrected + 4  # what is wrong without it


@pytest.mark.parametrize("measure", ["P@10", "AP@10"])
@pytest.mark.parametrize("levels", [1, 3, 50])
def test_the_order_of_queries_changes_no_influence(measure, levels):
    """Nothing may be drawn by position."""
    rng = np.random.default_rng(3)
    codes = rng.integers(0, levels, (90, 1)).astype(np.float32)
    names = rng.integers(0, 3, 90).astype(str).tolist()
    asked = np.arange(90)
    first = answer_influence(*ranked(codes, names, asked, 30), asked, measure)
    order = rng.permutation(90)
    second = answer_influence(*ranked(codes, names, order, 30), order, measure)
    np.testing.assert_allclose(second, first[order], atol=1e-12)
