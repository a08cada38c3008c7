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
    """Return the precision at recall 0, .1, ..., 1; None where the index does not rank as many items as that takes."""
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
    ranked = Ranked(blocks, len(task.ids), trial.index.positive_only)
    precisions = precision_recall_labels(ranked, task.labels, labels, task.own[chosen])
    return np.asarray(precisions.mean(axis=0)) if ranked.complete else None


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


class Ranked:
    """Full rankings, block by block, of what an index returned.

    Parameters
    ----------
    blocks : iterable of ndarray int64 (n, n_items)
        Rows; -1 stands for none.
    n_items : int
    rest_is_equal : bool
        What was not returned has score 0: it is ranked behind all others, in its own order.

    Attributes
    ----------
    complete : bool
        False once items were missing whose order only the index knew: a graph does not reach all.
    """

    def __init__(self, blocks: Iterator[NDArray[np.int64]], n_items: int, rest_is_equal: bool) -> None:
        self._blocks, self._n_items, self._rest_is_equal = blocks, n_items, rest_is_equal
        self.complete = True

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        for rows in self._blocks:
            full = np.empty((len(rows), self._n_items), dtype=np.int64)
            for place, row in enumerate(rows):
                found = row[row >= 0]
                self.complete &= self._rest_is_equal or len(found) == self._n_items
                full[place] = np.concatenate([found, np.setdiff1d(np.arange(self._n_items), found)])
            yield full
