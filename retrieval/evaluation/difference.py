"""The difference of two spaces in one measure, and what the queries say about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from retrieval.evaluation.significance import Interval


class Verdict(StrEnum):
    """What the queries say about the difference of two spaces."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Difference:
    """The difference of two spaces in one measure.

    Attributes
    ----------
    first, second : str
    difference : float
        Mean of the first minus mean of the second.
    interval : Interval
        95 % interval, for all pairs at the same time; infinite when there are too few queries for one.
    p_value : float
        Corrected for the number of pairs.
    effect_size : float
        The difference divided by the standard deviation of the differences of the queries (Cohen's d for pairs).
    wins, ties, losses : int
        Number of queries on which the first is better, equal, worse.
    detectable : float
        The smallest true difference that as many queries would find significant with a probability of 80 %.
    more_queries : int or None
        About how many more queries would settle it, if the true difference is the observed one; 0 if it is settled,
        None if no number would.
    verdict : Verdict
        Of the first against the second.
    """

    first: str
    second: str
    difference: float
    interval: Interval
    p_value: float
    effect_size: float
    wins: int
    ties: int
    losses: int
    detectable: float
    more_queries: int | None
    verdict: Verdict

    @property
    def is_significant(self) -> bool:
        """Whether the two differ significantly."""
        return self.verdict in (Verdict.BETTER, Verdict.WORSE)
