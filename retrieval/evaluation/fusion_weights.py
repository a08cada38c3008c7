"""The weights of a convex combination, chosen by cross-validation over queries, and the optimism of the choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import OptionError
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.ranking import Rankings
from retrieval.evaluation.relevance import Relevance, Rows
from retrieval.search.convex import DECIMALS, normalised
from retrieval.search.fusion import CONSTANT

Floats = NDArray[np.float64]
#: Weights that are tried: for two spaces in steps of .05, for more as fine as this number allows.
MAX_WEIGHTS = 100
_FINEST = 20
#: Parts of the queries, one of which is held out, and how often they are drawn.
FOLDS, REPEATS = 5, 10
FEWEST_QUERIES = 10


@dataclass(frozen=True)
class Candidates:
    """The answers of several spaces to the same queries, pooled.

    Attributes
    ----------
    rows : ndarray int64 (n, width)
        The items that any space lists; -1 pads.
    scores : ndarray float64 (n_spaces, n, width)
        Their normalised score in each space.
    reciprocals : ndarray float64 (n_spaces, n, width)
        ``1 / (60 + rank)``; 0 where a space does not list the item. Equal scores share their mean rank.
    """

    rows: Rows
    scores: Floats
    reciprocals: Floats

    def select(self, spaces: Sequence[int]) -> Candidates:
        """Return only some spaces; items that only others list stay, behind all that these list."""
        return Candidates(self.rows, self.scores[list(spaces)], self.reciprocals[list(spaces)])


def pooled(rankings: Sequence[Rankings], least: Sequence[float | None], depth: int) -> Candidates:
    """Pool the first `depth` answers of several spaces.

    Parameters
    ----------
    rankings : sequence of Rankings
        For the same queries.
    least : sequence of float or None
        The least score of each space; see `retrieval.search.convex.least_score`.
    depth : int
    """
    lists = [one.rows[:, :depth] for one in rankings]
    unions = [np.unique(np.concatenate(parts)) for parts in zip(*lists, strict=True)]
    unions = [union[union >= 0] for union in unions]
    rows = np.full((len(unions), max([1, *map(len, unions)])), -1, np.int64)
    for query, union in enumerate(unions):
        rows[query, : len(union)] = union
    scores, reciprocals = [], []
    for ranking, listed, bound in zip(rankings, lists, least, strict=True):
        scaled, outside = normalised(ranking.scores[:, :depth], bound, depth)
        shares = 1 / (CONSTANT + _mean_ranks(ranking.scores[:, :depth]))
        values, parts = np.repeat(outside[:, None], rows.shape[1], axis=1), np.zeros(rows.shape)
        for query, union in enumerate(unions):
            held = listed[query] >= 0
            at = np.searchsorted(union, listed[query, held])
            values[query, at], parts[query, at] = scaled[query, held], shares[query, held]
        scores.append(values)
        reciprocals.append(parts)
    return Candidates(rows, np.stack(scores), np.stack(reciprocals))


def _mean_ranks(scores: NDArray[Any]) -> Floats:
    """The rank of each answer, from 1; equal scores share the mean of their ranks."""
    ranks, depth = np.arange(scores.shape[1]), scores.shape[1]
    first, last = np.ones(scores.shape, bool), np.ones(scores.shape, bool)
    first[:, 1:] = scores[:, 1:] != scores[:, :-1]
    last[:, :-1] = first[:, 1:]
    start = np.maximum.accumulate(np.where(first, ranks, 0), axis=1)
    end = np.minimum.accumulate(np.where(last, ranks, depth)[:, ::-1], axis=1)[:, ::-1]
    return (start + end) / 2 + 1.0


def simplex(n_spaces: int, limit: int = MAX_WEIGHTS) -> Floats:
    """Return weights that sum to 1, float64 ``(n, n_spaces)``: those of the fewest spaces first, then the most even.

    The first of equally good weights is chosen: a space that changes nothing gets none.

    Examples
    --------
    >>> simplex(2).shape, simplex(2)[:3].tolist(), simplex(3).shape
    ((21, 2), [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], (91, 3))
    """
    steps = _FINEST
    while steps > 1 and _count(n_spaces, steps) > limit:
        steps -= 1
    parts = [
        np.bincount(chosen, minlength=n_spaces) for chosen in combinations_with_replacement(range(n_spaces), steps)
    ]
    ordered = sorted(map(tuple, parts), key=lambda part: (np.count_nonzero(part), max(part), [-one for one in part]))
    return np.array(ordered, np.float64) / steps


def _count(n_spaces: int, steps: int) -> int:
    from math import comb

    return comb(n_spaces + steps - 1, steps)


def weighted_values(candidates: Candidates, weights: Floats, relevance: Relevance, measure: str) -> Floats:
    """The measure of every combination for every query, float64 ``(n_weights, n_queries)``."""
    graded = _Pool(candidates.rows, relevance)
    return np.stack(
        [_measured(np.tensordot(one, candidates.scores, axes=1), candidates, graded, measure) for one in weights]
    )


def rrf_values(candidates: Candidates, relevance: Relevance, measure: str) -> Floats:
    """The measure of reciprocal rank fusion for every query, float64 ``(n_queries,)``."""
    graded = _Pool(candidates.rows, relevance)
    return _measured(candidates.reciprocals.sum(axis=0), candidates, graded, measure)


class _Pool(Relevance):
    """The relevance of the pooled items, by their column."""

    def __init__(self, rows: Rows, relevance: Relevance) -> None:
        self._whole, self.by_label = relevance, relevance.by_label
        self.n_relevant, self.n_held, self.levels = relevance.n_relevant, relevance.n_held, relevance.levels
        self._grades = relevance.grades(np.arange(len(rows)), rows)

    def grades(self, queries: Rows, rows: Rows) -> NDArray[np.int32]:
        return np.where(rows >= 0, np.take_along_axis(self._grades[queries], np.maximum(rows, 0), axis=1), 0)

    def ideal(self, queries: Rows, depth: int) -> NDArray[np.int32]:
        return self._whole.ideal(queries, depth)

    def totals(self) -> NDArray[np.int64]:
        return self._whole.totals()


def _measured(fused: Floats, candidates: Candidates, graded: _Pool, measure: str) -> Floats:
    columns, scores = _order(fused, candidates)
    return expected_measures(_rankings(scores, columns, graded), graded, [measure], complete=True).per_query[measure]


def fused_rankings(candidates: Candidates, weights: Floats, relevance: Relevance) -> Rankings:
    """The items in the order of one combination."""
    columns, scores = _order(np.tensordot(weights, candidates.scores, axes=1), candidates)
    listed = np.take_along_axis(candidates.rows, np.maximum(columns, 0), axis=1)
    return _rankings(scores, np.where(columns >= 0, listed, -1), relevance)


def _order(fused: Floats, candidates: Candidates) -> tuple[Rows, Floats]:
    """The columns of the pool, best first and -1 after the last item, and their scores."""
    values = np.where(candidates.rows >= 0, np.round(fused, DECIMALS), -np.inf)
    order = np.argsort(-values, axis=1, kind="stable")
    scores = np.take_along_axis(values, order, axis=1)
    return np.where(np.isfinite(scores), order, -1), scores


def _rankings(scores: Floats, rows: Rows, relevance: Relevance) -> Rankings:
    none = np.zeros(len(rows), np.int64)
    # float64: float32 would make equal what the rounding to `DECIMALS` keeps apart
    return Rankings(scores, rows, none, np.zeros((len(rows), len(relevance.levels)), np.int64))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Nested:
    """The result of nested cross-validation.

    Attributes
    ----------
    chosen : int
        The weights that are best over all queries.
    in_sample : float
        Their mean over the queries that chose them.
    held_out : ndarray float64 (n_queries,)
        The value of each query with weights that other queries chose; the mean over `REPEATS` draws of the folds.
    optimism : float
        `in_sample` minus the mean of `held_out`: what the choice pretends to gain. Never below 0.
    """

    chosen: int
    in_sample: float
    held_out: Floats
    optimism: float


def nested_cross_validation(
    values: Floats, keys: Sequence[int], seed: int = 0, folds: int = FOLDS, repeats: int = REPEATS
) -> Nested:
    """Choose among combinations on some queries, and measure the choice on others.

    The inner choice is by the mean over the queries that are not held out. Nothing else is fitted, so the value of a
    combination for a query does not depend on the fold, and an inner cross-validation has this same mean.

    Parameters
    ----------
    values : ndarray float64 (n_choices, n_queries)
        The first of equally good choices is taken.
    keys : sequence of int, of length n_queries
        The identity of each query. Equal queries stand in one fold, and the order of the queries has no effect.
    seed : int
        Draws the folds.
    folds, repeats : int

    Raises
    ------
    OptionError
        With fewer than ten queries, or when all are alike.

    References
    ----------
    S. Varma, R. Simon, "Bias in error estimation when using cross-validation for model selection", BMC
    Bioinformatics 7:91, 2006. B. Efron, "How biased is the apparent error rate of a prediction rule?", JASA 1986.
    """
    known, identity = np.unique(np.asarray(keys, np.uint64), return_inverse=True)
    if values.shape[1] < FEWEST_QUERIES:
        raise OptionError(
            f"the weights of a fusion are chosen by cross-validation, which needs at least {FEWEST_QUERIES} queries, "
            f"but there {'is' if values.shape[1] == 1 else 'are'} {values.shape[1]}: give more queries"
        )
    if len(known) < 2:
        raise OptionError(f"all {values.shape[1]} queries are alike: a fusion cannot be tested on other queries")
    order = np.argsort(identity, kind="stable")  # sums do not depend on the order of the queries
    ordered, groups = values[:, order], identity[order]
    rng = np.random.default_rng(seed)
    held_out = np.zeros(values.shape[1])
    total = ordered.sum(axis=1)
    for _ in range(repeats):
        fold_of = (rng.permutation(len(known)) % min(folds, len(known)))[groups]
        for fold in range(min(folds, len(known))):
            out = fold_of == fold
            chosen = _first_best(ordered[:, ~out].sum(axis=1))
            held_out[out] += ordered[chosen, out] / repeats
    best = _first_best(total)
    restored = np.empty_like(held_out)
    restored[order] = held_out
    in_sample = float(total[best] / len(order))
    return Nested(best, in_sample, restored, max(0.0, in_sample - float(held_out.mean())))


def _first_best(sums: Floats) -> int:
    """The first of the best choices; sums that differ by rounding are equal."""
    return int(np.flatnonzero(sums >= sums.max() - 1e-9)[0])
