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
        Of n queries. Where a list ends at the cutoff of the measure, the answer that would move up counts like the
        last one.
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
    if measure.name not in _GAINS or measure.cutoff is None:
        raise OptionError(f"the jackknife knows P@k and AP@k; got {measure}")
    query_of = np.full(int(max(rankings.rows.max(initial=0), query_rows.max(initial=0))) + 2, -1)
    query_of[query_rows] = np.where(query_rows >= 0, np.arange(len(query_rows)), -1)
    query_of[-1] = -1  # for row -1, which is no item
    influence = np.zeros(len(query_rows))
    step = max(1, _BLOCK // max(1, rankings.rows.shape[1]))
    for start in range(0, len(rankings), step):
        queries = np.arange(start, min(start + step, len(rankings)))
        rows = rankings.rows[queries]
        relevant = (relevance.grades(queries, rows) > 0).astype(float)
        cut = min(measure.cutoff, rows.shape[1])
        following = relevant[:, [min(cut, rows.shape[1] - 1)]]
        gains = _GAINS[measure.name](relevant[:, :cut], following, relevance.n_relevant[queries], measure.cutoff)
        asked = query_of[rows[:, :cut]]
        np.add.at(influence, asked[asked >= 0], gains[asked >= 0])
        if measure.name == "AP":
            influence += _unlisted(relevance, queries, query_rows, relevant[:, :cut], asked, measure.cutoff)
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


def _precision_gains(relevant: Floats, following: Floats, n_relevant: NDArray[np.int64], cutoff: int) -> Floats:
    """Return the precision minus that without each answer, (m, cut): the next answer moves up."""
    return np.asarray((relevant - following) / cutoff)


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


_GAINS = {"P": _precision_gains, "AP": _average_precision_gains}
