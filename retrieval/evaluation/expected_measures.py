"""The expected value of every measure under a random order within each group of equal scores.

McSherry & Najork, "Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores",
ECIR 2008, give the closed forms: the gain of a rank is the mean gain of its group, whether an item is the first
relevant one of its group follows the hypergeometric distribution, and so on. A scorer that gives every item the same
score thus gets the value of chance, and no order of the corpus changes any value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.errors import OptionError
from retrieval.evaluation.measures import Floats, Judged, Measure, parse_measures
from retrieval.evaluation.ranking import Rankings
from retrieval.evaluation.relevance import Relevance

#: Numbers of one array that are held at once: 32 MiB of float64.
_BLOCK = 2**22


@dataclass(frozen=True)
class Expected:
    """The measures of rankings with equal scores.

    Attributes
    ----------
    per_query : dict of str to ndarray float64 (n_queries,)
        Measure -> its expected value for each query.
    worst, best : dict of str to float
        Measure -> its mean when the relevant items come last, and first, within every group of equal scores.
    """

    per_query: dict[str, Floats]
    worst: dict[str, float]
    best: dict[str, float]

    @property
    def means(self) -> dict[str, float]:
        """Measure -> mean over the queries."""
        return {measure: float(values.mean()) for measure, values in self.per_query.items()}


def expected_measures(
    rankings: Rankings, relevance: Relevance, measures: Iterable[str | Measure], complete: bool = False
) -> Expected:
    """Compute measures as their mean over all orders of equal scores.

    Parameters
    ----------
    rankings : Rankings
        As `retrieval.evaluation.ranking.rank` returns them.
    relevance : Relevance
        Of the same queries.
    measures : iterable of str or Measure
    complete : bool
        Whether the rankings hold all answers that there are, so that a measure may look deeper than they go.

    Raises
    ------
    OptionError
        When a measure looks deeper than the rankings go.
    """
    wanted = parse_measures(measures)
    known = None if complete else rankings.rows.shape[1]
    for measure in wanted:
        if known is not None and measure.cutoff is not None and measure.cutoff > known:
            raise OptionError(f"{measure} needs the first {measure.cutoff} answers, but {known} are known")
    parts: dict[str, list[Floats]] = {str(measure): [] for measure in wanted}
    low: dict[str, list[Floats]] = {str(measure): [] for measure in wanted}
    high: dict[str, list[Floats]] = {str(measure): [] for measure in wanted}
    for queries in _blocks(rankings):
        block = _groups_of(rankings, relevance, queries)
        worst, best = _bounds(block, relevance, queries)
        for measure in wanted:
            name = str(measure)
            parts[name].append(_EXPECTED[measure.name](block, measure.cutoff))
            low[name].append(measure(worst))
            high[name].append(measure(best))
    return Expected(
        {name: np.concatenate(values) for name, values in parts.items()},
        {name: float(np.concatenate(values).mean()) for name, values in low.items()},
        {name: float(np.concatenate(values).mean()) for name, values in high.items()},
    )


@dataclass(frozen=True)
class _Groups:
    """The groups of equal scores of some queries, each number standing at every rank of its group.

    `before` counts the relevant items of earlier groups; `size`, `relevant` and `gain` are of the whole group, also of
    what stands behind the last rank; `place` counts from 0 within the group.
    """

    answered: NDArray[np.bool_]
    place: Floats
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
    found_before, relevant = _within_groups(grades > 0, start, end)
    _, gain = _within_groups(grades, start, end)
    size = (end - start + 1).astype(float)
    open_ended = np.flatnonzero(rankings.group_size[queries] > 0)
    for query in open_ended:  # what the list shows of the last group is not all of it
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
        found_before,
        relevance.judged(queries, grades),
        start,
        open_ended,
        rankings.group_size[queries],
        rankings.group_tally[queries],
    )


def _within_groups(
    values: NDArray[np.generic], start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return at every rank the sum of the values before its group, and within it."""
    total = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=total[:, 1:])
    before = np.take_along_axis(total, start, axis=1)
    return before, np.take_along_axis(total, end + 1, axis=1) - before


def _share(groups: _Groups, cutoff: int | None) -> Floats:
    """Return the chance that the answer at each rank is relevant."""
    return np.where(groups.answered, groups.relevant / groups.size, 0)[:, :cutoff]


