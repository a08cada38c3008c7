"""The best space on the main measure, the spaces tied with it, and how far others are behind."""

from __future__ import annotations

import math

from retrieval.evaluation.difference import Difference, Verdict
from retrieval.evaluation.multiple_comparison import MultipleComparison
from retrieval.evaluation.significance import Interval
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.comparison_columns import measures_of


def main_measure(comparison: Comparison) -> str | None:
    """Return the measure by which the spaces are ranked: the first that is shown."""
    return next(iter(measures_of(comparison)), None)


def leaders(comparison: Comparison) -> tuple[SpaceResult, list[SpaceResult]] | None:
    """Return the best space on the main measure and the spaces tied with it; None when nothing is measured."""
    measure = main_measure(comparison)
    if measure is None:
        return None
    ranked = [space for space in comparison.spaces if math.isfinite(space.measures.get(measure, math.nan))]
    if not ranked:
        return None
    best = max(ranked, key=lambda space: space.measures[measure])
    top = best.measures[measure]
    tied = [
        space
        for space in ranked
        if space is not best and (space.tied_with_best.get(measure, False) or space.measures[measure] == top)
    ]
    return best, tied


def ties(comparison: Comparison) -> tuple[MultipleComparison | None, list[Difference], list[Difference]]:
    """Return the comparison on the main measure, and its pairs of the best with equivalent and undecided spaces."""
    led = leaders(comparison)
    significance = comparison.significance.get(main_measure(comparison) or "")
    if led is None or significance is None or not comparison.above_chance.get(main_measure(comparison) or "", True):
        return None, [], []
    best, tied = led
    pairs = [significance.of(best.label, space.label) for space in tied]
    equivalent = [pair for pair in pairs if pair.verdict is Verdict.EQUIVALENT]
    return significance, equivalent, [pair for pair in pairs if pair.verdict is Verdict.CANNOT_TELL]


def best_minus(significance: MultipleComparison, best: SpaceResult, other: SpaceResult) -> Interval:
    """Return the 95% interval of the best space minus another; a pair of equal means may be in the other order."""
    pair = significance.of(best.label, other.label)
    low, high = pair.interval
    return Interval(low, high) if pair.first == best.label else Interval(-high, -low)


def other_of(pair: Difference, label: str) -> str:
    """Return the space of a pair that is not the named one."""
    return pair.second if pair.first == label else pair.first
