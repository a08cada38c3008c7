"""The chance level: the measures of a space that orders the items at random."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.measures import Measure
from retrieval.evaluation.multiple_comparison import multiple_comparison
from retrieval.evaluation.ranking import Rankings, Rows, without_query_rows
from retrieval.evaluation.ranking_measures import Floats
from retrieval.evaluation.relevance import Relevance

_CHANCE, _BEST = "chance", "best"


def chance_measures(
    relevance: Relevance, query_rows: Rows, n_items: int, measures: Iterable[str | Measure], depth: int
) -> dict[str, Floats]:
    """Return the expected measures of a random order of all items, exactly: one group of equal scores.

    Parameters
    ----------
    relevance : Relevance
        Of n queries.
    query_rows : ndarray int64 (n,)
        The row of each query itself, which is never its own answer; -1 when the query is not an item.
    n_items : int
    measures : iterable of str or Measure
    depth : int
        Number of answers that are scored.

    Returns
    -------
    dict of str to ndarray float64 (n,)

    Examples
    --------
    >>> from retrieval.evaluation.relevance import LabelRelevance
    >>> relevance = LabelRelevance(["a", "b", "a", "b", "b"], ["a"], np.array([0]))
    >>> chance_measures(relevance, np.array([0]), 5, ["P@2"], 100)["P@2"].tolist()
    [0.25]
    """
    rows = np.broadcast_to(np.arange(min(depth + 1, n_items)), (len(relevance), min(depth + 1, n_items)))
    scores, rows = without_query_rows(np.zeros(rows.shape, np.float32), rows, query_rows)
    scores, rows = scores[:, :depth], rows[:, :depth]
    others = n_items - (query_rows >= 0)
    group_size = np.where(others > depth, others, 0)
    rankings = Rankings(scores, rows, group_size, relevance.totals())
    return expected_measures(rankings, relevance, measures, complete=True, bounds=False).per_query


def is_above_chance(
    best: Floats, chance: Floats, n_spaces: int, alpha: float = 0.05, repeats: Rows | None = None
) -> bool:
    """Return whether the best of several spaces is better than a random order.

    The best is chosen after looking at all spaces, so the error is shared among them (Bonferroni).

    Parameters
    ----------
    best, chance : ndarray float64 (n_queries,)
        The same measure, query by query; of queries that answer each other, the jackknife values
        (`retrieval.evaluation.jackknife.with_influence`).
    n_spaces : int
        Number of spaces of which it is the best.
    alpha : float
        Probability of calling the best of `n_spaces` random orders better than a random order.
    repeats : ndarray int64 (n_queries,), optional
        See `multiple_comparison`.

    Examples
    --------
    >>> is_above_chance(np.full(40, 0.5), np.full(40, 0.1), 3), is_above_chance(np.full(40, 0.1), np.full(40, 0.1), 3)
    (True, False)
    """
    comparison = multiple_comparison({_BEST: best, _CHANCE: chance}, alpha=alpha / max(1, n_spaces), repeats=repeats)
    return comparison.order[0] == _BEST and comparison.differences[0].is_significant
