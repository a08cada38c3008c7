"""THE straight line; read this file first: corpus -> encoder -> codes -> index -> hits -> measures -> comparison."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Codes, slices
from encoders.errors import CollectionError, OptionError
from indexers.base import Index
from retrieval.collection import Collection
from retrieval.comparison import Answer, Comparison, Example, Overlap, SpaceResult
from retrieval.corpora.base import Corpus, Item
from retrieval.evaluation import Evaluation, evaluate_labels, evaluate_run, precision_recall, precision_recall_labels
from retrieval.filling import fill, fitted, planned
from retrieval.overlap import jaccard_at_k, rbo
from retrieval.phases import phases_of
from retrieval.showing import distance_of, show
from retrieval.significance import tied_with_best
from retrieval.task import Task

QREL_MEASURES = ("nDCG@10", "AP", "RR@10", "R@100")
LABEL_MEASURES = ("P@10", "P@100", "AP@100")
#: Full rankings are long: the label form of the precision-recall curve is drawn from this many queries.
CURVE_QUERIES = 200
SHOWN_ANSWERS = 8


@dataclass
class Attempt:
    """One space filled with the corpus, and what that took."""

    encoder: Encoder
    index: Index
    fit_seconds: float
    encode_seconds: float
    code_bytes: int


@dataclass
class Trial(Attempt):
    """One space that was asked every query."""

    query_ms: float
    scores: NDArray[np.float32]
    rows: NDArray[np.int64]
    queries: Codes


def compare(
    corpus: Corpus,
    specs: Sequence[str],
    index: str | None = None,
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
    index : str, optional
        The index of every space; by default exact search.
    examples : int
        Queries whose answers are shown side by side.
    provenance : dict, optional
        What the report says about how it was made.

    Raises
    ------
    OptionError
        When the same space is named twice, or none.
    """
    encoders = [planned(spec, index, corpus.modality) for spec in specs]  # every spec is read before any work
    if not encoders or len(set(map(str, encoders))) < len(encoders):
        raise OptionError("name at least one space, and each only once, as in -s pixels -s pixels+pca:30")
    task = Task.of(corpus)
    return outcome(corpus, task, [attempt(corpus, task, encoder, index) for encoder in encoders], examples, provenance)


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
    trials = []
    for name in names:
        opened = collection.space(name)
        record = opened.record
        if list(opened.index.ids) != task.ids:
            raise CollectionError(f"the index of '{name}' holds its items in another order: index the space again")
        filled = Attempt(opened.encoder, opened.index, record.fit_seconds, record.encode_seconds, record.code_bytes)
        trials.append(ask(task, filled))
    return outcome(collection.items, task, trials, examples, provenance)


def outcome(
    corpus: Corpus, task: Task, trials: list[Trial], examples: int, provenance: dict[str, Any] | None
) -> Comparison:
    """Measure the answers of every space and lay them side by side."""
    evaluations = [judge(task, trial) for trial in trials]
    return Comparison(
        corpus=corpus.name,
        modality=str(corpus.modality),
        n_items=len(task.ids),
        n_queries=len(evaluations[0].per_query[next(iter(evaluations[0].per_query))]),
        judged_by="labels" if task.qrels is None else "qrels",
        spaces=_results(task, trials, evaluations),
        overlaps=_overlaps(trials),
        examples=_examples(task, trials, examples),
        provenance=provenance or {},
    )


def attempt(corpus: Corpus, task: Task, encoder: Encoder, description: str | None) -> Trial:
    """Fit, encode, index and search one space, with what each step cost."""
    fit_seconds = fitted(encoder, corpus.batches())
    filled = fill(encoder, corpus, description, len(task.ids))
    return ask(task, Attempt(encoder, filled.index, fit_seconds, filled.encode_seconds, filled.code_bytes))


def ask(task: Task, attempt: Attempt) -> Trial:
    """Ask every query of one filled space."""
    encoder, index = attempt.encoder, attempt.index
    contents = [query.content for query in task.queries]
    queries = encoder.encode_queries(contents)
    found = index.search_rows(queries, min(task.depth, len(task.ids)))
    scores, rows = _without_own(found.scores, found.rows, task.own)
    latency = _latency(encoder, index, contents)
    return Trial(**vars(attempt), query_ms=latency, scores=scores, rows=rows, queries=queries)


def _latency(encoder: Encoder, index: Index, contents: list[Any], trials: int = 20) -> float:
    """Return the median milliseconds of one query at a time, encoding included."""
    times = []
    for content in contents[:trials]:
        before = time.perf_counter()
        index.search(encoder.encode_queries([content]), 10)
        times.append(time.perf_counter() - before)
    return 1000 * float(np.median(times))