def _precision(groups: _Groups, cutoff: int | None) -> Floats:
    return np.asarray(_share(groups, cutoff).sum(axis=1) / cutoff)


def _recall(groups: _Groups, cutoff: int | None) -> Floats:
    return _ratio(_share(groups, cutoff).sum(axis=1), groups.judged.n_relevant)


def _ndcg(groups: _Groups, cutoff: int | None) -> Floats:
    gains = np.where(groups.answered, groups.gain / groups.size, 0)[:, :cutoff]
    discount = 1 / np.log2(np.arange(2, max(gains.shape[1], groups.judged.ideal.shape[1]) + 2))
    ideal = groups.judged.ideal[:, :cutoff]
    return _ratio(gains @ discount[: gains.shape[1]], ideal @ discount[: ideal.shape[1]])


def _none_so_far(groups: _Groups) -> Floats:
    """Return the chance that no answer up to each rank is relevant, (n, depth + 1) from rank 0 on."""
    left = groups.size - groups.place
    irrelevant = np.maximum(groups.size - groups.relevant - groups.place, 0)
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
    """Return at every rank the expected precision there where the answer is relevant, and 0 where it is not."""
    others = np.divide(groups.relevant - 1, groups.size - 1, out=np.zeros_like(groups.size), where=groups.size > 1)
    ahead = groups.before + 1 + groups.place * others
    return _share(groups, None) * ahead / groups.rank


def _average_precision(groups: _Groups, cutoff: int | None) -> Floats:
    sums = _precision_sums(groups)
    if not groups.judged.by_label or cutoff is None:
        return _ratio(sums[:, :cutoff].sum(axis=1), groups.judged.n_relevant)
    cutoff = min(cutoff, sums.shape[1])
    found = _share(groups, cutoff).sum(axis=1)
    values = _ratio(sums[:, :cutoff].sum(axis=1), found)
    # Where the cutoff is inside a group, how many relevant answers are found is a matter of chance, too.
    start = groups.start[:, cutoff - 1]
    seen = cutoff - start
    at = np.arange(len(values)), cutoff - 1
    size, relevant = groups.size[at], groups.relevant[at]
    for query in np.flatnonzero((seen < size) & (relevant > 0) & groups.answered[:, cutoff - 1]):
        values[query] = _average_precision_inside(
            float(sums[query, : start[query]].sum()), int(groups.before[query, cutoff - 1]),
            int(start[query]), int(seen[query]), int(size[query]), int(relevant[query]),
        )  # fmt: skip
    return values


def _average_precision_inside(sum_before: float, before: int, start: int, seen: int, size: int, relevant: int) -> float:
    """Return the mean of (sum of precisions) / (relevant answers found) when `seen` of a group's `size` are seen.

    The number m of relevant answers among those seen is hypergeometric; given m, they are spread evenly.
    """
    m = np.arange(max(0, seen - (size - relevant)), min(seen, relevant) + 1)
    log_chance = _log_choose(relevant, m) + _log_choose(size - relevant, seen - m) - _log_choose(size, np.array(seen))
    rank = start + np.arange(1, seen + 1)
    once, ahead = float((1 / rank).sum()), float((np.arange(seen) / rank).sum())
    sums = m / seen * ((before + 1) * once + np.maximum(m - 1, 0) / max(seen - 1, 1) * ahead)
    found = before + m
    return float(np.exp(log_chance) @ np.where(found > 0, (sum_before + sums) / np.maximum(found, 1), 0))


def _log_choose(n: int, k: NDArray[np.int64]) -> Floats:
    from scipy.special import gammaln

    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


_EXPECTED: dict[str, Callable[[_Groups, int | None], Floats]] = {
    "nDCG": _ndcg,
    "AP": _average_precision,
    "RR": _reciprocal_rank,
    "P": _precision,
    "R": _recall,
    "Success": _success,
}


def _bounds(groups: _Groups, relevance: Relevance, queries: NDArray[np.int64]) -> tuple[Judged, Judged]:
    """Return the rankings with the relevant items last, and first, within every group of equal scores."""
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


def _ratio(part: Floats, whole: NDArray[np.generic]) -> Floats:
    """Divide, giving 0 where there is nothing to divide by."""
    result = np.zeros(len(whole))
    np.divide(part, whole, out=result, where=np.asarray(whole) > 0)
    return result
