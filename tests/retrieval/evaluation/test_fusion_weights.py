"""Laws of a fusion: the same space changes nothing, a constant one has no say, and the choice of weights is no gain."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from encoders.errors import OptionError
from indexers.base import Hit
from indexers.exact import Exact
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.fusion_weights import (
    nested_cross_validation,
    pooled,
    rrf_values,
    simplex,
    weighted_values,
)
from retrieval.evaluation.ranking import rank
from retrieval.evaluation.relevance import LabelRelevance
from retrieval.search.convex import convex_combination, least_score, normalised
from retrieval.search.fusion import reciprocal_rank_fusion

N, QUERIES, DEPTH = 120, 40, 30
LABELS = [str(number % 4) for number in range(N)]
ROWS = np.arange(QUERIES)


def ranked(codes, metric=Metric.COSINE, relevance=None):
    index = Exact(Space(codes.shape[1], Kind.DENSE, metric))
    index.add([str(number) for number in range(N)], codes)
    relevance = relevance or LabelRelevance(LABELS, LABELS[:QUERIES], ROWS)
    return rank(index, codes[:QUERIES], DEPTH, ROWS, np.arange(N), relevance), relevance


def codes_of(noise, seed=0, width=8):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(4, width))
    return (centres[np.arange(N) % 4] + noise * rng.normal(size=(N, width))).astype(np.float32)


@pytest.mark.parametrize(("metric", "least"), [(Metric.COSINE, -1.0), (Metric.EUCLIDEAN, None), (Metric.DOT, None)])
def test_a_space_fused_with_itself_changes_nothing(metric, least):
    ranking, relevance = ranked(np.round(codes_of(1.5), 1), metric)
    alone = expected_measures(ranking, relevance, ["P@10"]).per_query["P@10"]
    candidates = pooled([ranking, ranking], [least, least], DEPTH)
    for values in weighted_values(candidates, simplex(2), relevance, "P@10"):
        np.testing.assert_allclose(values, alone, atol=1e-12)
    np.testing.assert_allclose(rrf_values(candidates, relevance, "P@10"), alone, atol=1e-12)


def test_a_constant_space_gets_no_weight_and_changes_nothing():
    good, relevance = ranked(codes_of(1.5))
    constant, _ = ranked(np.ones((N, 4), np.float32))
    values = weighted_values(pooled([good, constant], [-1.0, -1.0], DEPTH), simplex(2), relevance, "P@10")
    alone = expected_measures(good, relevance, ["P@10"]).per_query["P@10"]
    np.testing.assert_allclose(values[2], alone, atol=1e-12)  # weights .5 and .5
    chosen = nested_cross_validation(values, ROWS.tolist())
    assert simplex(2)[chosen.chosen].tolist() == [1.0, 0.0]
    assert chosen.optimism == 0


def test_weights_do_not_depend_on_the_order_of_the_queries():
    values = np.random.default_rng(0).random((21, 50))
    keys, order = list(range(1000, 1050)), np.random.default_rng(1).permutation(50)
    first = nested_cross_validation(values, keys, seed=3)
    second = nested_cross_validation(values[:, order], [keys[at] for at in order], seed=3)
    assert first.chosen == second.chosen
    assert first.optimism == second.optimism
    np.testing.assert_array_equal(first.held_out[order], second.held_out)
    assert not np.array_equal(first.held_out, nested_cross_validation(values, keys, seed=4).held_out)


@pytest.mark.parametrize("seed", range(20))
def test_optimism_is_never_below_zero(seed):
    values = np.random.default_rng(seed).random((15, 23))
    found = nested_cross_validation(values, list(range(23)), seed)
    assert found.in_sample >= found.held_out.mean() - 1e-9
    assert found.in_sample == pytest.approx(values.mean(axis=1).max())


def test_on_noise_the_choice_pretends_to_gain_and_held_out_queries_show_chance():
    values = (np.random.default_rng(0).random((100, 400)) < 0.3).astype(float)
    found = nested_cross_validation(values, list(range(400)))
    assert found.in_sample > 0.34
    assert found.optimism > 0.03
    assert abs(found.held_out.mean() - 0.3) < 0.03


def test_equal_queries_stand_in_one_fold():
    # two queries, ten times each, and a choice for each: what the copies of one choose is wrong for the other
    values = np.repeat(np.eye(2), 10, axis=1)
    assert nested_cross_validation(values, [1] * 10 + [2] * 10).held_out.mean() == 0


def test_random_labels_are_held_out_at_chance():
    rng = np.random.default_rng(0)
    labels = [str(label) for label in rng.integers(0, 4, N)]
    relevance = LabelRelevance(labels, labels[:QUERIES], ROWS)
    lists = [ranked(codes_of(1.0, seed), relevance=relevance)[0] for seed in (1, 2, 3)]
    values = weighted_values(pooled(lists, [-1.0] * 3, DEPTH), simplex(3), relevance, "P@10")
    found = nested_cross_validation(values, ROWS.tolist())
    chance = float((relevance.n_relevant / (N - 1)).mean())
    assert found.optimism >= 0
    assert abs(found.held_out.mean() - chance) < 0.06


@pytest.mark.parametrize(
    ("keys", "says"), [([1], "at least 10 queries, but there is 1"), ([5] * 12, "all 12 queries are alike")]
)
def test_too_few_and_equal_queries_are_one_sentence(keys, says):
    with pytest.raises(OptionError, match=says):
        nested_cross_validation(np.zeros((3, len(keys))), keys)


def test_a_space_that_answers_nothing_leaves_the_other_as_it_is():
    good, relevance = ranked(codes_of(1.5))
    empty = type(good)(
        np.full_like(good.scores, -np.inf), np.full_like(good.rows, -1), good.group_size * 0, good.group_tally * 0
    )
    values = weighted_values(pooled([good, empty], [-1.0, 0.0], DEPTH), simplex(2), relevance, "P@10")
    alone = expected_measures(good, relevance, ["P@10"]).per_query["P@10"]
    np.testing.assert_allclose(values[2], alone, atol=1e-12)


def test_search_fuses_as_the_comparison_does():
    first, _relevance = ranked(np.sign(codes_of(1.0, 1)))  # signs: many equal scores
    second, _ = ranked(codes_of(1.0, 2), Metric.EUCLIDEAN)
    candidates = pooled([first, second], [-1.0, None], DEPTH)
    for query in range(5):
        lists = [
            [Hit(str(row), float(score)) for row, score in zip(one.rows[query], one.scores[query], strict=True)]
            for one in (first, second)
        ]
        fused = {one.id: one.score for one in convex_combination(lists, [0.3, 0.7], [-1.0, None], DEPTH)}
        held = candidates.rows[query] >= 0
        wanted = np.tensordot([0.3, 0.7], candidates.scores[:, query, held], axes=1)
        np.testing.assert_allclose([fused[str(row)] for row in candidates.rows[query, held]], wanted, atol=1e-9)
        ranks = {one.id: one.score for one in reciprocal_rank_fusion(lists)}
        np.testing.assert_allclose(
            [ranks[str(row)] for row in candidates.rows[query, held]],
            candidates.reciprocals[:, query, held].sum(axis=0),
        )


def test_scores_are_scaled_from_the_least_that_the_metric_allows():
    assert least_score(Space(16, Kind.BINARY, Metric.HAMMING), False) == -16
    assert least_score(Space(16, Kind.SPARSE, Metric.DOT), True) == 0
    scaled, outside = normalised(np.array([[0.8, 0.3], [-np.inf, -np.inf], [0.0, 0.0]]), 0.0, 2)
    np.testing.assert_allclose(scaled, [[1, 0.375], [0, 0], [0, 0]])
    np.testing.assert_allclose(outside, [0.375, 0, 0])


@pytest.mark.parametrize("spaces", [2, 3, 4, 6, 12])
def test_weights_sum_to_one_and_their_number_is_bounded(spaces):
    weights = simplex(spaces)
    assert weights.shape[0] <= 100
    assert len(np.unique(weights, axis=0)) == len(weights)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_array_equal(weights[:spaces], np.eye(spaces))
