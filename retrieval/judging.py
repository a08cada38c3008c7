"""What the answers of one space are worth: its measures, and its precision-recall curve."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from encoders.codes import slices
from retrieval.evaluation import Evaluation, evaluate_labels, evaluate_run, precision_recall, precision_recall_labels
from retrieval.measures import parse_measure
from retrieval.task import Task
from retrieval.trial import Trial, within

QREL_MEASURES = ("nDCG@10", "AP", "RR@10", "R@100")
LABEL_MEASURES = ("P@10", "P@100", "AP@100")
#: Full rankings are long: the label form of the precision-recall curve is drawn from this many queries.
CURVE_QUERIES = 200


def judge(task: Task, trial: Trial) -> Evaluation:
    """Measure the answers of one space; what looks deeper than its index can answer is left out."""
    if task.qrels is not None:
        return evaluate_run(_run(task, trial), task.qrels, _known(task, trial, QREL_MEASURES))
    labels = [query.label for query in task.queries]
    return evaluate_labels(trial.rows, task.labels, labels, _known(task, trial, LABEL_MEASURES), exclude=task.own)


def curve(task: Task, trial: Trial) -> NDArray[np.float64] | None:
    """Return the precision at recall 0, .1, ..., 1; None where the index cannot rank as many items as that takes."""
    if task.qrels is not None:
        if _is_cut(task, trial, task.depth):
            return None
        return np.asarray(precision_recall(_run(task, trial), task.qrels).mean(axis=0))
    if _is_cut(task, trial, len(task.ids)):
        return None
    count = min(CURVE_QUERIES, len(task.queries))
    chosen = np.linspace(0, len(task.queries) - 1, count).astype(int)
    blocks = (trial.index.search_rows(part, len(task.ids)).rows for part in slices(trial.queries[chosen], 100))
    labels = [task.queries[place].label for place in chosen]
    return np.asarray(
        precision_recall_labels(_padded(blocks, len(task.ids)), task.labels, labels, task.own[chosen]).mean(axis=0)
    )


def _known(task: Task, trial: Trial, measures: tuple[str, ...]) -> list[str]:
    """Return the measures that the answers are enough for."""
    if not _is_cut(task, trial, task.depth):
        return list(measures)
    known = within(trial.index, task.depth) - int((task.own >= 0).any())
    cutoffs = {measure: parse_measure(measure).cutoff for measure in measures}
    return [measure for measure, cutoff in cutoffs.items() if cutoff is not None and cutoff <= known]


def _is_cut(task: Task, trial: Trial, k: int) -> bool:
    """Tell whether the index has more items than it can give, of `k` that are wanted."""
    wanted = min(k, len(task.ids))
    return within(trial.index, wanted) < wanted


def _run(task: Task, trial: Trial) -> dict[str, dict[str, float]]:
    return {
        query.id: {task.ids[row]: float(score) for row, score in zip(rows, scores, strict=True) if row >= 0}
        for query, rows, scores in zip(task.queries, trial.rows.tolist(), trial.scores.tolist(), strict=True)
    }


def _padded(blocks: Iterator[NDArray[np.int64]], n_items: int) -> Iterator[NDArray[np.int64]]:
    """Rank items that a sparse index did not return (score 0) behind all others, in their own order."""
    for rows in blocks:
        full = np.empty((len(rows), n_items), dtype=np.int64)
        for place, row in enumerate(rows):
            found = row[row >= 0]
            full[place] = np.concatenate([found, np.setdiff1d(np.arange(n_items), found)])
        yield full
