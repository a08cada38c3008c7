"""The expected value of every measure under a random order within each group of equal scores.

The closed forms are those of McSherry & Najork, "Computing Information Retrieval Performance Measures Efficiently in
the Presence of Tied Scores", ECIR 2008: the gain at a rank is the mean gain of its group, the rank of the first
relevant item of a group is hypergeometric, and so on. A space that gives every item the same score gets the value of
chance, and the order of the corpus changes no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.errors import OptionError
from retrieval.evaluation.measures import Measure, parse_measures
from retrieval.evaluation.ranking import Rankings
from retrieval.evaluation.ranking_measures import Floats, Judged, average_precision_divisor, ratio
from retrieval.evaluation.relevance import Relevance

#: Numbers in one array at a time: 512 KiB of float64, which a processor's cache holds.
_BLOCK = 2**16


@dataclass(frozen=True)
class Expected:
    """The expected measures of rankings with equal scores, and their bounds.

    Attributes
    ----------
    per_query : dict of str to ndarray float64 (n_queries,)
        Measure -> its expected value for each query.
    worst, best : dict of str to float
        Measure -> its mean over the queries when the relevant items come last, or first, in every group of equal
        scores.
    """

    per_query: dict[str, Floats]
    worst: dict[str, float]
    best: dict[str, float]

    @property
    def means(self) -> dict[str, float]:
        """Measure -> mean over the queries."""
        return {measure: float(values.mean()) for measure, values in self.per_query.items()}


def expected_measures(
    rankings: Rankings,
    relevance: Relevance,
    measures: Iterable[str | Measure],
    complete: bool = False,
    bounds: bool = True,
) -> Expected:
    """The measures of rankings, each as its mean over all orders of equal scores.

    Parameters
    ----------
    rankings : Rankings
        As `retrieval.evaluation.ranking.rank` returns them.
    relevance : Relevance
        For the same queries.
    measures : iterable of str or Measure
    complete : bool
        Whether the rankings hold every answer of the index, so that a cutoff may be larger than their length.
    bounds : bool
        Whether `worst` and `best` are wanted; they are empty otherwise.

    Raises
    ------
    OptionError
        When a cutoff is larger than the length of the rankings, and they are not complete.
    """
    wanted = parse_measures(measures)
    known = None if complete else rankings.rows.shape[1]
    for measure in wanted:
        if known is not None and measure.cutoff is not None and measure.cutoff > known:
            raise OptionError(
                f"{measure} needs the first {measure.cutoff} answers, but the rankings hold {known}: search deeper"
            )
    names = list(map(str, wanted))
    expected, low, high = ({name: np.empty(len(rankings)) for name in names} for _ in range(3))
    for block in _blocks(rankings):
        tied = _are_tied(rankings, block)
        plain = block[~tied]
        judged = relevance.judged(plain, relevance.grades(plain, rankings.rows[plain]))
        for name, measure in zip(names, wanted, strict=True):
            expected[name][plain] = low[name][plain] = high[name][plain] = measure(judged)
        queries = block[tied]
        groups = _groups_of(rankings, relevance, queries)
        for name, measure in zip(names, wanted, strict=True):
            expected[name][queries] = _EXPECTED[measure.name](groups, measure.cutoff)
        if bounds:
            worst, best = _bounds(groups, relevance, queries)
            for name, measure in zip(names, wanted, strict=True):
                low[name][queries], high[name][queries] = measure(worst), measure(best)
    if not bounds:
        return Expected(expected, {}, {})
    means = ({name: float(values.mean()) for name, values in side.items()} for side in (low, high))
    return Expected(expected, *means)


def _are_tied(rankings: Rankings, queries: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether some answers of each query have equal scores."""
    scores, rows = rankings.scores[queries], rankings.rows[queries]
    equal = (scores[:, 1:] == scores[:, :-1]) & (rows[:, 1:] >= 0)
    return np.asarray(equal.any(axis=1) | (rankings.group_size[queries] > 0))


@dataclass(frozen=True)
class _Groups:
    """The groups of equal scores of some queries; every rank carries the values of its group.

    `before` is the number of relevant items in earlier groups; `size`, `relevant` and `gain` describe the whole group,
    including its items behind the last rank; `position` counts from 0 within the group.
    """

    answered: NDArray[np.bool_]
    position: Floats
    size: Floats
    relevant: Floats
    gain: Floats
    before: Floats
    judged: Judged
    start: NDArray[np.int64]
    open_ended: NDArray[np.int64]
    group_size: NDArray[np.int64]
    group_tally: NDArray[np.int64]

    @property
    def rank(self) -> Floats:
        return np.arange(1.0, self.size.shape[1] + 1)


