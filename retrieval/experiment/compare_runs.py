"""Runs -> measures, significance, agreement: the comparison of spaces that have answered the same queries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from encoders.progress import waiting
from retrieval.corpora.base import Corpus
from retrieval.evaluation.chance import chance_measures
from retrieval.evaluation.expected_measures import Expected
from retrieval.evaluation.label_free.validity import validity_notes
from retrieval.evaluation.multiple_comparison import MultipleComparison
from retrieval.experiment.byte_budgets.byte_budgets import byte_budgets
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.examples import examples_of
from retrieval.experiment.fusion import fuse
from retrieval.experiment.health.health import health_of_runs
from retrieval.experiment.item_sample import codes_of, sampled_rows
from retrieval.experiment.label_ladder.rung import Rung
from retrieval.experiment.overlaps import overlaps_of
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.result import Comparison, SpaceResult, row_label
from retrieval.experiment.run import SpaceRun
from retrieval.experiment.run_significance import above_chance, influence_of, significance_of
from retrieval.experiment.score import ceiling_notes, curve, score_runs
from retrieval.experiment.scored_run import ScoredRun
from retrieval.experiment.seeds import over_seeds, seeds_note
from retrieval.spaces.training_history import phases_of

#: The range of a measure over all orders of equal scores is reported when it is wider than this.
VISIBLE_RANGE = 0.001


def compare_runs(
    corpus: Corpus,
    query_set: QuerySet,
    runs: list[SpaceRun],
    examples: int,
    provenance: dict[str, Any] | None,
    options: CompareOptions,
) -> Comparison:
    """The comparison of the runs of several spaces over one query set, with what the options ask for."""
    with waiting("measuring the answers"):
        table = _table(corpus, query_set, runs, examples, provenance)
    measure = next(iter(table.spaces[0].measures))
    return replace(
        table,
        fusion=fuse(query_set, runs, labels_of(runs), measure) if options.fusion else None,
        byte_budgets=byte_budgets(corpus, query_set, runs, options.budgets) if options.budgets else None,
        health=health_of_runs(corpus, query_set, runs) if options.health else None,
    )


def _table(
    corpus: Corpus, query_set: QuerySet, runs: list[SpaceRun], examples: int, provenance: dict[str, Any] | None
) -> Comparison:
    labels, scored = labels_of(runs), _scored(query_set, runs)
    measures = list(dict.fromkeys(measure for run in scored for measure in run.expected.means))
    # agreement is no quality, and the values of the spaces are made of each other: nothing is tested
    tested = [] if query_set.judged_by == Rung.AGREEMENT else scored
    significance = significance_of(labels, tested, query_set.repeats)
    n_items, judged = len(query_set.ids), measures if tested else []
    chance = chance_measures(query_set.relevance, query_set.query_rows, n_items, judged, query_set.depth)
    return Comparison(
        corpus=corpus.name,
        modality=str(corpus.modality),
        n_items=n_items,
        n_queries=len(query_set.queries),
        judged_by=query_set.judged_by,
        spaces=_results(query_set, runs, scored, significance),
        overlaps=overlaps_of(labels, runs),
        examples=examples_of(query_set, runs, examples),
        provenance=provenance or {},
        notes=[
            *validity_notes(query_set.judged_by, corpus.modality),
            *query_set.notes,
            *seeds_note([1 + len(run.other_seeds) for run in runs]),
            *ceiling_notes(query_set, measures),
            *silent_notes(labels, runs),
        ],
        significance=significance,
        chance={measure: float(values.mean()) for measure, values in chance.items()},
        above_chance=above_chance(tested, chance, query_set.repeats),
        query_set=query_set,
        sample=sampled_rows(query_set),
    )


def silent_notes(labels: list[str], runs: list[SpaceRun]) -> list[str]:
    """A sentence for every space that answers no query: its values are those of no answer, not of a bad order."""
    silent = [label for label, run in zip(labels, runs, strict=True) if not (run.rankings.rows >= 0).any()]
    return [f"{label} answers no query: nothing in the queries occurs in its items." for label in silent]


def labels_of(runs: list[SpaceRun]) -> list[str]:
    """The names of the rows: the specs, with their indexes when spaces have several."""
    several = _several_indexes(runs)
    return [row_label(str(run.encoder), run.index.description, several) for run in runs]


def _scored(query_set: QuerySet, runs: list[SpaceRun]) -> list[ScoredRun]:
    """The measures of every run, over all its seeds."""
    expected = score_runs(query_set, runs)
    if query_set.judged_by == Rung.AGREEMENT:
        return [ScoredRun(one, {}) for one in expected]
    return [
        over_seeds([ScoredRun(one, influence_of(query_set, run, one.per_query)), *run.other_seeds])
        for run, one in zip(runs, expected, strict=True)
    ]


def _results(
    query_set: QuerySet,
    runs: list[SpaceRun],
    scored: list[ScoredRun],
    significance: dict[str, MultipleComparison],
) -> list[SpaceResult]:
    labels = labels_of(runs)
    tied = {measure: comparison.tied_with_best() for measure, comparison in significance.items()}
    return [
        SpaceResult(
            spec=str(run.encoder),
            index=run.index.description,
            dim=run.encoder.space.dim,
            kind=str(run.encoder.space.kind),
            metric=str(run.encoder.space.metric),
            bytes_per_item=run.code_bytes / len(query_set.ids),
            fit_seconds=run.fit_seconds,
            encode_per_second=len(query_set.ids) / max(run.encode_seconds, 1e-9),
            query_ms=run.query_ms,
            measures=scored_run.expected.means,
            tie_range=_tie_range(scored_run.expected),
            rankings=run.rankings,
            per_query=scored_run.expected.per_query,
            means_of_seeds=scored_run.means_of_seeds,
            tied_with_best={m: tied[m][label] for m in scored_run.expected.per_query if m in tied},
            precision_recall=curve(query_set, run),
            options=run.encoder.spec(full=True),
            phases=phases_of(run.encoder),
            several_indexes=_several_indexes(runs),
            loss=run.loss,
            bytes_on_disk_per_item=per_item(run.index.bytes_on_disk(), len(query_set.ids)),
            sample_codes=codes_of(query_set, run, sampled_rows(query_set)),
            influence={measure: values for measure, values in scored_run.influence.items() if values.any()},
        )
        for label, run, scored_run in zip(labels, runs, scored, strict=True)
    ]


def per_item(size: int | None, count: int) -> float | None:
    """Bytes divided by the number of items; None when they are unknown."""
    return None if size is None else size / count


def _several_indexes(runs: list[SpaceRun]) -> bool:
    return len({str(run.encoder) for run in runs}) < len(runs)


def _tie_range(evaluation: Expected) -> dict[str, tuple[float, float]]:
    """Measure -> (worst, best), for measures that the order of equal scores changes visibly."""
    bounds = {measure: (low, evaluation.best[measure]) for measure, low in evaluation.worst.items()}
    return {measure: (low, high) for measure, (low, high) in bounds.items() if high - low > VISIBLE_RANGE}
