"""The difference of two spaces in one measure, and what the queries say about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from retrieval.evaluation.seed_variance import StandardError, with_seeds
from retrieval.evaluation.significance import Floats, Interval

#: Standard normal quantile of the power, 80%, with which `Difference.detectable` is found.
_POWER = 0.8416
#: What rounding may change of a value, relative to it.
_ROUNDING = 1e-12


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
        95% interval, for all pairs at the same time; infinite when there are too few queries for one.
    p_value : float
        Corrected for the number of pairs.
    effect_size : float
        The difference divided by the standard deviation of the differences of the queries (Cohen's d for pairs).
    wins, ties, losses : int
        Number of queries on which the first is better, equal, worse.
    detectable : float
        The smallest true difference that as many queries would find significant with a probability of 80%.
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


class Settings(NamedTuple):
    """What the verdict on every pair depends on: `bound` is the largest difference that the measure can have."""

    alpha: float
    margin: float
    bound: float


@dataclass(frozen=True)
class PairedGaps:
    """The mean of the differences of two spaces over n queries, and its standard error.

    Attributes
    ----------
    mean, deviation : float
        Of the differences of the queries.
    n_queries : int
    error : StandardError
        With the part of the seeds.
    seed_share : float
        Share of the seeds in the variance of the mean; no number of queries makes it smaller.
    """

    mean: float
    deviation: float
    n_queries: int
    error: StandardError
    seed_share: float

    @classmethod
    def of(cls, gaps: Floats, means_of_seeds: Sequence[ArrayLike]) -> Self:
        """Return the mean and its error from the differences of the queries (n_queries,) and the means of seeds."""
        n_queries = len(gaps)
        mean = float(gaps.mean()) if n_queries else 0.0
        mean = mean if abs(mean) > _ROUNDING * float(np.abs(gaps).max(initial=0)) else 0.0
        deviation = float(gaps.std(ddof=1)) if n_queries > 1 else math.inf
        of_queries = deviation / math.sqrt(max(1, n_queries))
        error = with_seeds(of_queries, n_queries, *means_of_seeds)
        known = math.isfinite(error.value) and error.value > 0
        return cls(mean, deviation, n_queries, error, 1 - (of_queries / error.value) ** 2 if known else 0.0)

    @property
    def without_seeds(self) -> bool:
        """Whether only the queries make the mean uncertain."""
        return self.seed_share == 0

    @property
    def statistic(self) -> float:
        """The t statistic with n - 1 degrees of freedom that has the p-value of the difference."""
        return self.error.as_of(self.n_queries - 1, self.mean / self.error.value)


def difference_of(
    names: tuple[str, str], pair: PairedGaps, of_queries: Floats, p_value: float, critical: float, settings: Settings
) -> Difference:
    """Return the difference of two spaces with its interval and verdict.

    Parameters
    ----------
    names : (str, str)
        The better one first.
    pair : PairedGaps
    of_queries : ndarray float64 (n_queries,)
        The differences of the queries, for wins and losses.
    p_value : float
        Corrected for the number of pairs.
    critical : float
        The t statistic, with n - 1 degrees of freedom, above which a difference is significant.
    settings : Settings
    """
    mean, error = pair.mean, pair.error.value
    critical = pair.error.from_of(pair.n_queries - 1, critical)
    # the same difference on every query has no spread, but few queries agree by chance
    spread = error > _ROUNDING * abs(mean) or math.isinf(critical)
    half, detectable = (critical * error, (critical + _POWER) * error) if spread and error > 0 else (0.0, 0.0)
    if math.isinf(critical):
        half = detectable = math.inf
    interval = Interval(max(-settings.bound, mean - half), min(settings.bound, mean + half))
    verdict = _verdict(pair, p_value, interval, settings)
    return Difference(
        *names,
        difference=mean,
        interval=interval,
        p_value=p_value,
        effect_size=_effect_size(mean, pair.deviation),
        wins=int((of_queries > 0).sum()),
        ties=int((of_queries == 0).sum()),
        losses=int((of_queries < 0).sum()),
        detectable=min(settings.bound, detectable),
        more_queries=_more_queries(pair, half, detectable, settings.margin, verdict),
        verdict=verdict,
    )


def _effect_size(mean: float, deviation: float) -> float:
    if deviation > _ROUNDING * abs(mean):
        return mean / deviation
    return math.copysign(math.inf, mean) if mean else 0.0


def _verdict(pair: PairedGaps, p_value: float, interval: Interval, settings: Settings) -> Verdict:
    if pair.n_queries and p_value < settings.alpha:
        return Verdict.BETTER if pair.mean > 0 else Verdict.WORSE
    if pair.n_queries > 1 and -settings.margin <= interval.low and interval.high <= settings.margin:
        return Verdict.EQUIVALENT
    return Verdict.CANNOT_TELL


def _more_queries(pair: PairedGaps, half: float, detectable: float, margin: float, verdict: Verdict) -> int | None:
    """Return how many more queries would make the difference significant, or the two equivalent."""
    if verdict is not Verdict.CANNOT_TELL:
        return 0
    if not math.isfinite(detectable):
        return None
    wanted = []  # the variance of the mean that would settle it, as a share of the present one
    if pair.mean != 0 and detectable > 0:
        wanted.append((abs(pair.mean) / detectable) ** 2)
    if abs(pair.mean) < margin and half > 0:
        wanted.append(((margin - abs(pair.mean)) / half) ** 2)
    ways = [(1 - pair.seed_share) / (share - pair.seed_share) for share in wanted if share > pair.seed_share]
    return max(1, math.ceil(pair.n_queries * min(ways)) - pair.n_queries) if ways else None