def _without_own(scores: NDArray[Any], rows: NDArray[Any], own: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Drop each query's own row from its answers."""
    order = np.argsort((rows == own[:, None]) & (own >= 0)[:, None], axis=1, kind="stable")
    gone = (np.take_along_axis(rows, order, axis=1) == own[:, None]) & (own >= 0)[:, None]
    ordered = np.where(gone, -1, np.take_along_axis(rows, order, axis=1))
    return np.where(gone, -np.inf, np.take_along_axis(scores, order, axis=1)), ordered


def judge(task: Task, trial: Trial) -> Evaluation:
    """Measure the answers of one space."""
    if task.qrels is not None:
        return evaluate_run(_run(task, trial), task.qrels, QREL_MEASURES)
    labels = [query.label for query in task.queries]
    return evaluate_labels(trial.rows, task.labels, labels, LABEL_MEASURES, exclude=task.own)


def _run(task: Task, trial: Trial) -> dict[str, dict[str, float]]:
    return {
        query.id: {task.ids[row]: float(score) for row, score in zip(rows, scores, strict=True) if row >= 0}
        for query, rows, scores in zip(task.queries, trial.rows.tolist(), trial.scores.tolist(), strict=True)
    }


def _curve(task: Task, trial: Trial) -> NDArray[np.float64]:
    if task.qrels is not None:
        return np.asarray(precision_recall(_run(task, trial), task.qrels).mean(axis=0))
    count = min(CURVE_QUERIES, len(task.queries))
    chosen = np.linspace(0, len(task.queries) - 1, count).astype(int)
    blocks = (trial.index.search_rows(part, len(task.ids)).rows for part in slices(trial.queries[chosen], 100))
    labels = [task.queries[place].label for place in chosen]
    return np.asarray(
        precision_recall_labels(_padded(blocks, len(task.ids)), task.labels, labels, task.own[chosen]).mean(axis=0)
    )


def _padded(blocks: Iterator[NDArray[np.int64]], n_items: int) -> Iterator[NDArray[np.int64]]:
    """Rank items that a sparse index did not return (score 0) behind all others, in their own order."""
    for rows in blocks:
        full = np.empty((len(rows), n_items), dtype=np.int64)
        for place, row in enumerate(rows):
            found = row[row >= 0]
            full[place] = np.concatenate([found, np.setdiff1d(np.arange(n_items), found)])
        yield full


def _results(task: Task, trials: list[Trial], evaluations: list[Evaluation]) -> list[SpaceResult]:
    specs = [str(trial.encoder) for trial in trials]
    measures = list(evaluations[0].per_query)
    tied = {
        measure: tied_with_best(
            {spec: evaluation.per_query[measure] for spec, evaluation in zip(specs, evaluations, strict=True)}
        )
        for measure in measures
    }
    return [
        SpaceResult(
            spec=spec,
            index=trial.index.description,
            dim=trial.encoder.space.dim,
            kind=str(trial.encoder.space.kind),
            metric=str(trial.encoder.space.metric),
            bytes_per_item=trial.code_bytes / len(task.ids),
            fit_seconds=trial.fit_seconds,
            encode_per_second=len(task.ids) / max(trial.encode_seconds, 1e-9),
            query_ms=trial.query_ms,
            measures=evaluation.means,
            per_query=evaluation.per_query,
            tied_with_best={measure: tied[measure][spec] for measure in measures},
            precision_recall=_curve(task, trial),
            options=trial.encoder.spec(full=True),
            phases=phases_of(trial.encoder),
        )
        for spec, trial, evaluation in zip(specs, trials, evaluations, strict=True)
    ]


def _overlaps(trials: list[Trial]) -> list[Overlap]:
    most = min(10, trials[0].rows.shape[1])  # a small corpus has no ten answers
    return [
        Overlap(
            str(first.encoder),
            str(second.encoder),
            float(jaccard_at_k(first.rows[:, :10], second.rows[:, :10], most).mean()),
            float(rbo(first.rows[:, :10], second.rows[:, :10]).mean()),
        )
        for first, second in combinations(trials, 2)
    ]


def _examples(task: Task, trials: list[Trial], count: int) -> list[Example]:
    judged = [place for place, query in enumerate(task.queries) if task.qrels is None or query.id in task.qrels]
    chosen = [judged[at] for at in np.linspace(0, len(judged) - 1, min(count, len(judged))).astype(int)]
    return [Example(show(task.queries[place]), [_answers(task, trial, place) for trial in trials]) for place in chosen]


def _answers(task: Task, trial: Trial, place: int) -> list[Answer]:
    query = task.queries[place]
    return [
        Answer(task.shown[row], score, distance_of(score, trial.encoder.space.metric), _relevant(task, query, row))
        for row, score in zip(
            trial.rows[place, :SHOWN_ANSWERS].tolist(), trial.scores[place, :SHOWN_ANSWERS].tolist(), strict=True
        )
        if row >= 0
    ]


def _relevant(task: Task, query: Item, row: int) -> bool | None:
    if task.qrels is not None:
        return task.qrels.get(query.id, {}).get(task.ids[row], 0) > 0
    return None if query.label is None else task.labels[row] == query.label
