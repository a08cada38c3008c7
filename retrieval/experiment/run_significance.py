"""Which differences between the rows of a comparison are real, and whether the best is better than a random order."""

from __future__ import annotations

import numpy as np

from retrieval.evaluation.chance import is_above_chance
from retrieval.evaluation.expected_measures import Expected
from retrieval.evaluation.jackknife import answer_influence, with_influence
from retrieval.evaluation.measures import Floats
from retrieval.evaluation.multiple_comparison import MultipleComparison, multiple_comparison
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import SpaceRun


def influence_of(query_set: QuerySet, run: SpaceRun, evaluation: Expected) -> dict[str, Floats]:
    """Measure -> what every query contributes to the others' values: items that are queries answer each other.

    With judgements, or with queries that are no items, the queries are independent.
    """
    if query_set.qrels is not None or not (query_set.query_rows >= 0).any():
        return {measure: np.zeros(len(values)) for measure, values in evaluation.per_query.items()}
    return {
        measure: answer_influence(run.rankings, query_set.relevance, query_set.query_rows, measure)
        for measure in evaluation.per_query
    }


def significance_of(
    labels: list[str], evaluations: list[Expected], influences: list[dict[str, Floats]]
) -> dict[str, MultipleComparison]:
    """Measure -> the differences of all pairs of the rows that have the measure."""
    measures = dict.fromkeys(measure for evaluation in evaluations for measure in evaluation.per_query)
    found = {}
    for measure in measures:
        rows = [at for at, evaluation in enumerate(evaluations) if measure in evaluation.per_query]
        per_query = {labels[at]: evaluations[at].per_query[measure] for at in rows}
        found[measure] = multiple_comparison(per_query, {labels[at]: influences[at][measure] for at in rows})
    return found


def above_chance(
    evaluations: list[Expected], influences: list[dict[str, Floats]], chance: dict[str, Floats]
) -> dict[str, bool]:
    """Measure -> whether the best row is better than a random order."""
    found = {}
    for measure, at_random in chance.items():
        rows = [at for at, evaluation in enumerate(evaluations) if measure in evaluation.per_query]
        best = max(rows, key=lambda at: float(evaluations[at].per_query[measure].mean()))
        values = with_influence(evaluations[best].per_query[measure], influences[best][measure])
        found[measure] = is_above_chance(values, at_random, len(rows))
    return found
