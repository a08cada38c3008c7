"""The influence of items that are queries AND answers: what the values of one query tell about those of the others.

Where every item is asked for the items of its class, the queries are not independent: an item that is a wrong answer
to one query usually has that query as a wrong answer of its own. A test that takes the queries as independent calls
equal spaces different far too often (`benchmarks/items_as_queries.py`: 21% instead of 5%). The jackknife asks how
the mean changes when an item is missing, as a query and as an answer; the variance of these values is the variance of
the mean, never too small on average.

References
----------
Efron & Stein, The jackknife estimate of variance, Annals of Statistics 9, 1981 (the bias is upwards); Hoeffding, A
class of statistics with asymptotically normal distribution, Annals of Mathematical Statistics 19, 1948, section 5
(means over pairs).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.errors import OptionError
from retrieval.evaluation.measures import Measure, parse_measure
from retrieval.evaluation.ranking import Rankings, Rows
from retrieval.evaluation.ranking_measures import Floats
from retrieval.evaluation.relevance import Relevance

#: Numbers in one array at a time: 512 KiB of float64, which a processor's cache holds; of items beside queries, more.
_BLOCK, _PAIRS = 2**16, 2**22


def query_influence(rankings: Rankings, relevance: Relevance, query_rows: Rows, measure: str | Measure) -> Floats:
    """Return `answer_influence` where items ask for items of their label; zeros (n,) where queries are independent.

    With judgements, or with queries that are no items, the queries do not answer each other.
    """
    if not relevance.by_label or not (query_rows >= 0).any():
        return np.zeros(len(query_rows))
    return answer_influence(rankings, relevance, query_rows, measure)


def answer_influence(rankings: Rankings, relevance: Relevance, query_rows: Rows, measure: str | Measure) -> Floats:
    """Return what every query contributes to the values of the others, as an answer.

    It is the sum, over all queries that list the item, of their value minus the value that they would have without it.

    Parameters
    ----------
    rankings : Rankings
        Of n queries. Equal scores count as in random order. Where a list ends at the cutoff of the measure, the answer
        that would move up counts like the last group of equal scores.
    relevance : Relevance
        By label, for the same queries.
    query_rows : ndarray int64 (n,)
        The row of each query itself; -1 when the query is not an item, so that no query has it as an answer.
    measure : str or Measure
        ``P@k`` or ``AP@k``.

    Returns
    -------
    ndarray float64 (n,)

    Raises
    ------
    OptionError
        For another measure.

    Examples
    --------
    Items 0 and 1 have one label, item 2 another; every item lists the two others.

    >>> from retrieval.evaluation.relevance import LabelRelevance
    >>> rows = np.array([[1, 2], [2, 0], [0, 1]])
    >>> none = np.zeros(3, np.int64)
    >>> rankings = Rankings(np.array([[2, 1]] * 3, np.float32), rows, none, none[:, None])
    >>> relevance = LabelRelevance(["a", "a", "b"], ["a", "a", "b"], np.arange(3))
    >>> answer_influence(rankings, relevance, np.arange(3), "P@1").tolist()
    [0.0, 1.0, -1.0]
    """
    measure = parse_measure(measure)
    if measure.name not in ("P", "AP") or measure.cutoff is None:
        raise OptionError(f"the jackknife knows P@k and AP@k; got {measure}")
    query_of = np.full(int(max(rankings.rows.max(initial=0), query_rows.max(initial=0))) + 2, -1)
    query_of[query_rows] = np.where(query_rows >= 0, np.arange(len(query_rows)), -1)
    query_of[-1] = -1  # for row -1, which is no item
    influence = np.zeros(len(query_rows))
    step = max(1, _BLOCK // max(1, rankings.rows.shape[1]))
    for start in range(0, len(rankings), step):
        queries = np.arange(start, min(start + step, len(rankings)))
        needed = _needed(rankings, queries, measure.cutoff)
        asked = query_of[needed.rows]
        relevant = (relevance.grades(queries, needed.rows) > 0).astype(float)
        n_relevant = relevance.n_relevant[queries]
        if measure.name == "P":
            gains = _precision_gains(needed, relevant, n_relevant, measure.cutoff)
        else:
            sums, gains, beyond = _average_precision_gains(needed, relevant, n_relevant, measure.cutoff)
            listed = np.where(beyond, -1, asked)
            influence += _unlisted(relevance, queries, query_rows, sums, listed, measure.cutoff)
        np.add.at(influence, asked[asked >= 0], gains[asked >= 0])
    return influence


def _unlisted(relevance: Relevance, queries: Rows, query_rows: Rows, sums: Floats, listed: Rows, cutoff: int) -> Floats:
    """Return the influence on average precision of relevant items that are not listed: the divisor is one less."""
    influence = np.zeros(len(query_rows))
    n_relevant = relevance.n_relevant[queries]
    few = np.flatnonzero((n_relevant <= cutoff) & (sums > 0))
    for part in np.array_split(few, max(1, len(few) * len(query_rows) // _PAIRS)):
        grades = relevance.grades(queries[part], np.broadcast_to(query_rows, (len(part), len(query_rows))))
        unlisted = (grades > 0) & (query_rows >= 0)
        query, column = np.nonzero(listed[part] >= 0)
        unlisted[query, listed[part][query, column]] = False
        of_all, of_one_less = (_ratio(sums[part], n_relevant[part] - less) for less in (0, 1))
        influence += (of_all - of_one_less) @ unlisted
    return influence


def with_influence(per_query: Floats, influence: Floats) -> Floats:
    """Return the jackknife values of the items (n,): their mean is that of `per_query`, their spread its uncertainty.

    Examples
    --------
    >>> with_influence(np.array([0.5, 1.0]), np.array([-0.25, 0.75])).tolist()
    [0.0, 1.5]
    """
    return np.asarray(per_query + influence - influence.mean())


def _needed(rankings: Rankings, queries: Rows, cutoff: int) -> Rankings:
    """Return the lists of some queries as far as a measure needs them: with the group of the first answer behind it."""
    scores, rows, size = rankings.scores[queries], rankings.rows[queries], rankings.group_size[queries]
    changes = scores[:, cutoff + 1 :] != scores[:, cutoff:-1]
    if not changes.size or not changes.any(axis=1).all():  # a group goes on to the end
        return Rankings(scores, rows, size, rankings.group_tally[queries])
    width = int(changes.argmax(axis=1).max()) + cutoff + 1
    return Rankings(scores[:, :width], rows[:, :width], np.zeros_like(size), rankings.group_tally[queries])


def _precision_gains(rankings: Rankings, relevant: Floats, n_relevant: NDArray[np.int64], cutoff: int) -> Floats:
    """Return the expected precision minus that without each answer (m, depth), under a random order of equal scores.

    An answer in a group of equal scores that is cut counts by the share of the group that is inside. Without an answer,
    another one of that group moves in or, if the group is then used up, the next group.
    """
    depth = relevant.shape[1]
    start, size, hits = _groups(rankings, relevant)
    inside = np.clip(cutoff - start, 0, None)  # places for the group
    cut = np.minimum(cutoff, depth) - 1
    share = hits / size
    at_cut = (start[:, [cut]], size[:, [cut]], share[:, [cut]])
    left = at_cut[0] + at_cut[1] - cutoff  # members of the cut group outside
    behind = np.minimum(at_cut[0] + at_cut[1], depth - 1).astype(int)
    following = np.take_along_axis(share, behind, axis=1)
    is_end = at_cut[0] + at_cut[1] >= depth  # nothing is known behind the list
    goes_on = (relevant.sum(axis=1) < n_relevant)[:, None] & (depth >= cutoff)
    following = np.where(is_end, np.where(goes_on, at_cut[2], 0.0), following)
    entering = np.where(left > 0, at_cut[2], following)
    whole = relevant - entering  # an answer that is inside in every order
    partly = np.divide(inside, size - 1, out=np.zeros_like(size), where=size > 1) * (relevant - share)
    return np.asarray(np.where(inside >= size, whole, np.where(inside > 0, partly, 0.0)) / cutoff)


def _groups(rankings: Rankings, relevant: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the first rank of the group of equal scores of every answer, its size, and its relevant items."""
    scores = rankings.scores
    n, depth = scores.shape
    first = np.ones((n, depth), bool)
    first[:, 1:] = scores[:, 1:] != scores[:, :-1]
    number = np.cumsum(first, axis=1) - 1 + depth * np.arange(n)[:, None]
    size = np.bincount(number.ravel(), minlength=n * depth).astype(float)[number]
    hits = np.bincount(number.ravel(), relevant.ravel(), minlength=n * depth)[number]
    start = np.maximum.accumulate(np.where(first, np.arange(depth), 0), axis=1).astype(float)
    open_ended = rankings.group_size > 0
    last = open_ended[:, None] & (start == start[:, [-1]])
    size = np.where(last, rankings.group_size[:, None], size)
    hits = np.where(last, rankings.group_tally.sum(axis=1)[:, None], hits)
    return start, size, hits


