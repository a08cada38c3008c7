"""The influence of items that are queries AND answers: what the values of one query tell about those of the others.

Where every item is asked for the items of its class, the queries are not independent: an item that is a wrong answer
to one query usually has that query as a wrong answer of its own. A test that takes the queries as independent calls
equal spaces different far too often (`benchmarks/items_as_queries.py`: 21 % instead of 5 %). The jackknife asks how
the mean changes when an item is missing, as a query and as an answer; the variance of these values is the variance of
the mean, never too small on average.

References
----------
Efron & Stein, The jackknife estimate of variance, Annals of Statistics 9, 1981 (the bias is upwards); Hoeffding, A
class of statistics with asymptotically normal distribution, Annals of Mathematical Statistics 19, 1948, section 5
(means over pairs).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from encoders.errors import OptionError
from retrieval.evaluation.measures import Floats, Measure, parse_measure
from retrieval.evaluation.ranking import Rankings, Rows
from retrieval.evaluation.relevance import Relevance

#: Random orders of equal scores over which average precision is taken.
_ORDERS = 8
#: Numbers in one array at a time: 32 MiB of float64.
_BLOCK = 2**22


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
        The row of each query itself; -1 when the query is not an item, so that it is nobody's answer.
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
        asked = query_of[rankings.rows[queries]]
        relevant = (relevance.grades(queries, rankings.rows[queries]) > 0).astype(float)
        if measure.name == "P":
            gains = _precision_gains(rankings, queries, relevant, measure.cutoff)
        else:
            gains = _mean_over_orders(rankings, queries, relevant, relevance.n_relevant[queries], measure.cutoff)
            cut = min(measure.cutoff, relevant.shape[1])
            influence += _unlisted(relevance, queries, query_rows, relevant[:, :cut], asked[:, :cut], measure.cutoff)
        np.add.at(influence, asked[asked >= 0], gains[asked >= 0])
    return influence


def _unlisted(
    relevance: Relevance, queries: Rows, query_rows: Rows, relevant: Floats, asked: Rows, cutoff: int
) -> Floats:
    """Return the influence on average precision of relevant items that are not listed: the divisor is one less."""
    influence = np.zeros(len(query_rows))
    n_relevant = relevance.n_relevant[queries]
    few = np.flatnonzero((n_relevant <= cutoff) & relevant.any(axis=1))
    sums = (relevant * np.cumsum(relevant, axis=1) / np.arange(1.0, relevant.shape[1] + 1)).sum(axis=1)
    for part in np.array_split(few, max(1, len(few) * len(query_rows) // _BLOCK)):
        grades = relevance.grades(queries[part], np.broadcast_to(query_rows, (len(part), len(query_rows))))
        unlisted = (grades > 0) & (query_rows >= 0)
        listed = asked[part]
        query, column = np.nonzero(listed >= 0)
        unlisted[query, listed[query, column]] = False
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


def _precision_gains(rankings: Rankings, queries: Rows, relevant: Floats, cutoff: int) -> Floats:
    """Return the expected precision minus that without each answer (m, depth), under a random order of equal scores.

    An answer in a group of equal scores that is cut counts by the share of the group that is inside. Without an answer,
    another one of that group moves in or, if the group is then used up, the next group.
    """
    depth = relevant.shape[1]
    start, size, hits = _groups(rankings, queries, relevant)
    inside = np.clip(cutoff - start, 0, None)  # places for the group
    cut = np.minimum(cutoff, depth) - 1
    share = hits / size
    at_cut = (start[:, [cut]], size[:, [cut]], share[:, [cut]])
    left = at_cut[0] + at_cut[1] - cutoff  # members of the cut group outside
    behind = np.minimum(at_cut[0] + at_cut[1], depth - 1).astype(int)
    following = np.take_along_axis(share, behind, axis=1)
    is_end = at_cut[0] + at_cut[1] >= depth  # nothing is known behind the list
    following = np.where(is_end, at_cut[2] if depth >= cutoff else 0.0, following)
    entering = np.where(left > 0, at_cut[2], following)
    whole = relevant - entering  # an answer that is inside in every order
    partly = np.divide(inside, size - 1, out=np.zeros_like(size), where=size > 1) * (relevant - share)
    return np.asarray(np.where(inside >= size, whole, np.where(inside > 0, partly, 0.0)) / cutoff)


def _groups(rankings: Rankings, queries: Rows, relevant: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the first rank of the group of equal scores of every answer, its size, and its relevant items."""
    scores = rankings.scores[queries]
    n, depth = scores.shape
    first = np.ones((n, depth), bool)
    first[:, 1:] = scores[:, 1:] != scores[:, :-1]
    number = np.cumsum(first, axis=1) - 1 + depth * np.arange(n)[:, None]
    size = np.bincount(number.ravel(), minlength=n * depth).astype(float)[number]
    hits = np.bincount(number.ravel(), relevant.ravel(), minlength=n * depth)[number]
    start = np.maximum.accumulate(np.where(first, np.arange(depth), 0), axis=1).astype(float)
    open_ended = rankings.group_size[queries] > 0
    last = open_ended[:, None] & (start == start[:, [-1]])
    size = np.where(last, rankings.group_size[queries][:, None], size)
    hits = np.where(last, rankings.group_tally[queries].sum(axis=1)[:, None], hits)
    return start, size, hits


