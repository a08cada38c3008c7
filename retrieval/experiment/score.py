"""What the answers of one space are worth: its measures, and its precision-recall curve."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexers.base import Rows
from retrieval.evaluation.expected_measures import Expected, expected_measures
from retrieval.evaluation.measures import parse_measure, precision_at_recall
from retrieval.evaluation.ranking import within, without_own
from retrieval.experiment.query_set import Task
from retrieval.experiment.run import Trial

QREL_MEASURES = ("nDCG@10", "AP", "RR@10", "R@100")
LABEL_MEASURES = ("P@10", "P@100", "AP@100")
#: Full rankings are long: the label form of the precision-recall curve is drawn from this many queries.
CURVE_QUERIES = 200


def judge(task: Task, trial: Trial) -> Expected:
    """Measure the answers of one space; what looks deeper than its index can answer is left out."""
    measures = LABEL_MEASURES if task.qrels is None else QREL_MEASURES
    complete = not _is_cut(task, trial, task.depth)
    return expected_measures(trial.rankings, task.relevance, _known(task, trial, measures), complete)


def curve(task: Task, trial: Trial) -> NDArray[np.float64] | None:
    """Return the precision at recall 0, .1, ..., 1; None where the index does not rank as many items as that takes.

    Equal scores stand in the order of their priority, which is no order of the corpus.
    """
    if task.qrels is not None:
        if _is_cut(task, trial, task.depth):
            return None
        grades = task.relevance.grades(np.arange(len(trial.rankings)), trial.rankings.rows)
        return np.asarray(precision_at_recall(grades > 0, task.relevance.n_relevant).mean(axis=0))
    if _is_cut(task, trial, len(task.ids)):
        return None
    chosen = np.sort(np.argsort(task.priority[task.own], kind="stable")[:CURVE_QUERIES])
    if (task.own < 0).any():  # queries of their own have no priority
        chosen = np.linspace(0, len(task.queries) - 1, min(CURVE_QUERIES, len(task.queries))).astype(int)
    curves = []
    for part in np.array_split(chosen, max(1, len(chosen) // 50)):
        found = trial.index.search_rows(trial.queries[part], len(task.ids))
        full = _full(found, task.own[part], task.priority, trial.index.positive_only)
        if full is None:
            return None
        grades = task.relevance.grades(part, full)
        curves.append(precision_at_recall(grades > 0, task.relevance.n_relevant[part]))
    return np.asarray(np.concatenate(curves).mean(axis=0))


def _full(found: Rows, own: NDArray[np.int64], priority: NDArray[np.int64], rest_is_equal: bool) -> Any:
    """Return the rows of all items by score and priority; None where some are missing whose order only the index knew.

    Where only scores above 0 are answers (`rest_is_equal`), all others share the score 0.
    """
    n_items = len(priority)
    scores = np.zeros((len(found.rows), n_items), np.float32)
    missing = np.ones(scores.shape, bool)
    query, column = np.nonzero(found.rows >= 0)
    at = query, found.rows[query, column]
    scores[at], missing[at] = found.scores[query, column], False
    if missing.any() and not rest_is_equal:
        return None
    order = np.lexsort((np.broadcast_to(priority, scores.shape), -scores), axis=1)
    return without_own(np.take_along_axis(scores, order, axis=1), order, own)[1]


def _known(task: Task, trial: Trial, measures: tuple[str, ...]) -> list[str]:
    """Return the measures that the answers are enough for."""
    if not _is_cut(task, trial, task.depth):
        return list(measures)
    known = trial.rankings.rows.shape[1]
    cutoffs = {measure: parse_measure(measure).cutoff for measure in measures}
    return [measure for measure, cutoff in cutoffs.items() if cutoff is not None and cutoff <= known]


def _is_cut(task: Task, trial: Trial, k: int) -> bool:
    """Tell whether the index has more items than it can give, of `k` that are wanted."""
    wanted = min(k, len(task.ids))
    return within(trial.index, wanted) < wanted
