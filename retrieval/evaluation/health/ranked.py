"""The rankings of a matrix of scores, with what is needed to take the mean over all orders of equal scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.jackknife import query_influence
from retrieval.evaluation.ranking import Rankings
from retrieval.evaluation.relevance import Relevance

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """What the queries of one space found.

    Attributes
    ----------
    values : ndarray float64 (n_queries,)
        The expected measure of every query.
    rankings : Rankings
    """

    values: Floats
    rankings: Rankings


def measured(scores: Floats, relevance: Relevance, measure: str, depth: int = 10) -> Answers:
    """Return the expected measure of every query.

    Parameters
    ----------
    scores : ndarray float64 (n_queries, n_items)
        Larger is better; -inf where an item is no answer.
    relevance : Relevance
        For the same queries and items.
    measure : str
        With a cutoff of at most `depth`, e.g. ``P@10``.

    Examples
    --------
    >>> from retrieval.evaluation.relevance import LabelRelevance
    >>> relevance = LabelRelevance(["a", "b"], ["a"], np.array([-1]))
    >>> measured(np.array([[1.0, 1.0]]), relevance, "P@1").values
    array([0.5])
    """
    rankings = rankings_of(scores, relevance, depth)
    return Answers(expected_measures(rankings, relevance, [measure], complete=True).per_query[measure], rankings)


def influence(
    answers: Answers, relevance: Relevance, query_rows: NDArray[np.int64], measure: str, chosen: Any
) -> Floats:
    """Return what each chosen query contributes, as an answer, to the values of the other chosen ones.

    Zero where the queries are no items, which are independent; see `retrieval.evaluation.jackknife`.
    """
    rankings = answers.rankings
    some = Rankings(
        rankings.scores[chosen], rankings.rows[chosen], rankings.group_size[chosen], rankings.group_tally[chosen]
    )
    return query_influence(some, relevance.select(chosen), query_rows[chosen], measure)


def rankings_of(scores: Floats, relevance: Relevance, depth: int) -> Rankings:
    """Return the first answers of every query, and the groups of equal scores in which the lists end."""
    n = scores.shape[1]
    depth = min(depth, n)
    best = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    values = np.take_along_axis(scores, best, axis=1)
    order = np.lexsort((best, -values), axis=1)
    rows, values = np.take_along_axis(best, order, axis=1), np.take_along_axis(values, order, axis=1)
    last = values[:, -1]
    size = np.zeros(len(scores), np.int64)
    tally = np.zeros((len(scores), len(relevance.levels)), np.int64)
    equal = scores == last[:, None]
    shown = (values == last[:, None]).sum(axis=1)
    for query in np.flatnonzero(np.isfinite(last) & (equal.sum(axis=1) > shown)):
        group = np.flatnonzero(equal[query])
        size[query], tally[query] = len(group), relevance.tally(int(query), group)
    known = np.isfinite(values)
    return Rankings(_steps(values, known), np.where(known, rows, -1), size, tally)


def _steps(values: Floats, known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return 0, -1, ... for each distinct value of a list: float32 numbers that are equal where the float64 are."""
    steps = np.zeros(values.shape, np.float32)
    steps[:, 1:] = np.cumsum(values[:, 1:] != values[:, :-1], axis=1)
    return np.where(known, -steps, -np.inf).astype(np.float32)
