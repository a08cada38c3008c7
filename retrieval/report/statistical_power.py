"""Statistical power: which difference between spaces the queries would show, and how many more would decide."""

from __future__ import annotations

import math

from encoders.numbers import counted
from retrieval.evaluation.difference import Difference
from retrieval.experiment.result import Comparison
from retrieval.report.leaders import main_measure, other_of, ties

#: Above this, a number of queries is not worth saying.
MANY_QUERIES = 1_000_000


def undecided(comparison: Comparison) -> str | None:
    """Return which difference the queries would show, where a space does not differ significantly from the best.

    A tie alone says little: the spaces may be equivalent, or the queries too few to show their difference.
    """
    significance, _, unclear = ties(comparison)
    if significance is None:
        return _power_at_chance(comparison)
    if not unclear:
        return None
    nearest = min(unclear, key=lambda pair: math.inf if pair.more_queries is None else pair.more_queries)
    return _power(nearest, significance.n_queries, rival=other_of(nearest, significance.order[0]))


def _power_at_chance(comparison: Comparison) -> str | None:
    """Return which difference between spaces the queries would show, where none is better than a random order."""
    measure = main_measure(comparison) or ""
    significance = comparison.significance.get(measure)
    if significance is None or comparison.above_chance.get(measure, True):
        return None
    if not significance.differences:
        return None
    smallest = min(pair.detectable for pair in significance.differences)
    if smallest < 0.0005:  # two spaces have the same value for every query: that says nothing of other queries
        return None
    if not math.isfinite(smallest) or smallest >= 1:
        return _too_few(significance.n_queries)
    return f"{_shown(significance.n_queries, smallest)}."


def _power(nearest: Difference, n_queries: int, rival: str) -> str:
    """Return which difference these queries would show, and how many more would settle the nearest case."""
    if not math.isfinite(nearest.detectable) or nearest.detectable >= 1:
        return _too_few(n_queries)
    text = _shown(n_queries, nearest.detectable)
    if not nearest.more_queries:
        return f"{text}."
    if nearest.more_queries > MANY_QUERIES:
        return f"{text}; to decide between the best and {rival}, more than {MANY_QUERIES:,} more would be needed."
    return f"{text}; about {rounded(nearest.more_queries):,} more would decide between the best and {rival}."


def _shown(n_queries: int, difference: float) -> str:
    queries = counted(n_queries, "query", "queries")
    return f"With {queries}, a true difference of {difference:.3f} is found in 8 of 10 cases"


def _too_few(n_queries: int) -> str:
    return f"{counted(n_queries, 'query', 'queries')} {'is' if n_queries == 1 else 'are'} too few to compare spaces."


def rounded(count: int) -> int:
    """Return a count with two significant digits.

    Examples
    --------
    >>> rounded(7), rounded(1234)
    (7, 1200)
    """
    unit: int = 10 ** max(0, len(str(count)) - 2)
    return round(count / unit) * unit
