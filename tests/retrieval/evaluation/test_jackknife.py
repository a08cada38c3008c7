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
def test_it_is_what_the_removal_of_the_item_changes(measure, every):
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(40, 3)).astype(np.float32)
    labels = rng.integers(0, 4, 40).astype(str).tolist()
    asked = np.arange(0, 40, every)
    rankings, relevance = ranked(codes, labels, asked, 13)
    values = expected_measures(rankings, relevance, [measure]).per_query[measure]
    found = answer_influence(rankings, relevance, asked, measure)
    for position, removed in enumerate(asked.tolist()):
        rest = np.delete(np.arange(40), removed)
        left = np.delete(np.arange(len(asked)), position)
        new_rows = np.searchsorted(rest, asked[left])
        again, relevance_left = ranked(codes[rest], [labels[row] for row in rest], new_rows, 13)
        without = expected_measures(again, relevance_left, [measure]).per_query[measure]
        assert found[position] == pytest.approx((values[left] - without).sum(), abs=1e-6)


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
