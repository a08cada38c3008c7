"""The comparison of spaces; read this file first: corpus -> encoder -> codes -> index -> hits -> measures -> report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import combinations
from typing import Any

import numpy as np

from encoders.base import Encoder
from encoders.errors import CollectionError, OptionError
from encoders.progress import progress, waiting
from indexers.base import Index
from indexers.description import parse_description
from indexers.registry import AUTO, check_description
from retrieval.collection.base import Collection
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.item_record import items_digest
from retrieval.evaluation.chance import chance_measures, is_above_chance
from retrieval.evaluation.expected_measures import Expected
from retrieval.evaluation.jackknife import answer_influence, with_influence
from retrieval.evaluation.label_free.validity import validity_notes
from retrieval.evaluation.measures import Floats
from retrieval.evaluation.multiple_comparison import MultipleComparison, multiple_comparison
from retrieval.evaluation.rank_overlap import Rows, jaccard_at_k, rbo
from retrieval.experiment.fitted_encoders import FittedEncoders
from retrieval.experiment.fusion import fuse
from retrieval.experiment.loss_runs import attribute_losses
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.result import Comparison, Example, Overlap, SpaceResult, row_label
from retrieval.experiment.run import IndexedSpace, SpaceRun, ask
from retrieval.experiment.rung import HIGHEST, Rung, queries_on_rung, require_rung
from retrieval.experiment.score import ceiling_notes, curve, score_runs
from retrieval.search.result import Answer, distance_of, show
from retrieval.spaces.build import Filled, fill, fill_another, planned
from retrieval.spaces.training_history import phases_of

SHOWN_ANSWERS = 8
#: The range of a measure over all orders of equal scores is reported when it is wider than this.
VISIBLE_RANGE = 0.001
#: The reason why a space cannot be measured.
_SEEN = "'{}' was fitted on the labels of the queries, so that its measures would show what it remembers"


def compare(
    corpus: Corpus,
    specs: Sequence[str],
    indexes: Sequence[str | None] = (None,),
    examples: int = 12,
    provenance: dict[str, Any] | None = None,
    fitted_encoders: FittedEncoders | None = None,
    judged_by: str = HIGHEST,
    fusion: bool = False,
) -> Comparison:
    """Fill every space with the corpus, ask the same queries in each, and measure the answers.

    Parameters
    ----------
    corpus : Corpus
    specs : sequence of str
        The spaces, such as ``pixels`` and ``pixels+pca:30``.
    indexes : sequence of str or None
        The indexes of every space, by default exact search; every pair of space and index is a row of the comparison.
    examples : int
        Number of queries whose answers are shown side by side.
    provenance : dict, optional
        Command, versions and machine, for the report.
    fitted_encoders : FittedEncoders, optional
        Keeps the fitted encoders until the comparison ends, so that it can continue after a kill; by default nothing
        is kept.
    judged_by : str
        A rung of the label ladder, by default the highest that the corpus has; see `retrieval.experiment.rung`.
    fusion : bool
        Whether to fuse every pair of spaces and all of them; see `retrieval.experiment.fusion`.

    Raises
    ------
    OptionError
        When no space or index is named, or one of them twice.
    """
    encoders = [planned(spec, None, corpus.modality) for spec in specs]  # every spec is checked before any work
    if not encoders or len(set(map(str, encoders))) < len(encoders):
        raise OptionError("name at least one space, and each only once, as in -s pixels -s pixels+pca:30")
    _check_indexes(indexes)
    corpus, query_set = queries_on_rung(corpus, judged_by, any(encoder.reads_labels for encoder in encoders))
    require_rung(query_set, [str(encoder) for encoder in encoders], fusion)
    _require_unseen(corpus, query_set, encoders)
    keeping = FittedEncoders() if fitted_encoders is None else fitted_encoders
    runs: list[SpaceRun] = []
    with ExitStack() as opened:
        opened.enter_context(keeping.opened())
        bar = opened.enter_context(progress(f"comparing on {corpus.name}", len(encoders), "spaces"))
        for encoder in encoders:
            first = len(runs)
            for indexed in indexed_spaces(corpus, query_set, encoder, indexes, keeping):
                opened.enter_context(indexed.index)
                runs.append(ask(query_set, indexed))
            attribute_losses(corpus, query_set, runs[first:])
            bar.update()
        return compare_runs(corpus, query_set, runs, examples, provenance, fusion)


def _require_unseen(corpus: Corpus, query_set: QuerySet, encoders: Sequence[Encoder]) -> None:
    """Refuse saved encoders that were fitted on the labels of the queries.

    Raises
    ------
    OptionError
    """
    before = [encoder for encoder in encoders if encoder.reads_labels and encoder.__sklearn_is_fitted__()]
    if query_set.held_out and before:
        digest = items_digest(iter(corpus))
        seen = [encoder for encoder in before if encoder.fitted_on == digest]
        if seen:
            raise OptionError(
                f"{_SEEN.format(seen[0])}: name the encoder instead of its folder (-s '{seen[0]}'), "
                "so that it is fitted on items that are not queries"
            )


def _check_indexes(indexes: Sequence[str | None]) -> None:
    """Refuse unknown and repeated indexes before any work."""
    if not indexes:
        raise OptionError("name at least one index, as in --index exact")
    read = [parse_description(AUTO if description is None else description) for description in indexes]
    twice = [description for at, description in enumerate(indexes) if read[at] in read[:at]]
    if twice:
        raise OptionError(f"the index '{twice[0]}' is named twice: name each only once")
    names = [parsed.name for parsed in read]
    same = [name for name in ("exact", "sparse") if name in names and AUTO in names]
    if same:
        raise OptionError(f"'{AUTO}' chooses 'exact' or 'sparse' for each space: leave '{AUTO}' or '{same[0]}' out")
    for description in indexes:
        check_description(description)


def compare_collection(
    collection: Collection,
    specs: Sequence[str] | None = None,
    examples: int = 12,
    provenance: dict[str, Any] | None = None,
    judged_by: str = HIGHEST,
    fusion: bool = False,
) -> Comparison:
    """The comparison of saved spaces of a collection, by default of all of them."""
    names = list(dict.fromkeys(collection.resolve(spec) for spec in specs)) if specs else list(collection.spaces)
    if not names:
        raise OptionError(f"{collection.folder} has no space yet: add some with  nearby index")
    corpus, query_set = queries_on_rung(collection.items, judged_by)
    names, seen = _unseen(collection, query_set, names, named=bool(specs))
    require_rung(query_set, names, fusion)
    runs = []
    for name in names:
        opened = collection.space(name)
        record = opened.record
        if corpus is not collection.items:  # the saved index holds the passages that are queries
            runs.append(run_space(corpus, query_set, opened.encoder, None))
            continue
        if list(opened.index.ids) != query_set.ids:
            raise CollectionError(
                f"the index of '{name}' holds its items in another order than the collection: index it again"
            )
        indexed = IndexedSpace(
            opened.encoder, opened.index, record.fit_seconds, record.encode_seconds, record.code_bytes,
            codes=None if opened.index.is_exact else collection.codes_of(name),
        )  # fmt: skip
        runs.append(ask(query_set, indexed))
        attribute_losses(collection.items, query_set, runs[-1:], collection.items.bytes_on_disk)
    comparison = compare_runs(collection.items, query_set, runs, examples, provenance, fusion)
    comparison.notes.extend(f"{_SEEN.format(name)}; it is left out." for name in seen)
    return comparison


def _unseen(collection: Collection, query_set: QuerySet, names: list[str], named: bool) -> tuple[list[str], list[str]]:
    """The spaces that can be measured, and those that were fitted on the labels of the queries.

    Raises
    ------
    OptionError
        When one of the latter was named, or no other space is left.
    """
    if query_set.judged_by != "labels" or (query_set.query_rows < 0).all():
        return names, []
    seen = [name for name in names if collection.space(name).encoder.reads_labels]
    if seen and (named or len(seen) == len(names)):
        raise OptionError(
            f"{_SEEN.format(seen[0])}: compare the corpus itself (nearby compare CORPUS -s '{seen[0]}'), "
            "so that it is fitted on items that are not queries"
        )
    return [name for name in names if name not in seen], seen


def compare_runs(
    corpus: Corpus,
    query_set: QuerySet,
    runs: list[SpaceRun],
    examples: int,
    provenance: dict[str, Any] | None,
    fusion: bool = False,
) -> Comparison:
    """The comparison of the runs of several spaces over one query set."""
    with waiting("measuring the answers"):
        return _measured(corpus, query_set, runs, examples, provenance, fusion)


def _measured(
    corpus: Corpus,
    query_set: QuerySet,
    runs: list[SpaceRun],
    examples: int,
    provenance: dict[str, Any] | None,
    fusion: bool,
) -> Comparison:
    evaluations = score_runs(query_set, runs)
    measures = list(dict.fromkeys(measure for evaluation in evaluations for measure in evaluation.means))
    # agreement is no quality, and the values of the spaces are made of each other: nothing is tested
    tested = [] if query_set.judged_by == Rung.AGREEMENT else evaluations
    influences = [_influence(query_set, run, found) for run, found in zip(runs, tested, strict=False)]
    significance = _significance(_labels(runs), tested, influences)
    n_items, judged = len(query_set.ids), measures if tested else []
    chance = chance_measures(query_set.relevance, query_set.query_rows, n_items, judged, query_set.depth)
    return Comparison(
        corpus=corpus.name,
        modality=str(corpus.modality),
        n_items=n_items,
        n_queries=len(query_set.queries),
        judged_by=query_set.judged_by,
        spaces=_results(query_set, runs, evaluations, significance),
        overlaps=_overlaps(runs),
        examples=_examples(query_set, runs, examples),
        provenance=provenance or {},
        notes=[
            *validity_notes(query_set.judged_by, corpus.modality),
            *query_set.notes,
            *ceiling_notes(query_set, measures),
        ],
        significance=significance,
        chance={measure: float(values.mean()) for measure, values in chance.items()},
        above_chance=_above_chance(evaluations, influences, chance),
        query_set=query_set,
        fusion=fuse(query_set, runs, _labels(runs), measures[0]) if fusion else None,
    )


def indexed_spaces(
    corpus: Corpus,
    query_set: QuerySet,
    encoder: Encoder,
    indexes: Sequence[str | None],
    fitted_encoders: FittedEncoders,
) -> Iterator[IndexedSpace]:
    """One space in each index, fitted and encoded once; the caller closes the indexes."""
    learns_from = query_set.training(corpus) if encoder.reads_labels else corpus
    encoder, fit_seconds = fitted_encoders.fit(encoder, learns_from)
    first, *others = indexes
    begun = fill(encoder, corpus, first, len(query_set.ids))
    yield IndexedSpace(encoder, begun.index, fit_seconds, begun.encode_seconds, begun.code_bytes, codes=_codes(begun))
    for description in others:
        filled = fill_another(encoder, corpus, description, begun, len(query_set.ids))
        if begun.kept is None and not begun.index.holds_codes:  # word counts: the next index holds the codes
            begun = filled
        yield IndexedSpace(
            encoder, filled.index, fit_seconds, filled.encode_seconds, filled.code_bytes, codes=_codes(begun)
        )


def _codes(filled: Filled) -> Index | None:
    """The index that holds the codes; None when there is none."""
    return filled.index if filled.index.holds_codes else filled.kept


def run_space(corpus: Corpus, query_set: QuerySet, encoder: Encoder, description: str | None) -> SpaceRun:
    """The run of one space in one index, with the cost of every step."""
    (indexed,) = indexed_spaces(corpus, query_set, encoder, [description], FittedEncoders())
    return ask(query_set, indexed)


def _results(
    query_set: QuerySet,
    runs: list[SpaceRun],
    evaluations: list[Expected],
    significance: dict[str, MultipleComparison],
) -> list[SpaceResult]:
    labels = _labels(runs)
    tied = {measure: found.tied_with_best() for measure, found in significance.items()}
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
            measures=evaluation.means,
            tie_range=_tie_range(evaluation),
            rankings=run.rankings,
            per_query=evaluation.per_query,
            tied_with_best={m: tied[m][label] for m in evaluation.per_query if m in tied},
            precision_recall=curve(query_set, run),
            options=run.encoder.spec(full=True),
            phases=phases_of(run.encoder),
            several_indexes=_several_indexes(runs),
            loss=run.loss,
            bytes_on_disk_per_item=per_item(run.index.bytes_on_disk(), len(query_set.ids)),
        )
        for label, run, evaluation in zip(labels, runs, evaluations, strict=True)
    ]


def per_item(size: int | None, count: int) -> float | None:
    """Bytes divided by the number of items; None when they are unknown."""
    return None if size is None else size / count


def _several_indexes(runs: list[SpaceRun]) -> bool:
    return len({str(run.encoder) for run in runs}) < len(runs)


def _labels(runs: list[SpaceRun]) -> list[str]:
    several = _several_indexes(runs)
    return [row_label(str(run.encoder), run.index.description, several) for run in runs]


def _tie_range(evaluation: Expected) -> dict[str, tuple[float, float]]:
    """Measure -> (worst, best), for measures that the order of equal scores changes visibly."""
    bounds = {measure: (low, evaluation.best[measure]) for measure, low in evaluation.worst.items()}
    return {measure: (low, high) for measure, (low, high) in bounds.items() if high - low > VISIBLE_RANGE}


def _influence(query_set: QuerySet, run: SpaceRun, evaluation: Expected) -> dict[str, Floats]:
    """Measure -> what every query contributes to the others' values: items that are queries answer each other.

    With judgements, or with queries that are no items, the queries are independent.
    """
    if query_set.qrels is not None or not (query_set.query_rows >= 0).any():
        return {measure: np.zeros(len(values)) for measure, values in evaluation.per_query.items()}
    return {
        measure: answer_influence(run.rankings, query_set.relevance, query_set.query_rows, measure)
        for measure in evaluation.per_query
    }


def _significance(
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


def _above_chance(
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


def _overlaps(runs: list[SpaceRun]) -> list[Overlap]:
    # a small corpus has fewer than ten answers, and one fewer for a query that is an item
    k = max(1, max(int(np.count_nonzero(run.rankings.rows[:, :10] >= 0, axis=1).max()) for run in runs))
    k = min(k, *(run.rankings.rows.shape[1] for run in runs))
    lists = zip(_labels(runs), (run.rankings.rows[:, :k] for run in runs), strict=True)
    return [_overlap(first, second, k) for first, second in combinations(lists, 2)]


def _overlap(first: tuple[str, Rows], second: tuple[str, Rows], k: int) -> Overlap:
    """The overlap of two lists of answers, over the queries that at least one of the spaces answers."""
    answered = (first[1][:, 0] >= 0) | (second[1][:, 0] >= 0)
    ours, theirs = first[1][answered], second[1][answered]
    if not answered.any():
        return Overlap(first[0], second[0], float("nan"), float("nan"), k)
    return Overlap(first[0], second[0], float(jaccard_at_k(ours, theirs, k).mean()), float(rbo(ours, theirs).mean()), k)


def _examples(query_set: QuerySet, runs: list[SpaceRun], count: int) -> list[Example]:
    chosen = np.linspace(0, len(query_set.queries) - 1, min(count, len(query_set.queries))).astype(int).tolist()
    return [
        Example(show(query_set.queries[number]), [_answers(query_set, run, number) for run in runs])
        for number in chosen
    ]


def _answers(query_set: QuerySet, run: SpaceRun, number: int) -> list[Answer]:
    query = query_set.queries[number]
    return [
        Answer(
            query_set.shown[row], score, distance_of(score, run.encoder.space.metric), _relevant(query_set, query, row)
        )
        for row, score in zip(
            run.rankings.rows[number, :SHOWN_ANSWERS].tolist(),
            run.rankings.scores[number, :SHOWN_ANSWERS].tolist(),
            strict=True,
        )
        if row >= 0
    ]


def _relevant(query_set: QuerySet, query: Item, row: int) -> bool | None:
    if query_set.qrels is not None:
        return query_set.qrels.get(query.id, {}).get(query_set.ids[row], 0) > 0
    return None if query.label is None else query_set.labels[row] == query.label