class _PrecisionGains(NamedTuple):
    """The sum of the precisions of every query (m,), and what each answer adds to the average precision (m, depth).

    Answers `beyond` the cutoff in every order of equal scores add nothing.
    """

    sums: Floats
    gains: Floats
    beyond: NDArray[np.bool_]


def _average_precision_gains(
    rankings: Rankings, relevant: Floats, n_relevant: NDArray[np.int64], cutoff: int
) -> _PrecisionGains:
    """Return the expected average precision minus that without each answer, under a random order of equal scores.

    In a group of m equal scores with r relevant items, each place holds a relevant item with probability r/m, and each
    place before it in the group then holds another one with probability (r - 1)/(m - 1) (McSherry & Najork 2008).
    Without an answer, its group has a member less, and later answers move up by one; the divisor, min(cutoff, number
    of relevant items), may be smaller by one.
    """
    depth = relevant.shape[1]
    cut = min(cutoff, depth)
    start, size, hits = _groups(rankings, relevant)
    first = start.astype(int)
    before = np.take_along_axis(np.cumsum(relevant, axis=1) - relevant, first, axis=1)  # found before the group
    share, others = hits / size, _ratio(hits - 1, size - 1)
    expected_hits = before + 1 + (np.arange(depth) - start) * others  # with the answer itself, where it is relevant
    if cut == depth:  # nothing is known behind the list: it goes on like the last group
        is_open = start[:, -1:] + size[:, -1:] > depth
        expected_hits = np.append(
            expected_hits,
            np.where(is_open, expected_hits[:, -1:] + others[:, -1:], (before + hits)[:, -1:] + 1),
            axis=1,
        )
        goes_on = is_open | (relevant.sum(axis=1) < n_relevant)[:, None]
        share = np.append(share, share[:, -1:] * (goes_on & (depth >= cutoff)), axis=1)
    share, expected_hits = share[:, : cut + 1], expected_hits[:, : cut + 1]
    ranks = np.arange(1.0, cut + 2)
    up_to = _before(share * expected_hits / ranks)
    moved = np.maximum(ranks - 1, 1)
    behind = np.minimum(start + size, cut + 1).astype(int)
    after, count_after = (
        np.take_along_axis(parts.sum(axis=1, keepdims=True) - _before(parts), behind, axis=1)
        for parts in (share * expected_hits / moved, share / moved)
    )
    earlier = np.take_along_axis(up_to, np.minimum(first, cut), axis=1)
    rest, rest_hits = size - 1, hits - relevant
    inside = np.clip(np.minimum(rest, cut - start), 0, None)
    harmonic = np.append(0.0, np.cumsum(1 / ranks))
    inverse = harmonic[np.minimum(first + inside.astype(int), cut)] - harmonic[np.minimum(first, cut)]
    spread = inside - (start + 1) * inverse
    within = _ratio(rest_hits, rest) * ((before + 1) * inverse + _ratio(rest_hits - 1, rest - 1) * spread)
    without = earlier + within + after - relevant * count_after
    divisor, left = np.minimum(cutoff, n_relevant)[:, None], np.minimum(cutoff, n_relevant[:, None] - relevant)
    beyond = start >= cut
    sums = up_to[:, cut]
    return _PrecisionGains(sums, np.where(beyond, 0, _ratio(sums[:, None], divisor) - _ratio(without, left)), beyond)


def _before(values: Floats) -> Floats:
    """Return the sums of the values before each column, and of all (m, n + 1)."""
    return np.cumsum(np.concatenate([np.zeros((len(values), 1)), values], axis=1), axis=1)


def _ratio(values: Floats, divisor: Floats | NDArray[np.int64]) -> Floats:
    return np.divide(values, divisor, out=np.zeros_like(values), where=divisor > 0)
