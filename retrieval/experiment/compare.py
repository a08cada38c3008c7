"""THE straight line; read this file first: corpus -> encoder -> codes -> index -> hits -> measures -> comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import combinations
from typing import Any

import numpy as np

from encoders.base import Encoder
from encoders.errors import CollectionError, OptionError
from indexers.description import parse_description
from indexers.registry import AUTO, check_description
from retrieval.collection.base import Collection
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.item_record import items_digest
from retrieval.evaluation.expected_measures import Expected
from retrieval.evaluation.rank_overlap import Rows, jaccard_at_k, rbo
from retrieval.evaluation.significance import tied_with_best
from retrieval.experiment.query_set import Task
from retrieval.experiment.result import Comparison, Example, Overlap, SpaceResult, row_label
from retrieval.experiment.run import Attempt, Trial, ask
from retrieval.experiment.score import curve, judge
from retrieval.search.result import Answer, distance_of, show
from retrieval.spaces.build import fill, fill_another, fitted, planned
from retrieval.spaces.history import phases_of

SHOWN_ANSWERS = 8
#: What the order of equal scores can change is shown when it is more than this.
VISIBLE_RANGE = 0.001
#: Said of a space that cannot be measured.
_SEEN = "'{}' was fitted on labels of the items that ask, and would be judged by what it remembers"


def compare(
    corpus: Corpus,
    specs: Sequence[str],
    indexes: Sequence[str | None] = (None,),
    examples: int = 12,
    provenance: dict[str, Any] | None = None,
) -> Comparison:
    """Fill every space with the corpus, ask the same queries in each, and measure the answers.

    Parameters
    ----------
    corpus : Corpus
        With labels or judgements.
    specs : sequence of str
        The spaces, such as ``pixels`` and ``pixels+pca:30``.
    indexes : sequence of str or None
        The indexes that each space is put into, by default exact search; of several, each makes a row of its own.
    examples : int
        Queries whose answers are shown side by side.
    provenance : dict, optional
        What the report says about how it was made.

    Raises
    ------
    OptionError
        When the same space or index is named twice, or none.
    """
    encoders = [planned(spec, None, corpus.modality) for spec in specs]  # all is read before any work
    if not encoders or len(set(map(str, encoders))) < len(encoders):
        raise OptionError("name at least one space, and each only once, as in -s pixels -s pixels+pca:30")
    _check_indexes(indexes)
    task = Task.of(corpus, hold_out=any(encoder.reads_labels for encoder in encoders))
    _require_unseen(corpus, task, encoders)
    trials = []
    with ExitStack() as opened:
        for encoder in encoders:
            for filled in attempts(corpus, task, encoder, indexes):
                opened.enter_context(filled.index)
                trials.append(ask(task, filled))
        return outcome(corpus, task, trials, examples, provenance)


def _require_unseen(corpus: Corpus, task: Task, encoders: Sequence[Encoder]) -> None:
    """Refuse encoders that were fitted before on the labels which they would be judged by.

    Raises
    ------
    OptionError
    """
    before = [encoder for encoder in encoders if encoder.reads_labels and encoder.__sklearn_is_fitted__()]
    if task.held_out and before:
        digest = items_digest(iter(corpus))
        seen = [encoder for encoder in before if encoder.fitted_on == digest]
        if seen:
            raise OptionError(
                f"{_SEEN.format(seen[0])}: name the encoder instead of its folder (-s '{seen[0]}'), "
                "so that it is fitted on other items than those that ask"
            )


def _check_indexes(indexes: Sequence[str | None]) -> None:
    """Refuse indexes that do not exist, or of which two would be the same, before any work."""
    if not indexes:
        raise OptionError("name at least one index, as in --index exact")
    read = [parse_description(AUTO if description is None else description) for description in indexes]
    twice = [description for place, description in enumerate(indexes) if read[place] in read[:place]]
    if twice:
        raise OptionError(f"the index '{twice[0]}' is named twice: name each only once")
    names = [parsed.name for parsed in read]
    same = [name for name in ("exact", "sparse") if name in names and AUTO in names]
    if same:
        raise OptionError(f"'{AUTO}' is 'exact' or 'sparse', as the space asks: leave '{AUTO}' or '{same[0]}' out")
    for description in indexes:
        check_description(description)


def compare_collection(
    collection: Collection,
    specs: Sequence[str] | None = None,
    examples: int = 12,
    provenance: dict[str, Any] | None = None,
) -> Comparison:
    """Compare spaces of a collection as they lie on disk; by default all of them."""
    names = list(dict.fromkeys(collection.resolve(spec) for spec in specs)) if specs else list(collection.spaces)
    if not names:
        raise OptionError(f"{collection.folder} has no space yet: add some with  nearby index")
    task = Task.of(collection.items)
    names, seen = _unseen(collection, task, names, named=bool(specs))
    trials = []
    for name in names:
        opened = collection.space(name)
        record = opened.record
        if list(opened.index.ids) != task.ids:
            raise CollectionError(f"the index of '{name}' holds its items in another order: index the space again")
        filled = Attempt(opened.encoder, opened.index, record.fit_seconds, record.encode_seconds, record.code_bytes)
        trials.append(ask(task, filled))
    found = outcome(collection.items, task, trials, examples, provenance)
    found.notes.extend(f"{_SEEN.format(name)}; it is left out." for name in seen)
    return found


def _unseen(collection: Collection, task: Task, names: list[str], named: bool) -> tuple[list[str], list[str]]:
    """Return the spaces that can be measured, and those that have seen the labels by which they would be judged.

    Raises
    ------
    OptionError
        When one of the latter was asked for by name, or no other is left.
    """
    if task.qrels is not None or (task.own < 0).all():
        return names, []
    seen = [name for name in names if collection.space(name).encoder.reads_labels]
    if seen and (named or len(seen) == len(names)):
        raise OptionError(
            f"{_SEEN.format(seen[0])}: compare the corpus itself (nearby compare CORPUS -s '{seen[0]}'), "
            "so that it is fitted on other items than those that ask"
        )
    return [name for name in names if name not in seen], seen


def outcome(
    corpus: Corpus, task: Task, trials: list[Trial], examples: int, provenance: dict[str, Any] | None
) -> Comparison:
    """Measure the answers of every space and lay them side by side."""
    evaluations = [judge(task, trial) for trial in trials]
    return Comparison(
        corpus=corpus.name,
        modality=str(corpus.modality),
        n_items=len(task.ids),
        n_queries=len(task.queries),
        judged_by="labels" if task.qrels is None else "qrels",
        spaces=_results(task, trials, evaluations),
        overlaps=_overlaps(trials),
        examples=_examples(task, trials, examples),
        provenance=provenance or {},
        notes=task.notes,
    )


def attempts(corpus: Corpus, task: Task, encoder: Encoder, indexes: Sequence[str | None]) -> Iterator[Attempt]:
    """Fit one space and encode the corpus once; yield it in each index, which whoever takes it must close."""
    learns_from = task.training(corpus) if encoder.reads_labels else corpus
    fit_seconds = fitted(encoder, learns_from.batches())
    first, *others = indexes
    begun = fill(encoder, corpus, first, len(task.ids))
    yield Attempt(encoder, begun.index, fit_seconds, begun.encode_seconds, begun.code_bytes)
    for description in others:
        filled = fill_another(encoder, corpus, description, begun, len(task.ids))
        if begun.kept is None and not begun.index.holds_codes:  # counts of words: the next has codes to go on with
            begun = filled
        yield Attempt(encoder, filled.index, fit_seconds, filled.encode_seconds, filled.code_bytes)


def attempt(corpus: Corpus, task: Task, encoder: Encoder, description: str | None) -> Trial:
    """Fit, encode, index and search one space, with what each step cost."""
    (filled,) = attempts(corpus, task, encoder, [description])
    return ask(task, filled)


def _results(task: Task, trials: list[Trial], evaluations: list[Expected]) -> list[SpaceResult]:
    labels = _labels(trials)
    tied = _tied(labels, evaluations)
    return [
        SpaceResult(
            spec=str(trial.encoder),
            index=trial.index.description,
            dim=trial.encoder.space.dim,
            kind=str(trial.encoder.space.kind),
            metric=str(trial.encoder.space.metric),
            bytes_per_item=trial.code_bytes / len(task.ids),
            fit_seconds=trial.fit_seconds,
            encode_per_second=len(task.ids) / max(trial.encode_seconds, 1e-9),
            query_ms=trial.query_ms,
            measures=evaluation.means,
            tie_range=_tie_range(evaluation),
            per_query=evaluation.per_query,
            tied_with_best={measure: tied[measure][label] for measure in evaluation.per_query},
            precision_recall=curve(task, trial),
            options=trial.encoder.spec(full=True),
            phases=phases_of(trial.encoder),
            several_indexes=_several_indexes(trials),
            bytes_on_disk_per_item=per_item(trial.index.bytes_on_disk(), len(task.ids)),
        )
        for label, trial, evaluation in zip(labels, trials, evaluations, strict=True)
    ]


def per_item(size: int | None, count: int) -> float | None:
    """Return bytes divided by the number of items; None where they are not known."""
    return None if size is None else size / count


def _several_indexes(trials: list[Trial]) -> bool:
    return len({str(trial.encoder) for trial in trials}) < len(trials)


def _labels(trials: list[Trial]) -> list[str]:
    several = _several_indexes(trials)
    return [row_label(str(trial.encoder), trial.index.description, several) for trial in trials]


def _tie_range(evaluation: Expected) -> dict[str, tuple[float, float]]:
    """Return measure -> (worst, best) where the order of equal scores makes a difference that can be seen."""
    bounds = {measure: (low, evaluation.best[measure]) for measure, low in evaluation.worst.items()}
    return {measure: (low, high) for measure, (low, high) in bounds.items() if high - low > VISIBLE_RANGE}


def _tied(labels: list[str], evaluations: list[Expected]) -> dict[str, dict[str, bool]]:
    """Return measure -> row -> whether it is tied with the best of the rows that have the measure."""
    rows = list(zip(labels, (evaluation.per_query for evaluation in evaluations), strict=True))
    measures = dict.fromkeys(measure for _, values in rows for measure in values)
    return {
        measure: tied_with_best({label: values[measure] for label, values in rows if measure in values})
        for measure in measures
    }


def _overlaps(trials: list[Trial]) -> list[Overlap]:
    # a small corpus has no ten answers, and a query that is an item has one less
    most = max(1, max(int(np.count_nonzero(trial.rankings.rows[:, :10] >= 0, axis=1).max()) for trial in trials))
    most = min(most, *(trial.rankings.rows.shape[1] for trial in trials))
    lists = zip(_labels(trials), (trial.rankings.rows[:, :most] for trial in trials), strict=True)
    return [_overlap(first, second, most) for first, second in combinations(lists, 2)]


def _overlap(first: tuple[str, Rows], second: tuple[str, Rows], most: int) -> Overlap:
    """Compare two lists of answers; queries that neither space answers say nothing of their agreement."""
    answered = (first[1][:, 0] >= 0) | (second[1][:, 0] >= 0)
    ours, theirs = first[1][answered], second[1][answered]
    if not answered.any():
        return Overlap(first[0], second[0], float("nan"), float("nan"), most)
    return Overlap(
        first[0], second[0], float(jaccard_at_k(ours, theirs, most).mean()), float(rbo(ours, theirs).mean()), most
    )


def _examples(task: Task, trials: list[Trial], count: int) -> list[Example]:
    chosen = np.linspace(0, len(task.queries) - 1, min(count, len(task.queries))).astype(int).tolist()
    return [Example(show(task.queries[place]), [_answers(task, trial, place) for trial in trials]) for place in chosen]


def _answers(task: Task, trial: Trial, place: int) -> list[Answer]:
    query = task.queries[place]
    return [
        Answer(task.shown[row], score, distance_of(score, trial.encoder.space.metric), _relevant(task, query, row))
        for row, score in zip(
            trial.rankings.rows[place, :SHOWN_ANSWERS].tolist(),
            trial.rankings.scores[place, :SHOWN_ANSWERS].tolist(),
            strict=True,
        )
        if row >= 0
    ]


def _relevant(task: Task, query: Item, row: int) -> bool | None:
    if task.qrels is not None:
        return task.qrels.get(query.id, {}).get(task.ids[row], 0) > 0
    return None if query.label is None else task.labels[row] == query.label