def _mean_over_orders(
    rankings: Rankings, queries: Rows, relevant: Floats, n_relevant: NDArray[np.int64], cutoff: int
) -> Floats:
    """Return `_average_precision_gains` (m, depth), their mean over random orders of equal scores."""
    depth = relevant.shape[1]
    cut = min(cutoff, depth)
    start, size, _ = _groups(rankings, queries, relevant)
    tied = (size > 1).any()
    rng, total = np.random.default_rng(0), np.zeros_like(relevant)
    orders = _ORDERS if tied else 1
    for _ in range(orders):
        order = np.lexsort((rng.random(relevant.shape), start), axis=1) if tied else np.arange(depth)[None]
        order = np.broadcast_to(order, relevant.shape)
        shown = np.take_along_axis(relevant, order, axis=1)
        following = shown[:, [cut]] if cut < depth else shown[:, [-1]] if depth >= cutoff else np.zeros((len(shown), 1))
        gains = np.zeros_like(relevant)
        gains[:, :cut] = _average_precision_gains(shown[:, :cut], following, n_relevant, cutoff)
        np.put_along_axis(total, order, np.take_along_axis(total, order, axis=1) + gains, axis=1)
    # of an open-ended group, only some members are listed: each has the share of the places that fall to it
    listed = np.minimum(depth - start, size)
    return np.asarray(total / orders * listed / size)


def _average_precision_gains(relevant: Floats, following: Floats, n_relevant: NDArray[np.int64], cutoff: int) -> Floats:
    """Return the average precision minus that without each answer, (m, cut): all later answers move up by one.

    Without answer p, a later relevant answer at rank q is found at rank q - 1, after one relevant answer less if p was
    relevant; the divisor, min(cutoff, number of relevant items), may be smaller by one.
    """
    whole = np.concatenate([relevant, following], axis=1)
    found = np.cumsum(whole, axis=1)
    ranks = np.arange(1.0, whole.shape[1] + 1)
    earlier = np.zeros_like(whole)  # the sum over the answers before p, which stay
    np.cumsum((whole * found / ranks)[:, :-1], axis=1, out=earlier[:, 1:])
    moved = np.maximum(ranks - 1, 1)
    after, count_after = (_sum_after(whole * part / moved) for part in (found, np.ones_like(found)))
    total = (whole * found / ranks)[:, :-1].sum(axis=1, keepdims=True)
    divisor = np.minimum(cutoff, n_relevant)[:, None]
    left = np.minimum(cutoff, n_relevant[:, None] - relevant)
    without = earlier[:, :-1] + (after - whole * count_after)[:, :-1]
    return np.asarray(_ratio(total, divisor) - _ratio(without, left))


def _sum_after(values: Floats) -> Floats:
    """Return the sum of the later values of each row."""
    return np.asarray(values.sum(axis=1, keepdims=True) - np.cumsum(values, axis=1))


def _ratio(values: Floats, divisor: Floats | NDArray[np.int64]) -> Floats:
    return np.divide(values, divisor, out=np.zeros_like(values), where=divisor > 0)
