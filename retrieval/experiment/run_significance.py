"""Which differences between the rows of a comparison are real, and whether the best is better than a random order."""

from __future__ import annotations

from collections.abc import Iterable

from retrieval.evaluation.chance import is_above_chance
from retrieval.evaluation.jackknife import query_influence, with_influence
from retrieval.evaluation.multiple_comparison import MultipleComparison, multiple_comparison
from retrieval.evaluation.ranking import Rows
from retrieval.evaluation.ranking_measures import Floats
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import SpaceRun
from retrieval.experiment.score import score_run
from retrieval.experiment.scored_run import ScoredRun


def influence_of(query_set: QuerySet, run: SpaceRun, measures: Iterable[str]) -> dict[str, Floats]:
    """Measure -> what every query contributes to the values of the others; see `query_influence`."""
    return {
        measure: query_influence(run.rankings, query_set.relevance, query_set.query_rows, measure)
        for measure in measures
    }


def scored(query_set: QuerySet, run: SpaceRun) -> ScoredRun:
    """The measures of a run, and the influence of its queries on each other."""
    expected = score_run(query_set, run)
    return ScoredRun(expected, influence_of(query_set, run, expected.per_query))


def significance_of(
    labels: list[str], runs: list[ScoredRun], repeats: Rows | None = None
) -> dict[str, MultipleComparison]:
    """Measure -> the differences of all pairs of the rows that have the measure; `repeats` as in `QuerySet`."""
    measures = dict.fromkeys(measure for run in runs for measure in run.expected.per_query)
    comparisons = {}
    for measure in measures:
        rows = {label: run for label, run in zip(labels, runs, strict=False) if measure in run.expected.per_query}
        comparisons[measure] = multiple_comparison(
            {label: run.expected.per_query[measure] for label, run in rows.items()},
            {label: run.influence[measure] for label, run in rows.items()},
            {label: run.means_of_seeds[measure] for label, run in rows.items() if run.means_of_seeds},
            repeats=repeats,
        )
    return comparisons


def above_chance(runs: list[ScoredRun], chance: dict[str, Floats], repeats: Rows | None = None) -> dict[str, bool]:
    """Measure -> whether the best row is better than a random order."""
    above = {}
    for measure, at_random in chance.items():
        rows = [run for run in runs if measure in run.expected.per_query]
        best = max(rows, key=lambda run: float(run.expected.per_query[measure].mean()))
        values = with_influence(best.expected.per_query[measure], best.influence[measure])
        above[measure] = is_above_chance(values, at_random, len(rows), repeats=repeats)
    return above