def _blocks(rankings: Rankings) -> Iterator[NDArray[np.int64]]:
    step = max(1, _BLOCK // max(1, rankings.rows.shape[1]))
    for start in range(0, len(rankings), step):
        yield np.arange(start, min(start + step, len(rankings)))


def _groups_of(rankings: Rankings, relevance: Relevance, queries: NDArray[np.int64]) -> _Groups:
    scores, rows = rankings.scores[queries], rankings.rows[queries]
    grades = relevance.grades(queries, rows)
    n, depth = rows.shape
    first = np.ones((n, depth), bool)
    first[:, 1:] = scores[:, 1:] != scores[:, :-1]
    ranks = np.arange(depth)
    start = np.maximum.accumulate(np.where(first, ranks, 0), axis=1)
    last = np.ones((n, depth), bool)
    last[:, :-1] = first[:, 1:]
    end = np.minimum.accumulate(np.where(last, ranks, depth)[:, ::-1], axis=1)[:, ::-1]
    before, relevant = _within_groups(grades > 0, start, end)
    _, gain = _within_groups(grades, start, end)
    size = (end - start + 1).astype(float)
    open_ended = np.flatnonzero(rankings.group_size[queries] > 0)
    for query in open_ended:  # the ranking holds only some items of its last group
        group = slice(start[query, -1], depth)
        tally = rankings.group_tally[queries[query]]
        size[query, group] = rankings.group_size[queries[query]]
        relevant[query, group], gain[query, group] = tally.sum(), tally @ relevance.levels
    return _Groups(
        rows >= 0,
        ranks - start.astype(float),
        size,
        relevant,
        gain,
        before,
        relevance.judged(queries, grades),
        start,
        open_ended,
        rankings.group_size[queries],
        rankings.group_tally[queries],
    )


def _within_groups(
    values: NDArray[np.generic], start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """The sum of the values before the group of every rank, and within the group."""
    total = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=total[:, 1:])
    before = np.take_along_axis(total, start, axis=1)
    return before, np.take_along_axis(total, end + 1, axis=1) - before


def _share(groups: _Groups, cutoff: int | None) -> Floats:
    """The probability that the answer at each rank is relevant."""
    return np.where(groups.answered, groups.relevant / groups.size, 0)[:, :cutoff]


def _precision(groups: _Groups, cutoff: int | None) -> Floats:
    return np.asarray(_share(groups, cutoff).sum(axis=1) / cutoff)


def _recall(groups: _Groups, cutoff: int | None) -> Floats:
    return ratio(_share(groups, cutoff).sum(axis=1), groups.judged.n_relevant)


def _ndcg(groups: _Groups, cutoff: int | None) -> Floats:
    gains = np.where(groups.answered, groups.gain / groups.size, 0)[:, :cutoff]
    discount = 1 / np.log2(np.arange(2, max(gains.shape[1], groups.judged.ideal.shape[1]) + 2))
    ideal = groups.judged.ideal[:, :cutoff]
    return ratio(gains @ discount[: gains.shape[1]], ideal @ discount[: ideal.shape[1]])


def _none_so_far(groups: _Groups) -> Floats:
    """The probability that no answer up to each rank is relevant, (n, depth + 1), from rank 0 on."""
    left = groups.size - groups.position
    irrelevant = np.maximum(groups.size - groups.relevant - groups.position, 0)
    factor = np.where(groups.answered, irrelevant / left, 1)
    chances = np.ones((factor.shape[0], factor.shape[1] + 1))
    np.cumprod(factor, axis=1, out=chances[:, 1:])
    return chances


def _reciprocal_rank(groups: _Groups, cutoff: int | None) -> Floats:
    chances = _none_so_far(groups)
    return np.asarray(((chances[:, :-1] - chances[:, 1:]) / groups.rank)[:, :cutoff].sum(axis=1))


def _success(groups: _Groups, cutoff: int | None) -> Floats:
    chances = _none_so_far(groups)
    return np.asarray(1 - chances[:, min(cutoff or chances.shape[1], chances.shape[1] - 1)])


def _precision_sums(groups: _Groups) -> Floats:
    """The expected precision at every rank, counted as 0 when the answer there is not relevant."""
    others = np.divide(groups.relevant - 1, groups.size - 1, out=np.zeros_like(groups.size), where=groups.size > 1)
    ahead = groups.before + 1 + groups.position * others
    return _share(groups, None) * ahead / groups.rank


def _average_precision(groups: _Groups, cutoff: int | None) -> Floats:
    sums = _precision_sums(groups)[:, :cutoff].sum(axis=1)
    return ratio(sums, average_precision_divisor(groups.judged, cutoff))


_EXPECTED: dict[str, Callable[[_Groups, int | None], Floats]] = {
    "nDCG": _ndcg,
    "AP": _average_precision,
    "RR": _reciprocal_rank,
    "P": _precision,
    "R": _recall,
    "Success": _success,
}


def _bounds(groups: _Groups, relevance: Relevance, queries: NDArray[np.int64]) -> tuple[Judged, Judged]:
    """The rankings with the relevant items last in every group of equal scores, and first."""
    grades = groups.judged.gains
    worst = np.take_along_axis(grades, np.lexsort((grades, groups.start), axis=1), axis=1)
    best = np.take_along_axis(grades, np.lexsort((-grades, groups.start), axis=1), axis=1)
    for query in groups.open_ended:
        at = int(groups.start[query, -1])
        shown = grades.shape[1] - at
        ascending = np.zeros(groups.group_size[query], np.int32)
        relevant = np.repeat(relevance.levels, groups.group_tally[query])
        ascending[len(ascending) - len(relevant) :] = relevant
        worst[query, at:], best[query, at:] = ascending[:shown], ascending[::-1][:shown]
    return relevance.judged(queries, worst), relevance.judged(queries, best)
