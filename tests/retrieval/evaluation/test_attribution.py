"""The arithmetic of losses: parts add up to the whole to the bit, and the ideal is what no ranking exceeds."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import DimensionError, OptionError
from retrieval.evaluation.attribution import STEPS, attribute, ideal_values
from retrieval.evaluation.measures import MEASURES, parse_measure
from retrieval.evaluation.relevance import LabelRelevance, QrelRelevance


@pytest.mark.parametrize(
    "stages", [["ideal", "exact"], ["ideal", "exact", "index"], ["ideal", "exact", "codes", "index"], list(STEPS)]
)
def test_the_losses_of_every_query_add_up_to_the_whole_exactly(stages):
    draw = np.random.default_rng(len(stages))
    found = attribute({stage: draw.random(500) / 3 for stage in reversed(stages)})
    assert list(found.values) == stages
    assert list(found.losses) == [STEPS[stage] for stage in stages[1:]]
    np.testing.assert_array_equal(sum(found.losses.values()), found.total)  # to the bit, in any order
    np.testing.assert_array_equal(sum(list(found.losses.values())[::-1]), found.total)
    sums = [float(loss.sum()) for loss in found.losses.values()]
    assert sum(sums) == float(found.total.sum())


def test_a_value_keeps_twelve_digits():
    found = attribute({"ideal": np.array([1.0]), "exact": np.array([1 / 3])})
    assert found.total[0] == pytest.approx(2 / 3, abs=1e-12)


def test_a_chain_that_is_none_is_refused():
    one = np.ones(2)
    for wrong in ({}, {"ideal": one}, {"exact": one, "index": one}, {"ideal": one, "shard": one}):
        with pytest.raises(OptionError, match="a chain has 'ideal' and at least one of exact, codes"):
            attribute(wrong)
    with pytest.raises(DimensionError, match=r"ideal \(2,\), exact \(3,\)"):
        attribute({"ideal": one, "exact": np.ones(3)})


@pytest.mark.parametrize("by_label", [True, False])
def test_no_ranking_exceeds_the_ideal_and_the_best_one_reaches_it(by_label):
    draw = np.random.default_rng(2)
    nobody, queries = np.full(3, -1), np.arange(3)
    labels = draw.integers(0, 3, 40)
    qrels = {str(q): {str(row): int(grade) for row, grade in enumerate(draw.integers(-1, 4, 40))} for q in range(3)}
    relevance = (
        LabelRelevance(labels, [0, 1, 2], nobody)
        if by_label
        else QrelRelevance(qrels, list(qrels), {str(row): row for row in range(40)}, nobody)
    )
    measures = [f"{name}@{k}" for name in MEASURES for k in (1, 5, 10, 30)] + ["nDCG", "AP", "RR"]
    ideal = ideal_values(relevance, measures)
    every = np.tile(np.arange(40), (3, 1))
    grades = relevance.grades(queries, every)
    best = np.take_along_axis(every, np.argsort(-grades, axis=1, kind="stable"), axis=1)
    for rows in (best, *(np.stack([draw.permutation(40) for _ in range(3)]) for _ in range(20))):
        judged = relevance.judged(queries, relevance.grades(queries, rows))
        for measure in measures:
            value = parse_measure(measure)(judged)
            assert (value <= ideal[measure] + 1e-12).all(), measure
            if rows is best:
                np.testing.assert_allclose(value, ideal[measure], rtol=1e-12, err_msg=measure)
