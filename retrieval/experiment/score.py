"""The scores of a run: its measures, and its precision-recall curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexers.base import Rows
from retrieval.evaluation.expected_measures import Expected, expected_measures
from retrieval.evaluation.label_free.agreement import AGREEMENT, agreement
from retrieval.evaluation.measures import parse_measure
from retrieval.evaluation.ranking import within, without_query_rows
from retrieval.evaluation.ranking_measures import precision_at_recall
from retrieval.experiment.label_ladder.rung import Rung
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import SpaceRun

QREL_MEASURES = ("nDCG@10", "AP", "RR@10", "R@100")
LABEL_MEASURES = ("P@10", "P@100", "AP@100")
KNOWN_ITEM_MEASURES = ("RR@10", "Success@1", "Success@10")
#: Rung of the label ladder -> its measures; agreement has one of its own.
MEASURES: dict[str, tuple[str, ...]] = {
    Rung.QRELS: QREL_MEASURES,
    Rung.LABELS: LABEL_MEASURES,
    Rung.KNOWN_ITEM: KNOWN_ITEM_MEASURES,
}
#: A ceiling is reported when it is below 1 by more than this.
VISIBLE_GAP = 0.02
#: Full rankings are long: with labels, the precision-recall curve is the mean over this many queries.
CURVE_QUERIES = 200


def score_runs(query_set: QuerySet, runs: Sequence[SpaceRun]) -> list[Expected]:
    """The measures of several runs; without any judgement, how far each agrees with the others.

    Raises
    ------
    OptionError
        When fewer than three spaces are to be ordered by their agreement.
    """
    if query_set.judged_by != Rung.AGREEMENT:
        return [score_run(query_set, run) for run in runs]
    values = agreement([run.rankings.rows for run in runs], [str(run.encoder) for run in runs])
    # equal scores are listed by the priority of the items in every space, so that their order is no range
    return [
        Expected({AGREEMENT: one}, {AGREEMENT: float(one.mean())}, {AGREEMENT: float(one.mean())}) for one in values
    ]


def score_run(query_set: QuerySet, run: SpaceRun) -> Expected:
    """The measures of a run, without those whose cutoff is larger than the index can answer."""
    complete = not _is_cut(query_set, run, query_set.depth)
    return expected_measures(run.rankings, query_set.relevance, measures_of(query_set, run), complete)


def measures_of(query_set: QuerySet, run: SpaceRun) -> list[str]:
    """The measures of a run, without those whose cutoff is larger than the index can answer."""
    return _known(query_set, run, MEASURES[query_set.judged_by])


def ceilings(query_set: QuerySet, measures: Sequence[str]) -> dict[str, float]:
    """Measure -> the highest mean that any space can reach, for P@k and R@k that cannot reach 1.

    A query with R relevant items has at most R of them among its k answers, so P@k is at most R / k, and R@k at most
    k / R.
    """
    relevant = query_set.relevance.n_relevant
    reachable = {}
    for measure in map(parse_measure, (name for name in measures if name != AGREEMENT)):
        if measure.cutoff is not None and measure.name in ("P", "R"):
            reachable_hits = np.minimum(relevant, measure.cutoff)
            reachable[str(measure)] = float(
                (reachable_hits / (measure.cutoff if measure.name == "P" else relevant)).mean()
            )
    return {measure: highest for measure, highest in reachable.items() if highest < 1 - VISIBLE_GAP}


def ceiling_notes(query_set: QuerySet, measures: Sequence[str]) -> list[str]:
    """Return a sentence about measures that no space can bring to 1; nothing if there are none."""
    limits = [f"{measure} is at most {highest:.3f}" for measure, highest in ceilings(query_set, measures).items()]
    if not limits:
        return []
    fewest, largest = (int(edge(query_set.relevance.n_relevant)) for edge in (np.min, np.max))
    count = f"{fewest:,}" if fewest == largest else f"{fewest:,} to {largest:,}"
    return [f"{' and '.join(limits)} here, as a query has {count} relevant item{'' if largest == 1 else 's'}."]


def curve(query_set: QuerySet, run: SpaceRun) -> NDArray[np.float64] | None:
    """The precision of a run at recall 0, .1, ..., 1; None when the index ranks too few items for it.

    Known items and agreement have no curve: one relevant answer is found at one rank, or nothing is relevant.

    Equal scores are ordered by the priority of the items, not by the order of the corpus.
    """
    if query_set.judged_by not in ("qrels", "labels"):
        return None
    if query_set.qrels is not None:
        if _is_cut(query_set, run, query_set.depth):
            return None
        grades = query_set.relevance.grades(np.arange(len(run.rankings)), run.rankings.rows)
        return np.asarray(precision_at_recall(grades > 0, query_set.relevance.n_relevant).mean(axis=0))
    if _is_cut(query_set, run, len(query_set.ids)):
        return None
    chosen = np.sort(np.argsort(query_set.priority[query_set.query_rows], kind="stable")[:CURVE_QUERIES])
    if (query_set.query_rows < 0).any():  # queries that are not items have no priority
        chosen = np.linspace(0, len(query_set.queries) - 1, min(CURVE_QUERIES, len(query_set.queries))).astype(int)
    curves = []
    for part in np.array_split(chosen, max(1, len(chosen) // 50)):
        answers = run.index.search_rows(run.queries[part], len(query_set.ids))
        full = _full(answers, query_set.query_rows[part], query_set.priority, run.index.positive_only)
        if full is None:
            return None
        grades = query_set.relevance.grades(part, full)
        curves.append(precision_at_recall(grades > 0, query_set.relevance.n_relevant[part]))
    return np.asarray(np.concatenate(curves).mean(axis=0))


def _full(answers: Rows, query_rows: NDArray[np.int64], priority: NDArray[np.int64], rest_is_equal: bool) -> Any:
    """The rows of all items by score and priority; None when the index did not rank some of them.

    With `rest_is_equal`, the index returns only scores above 0, and all other items share the score 0.
    """
    n_items = len(priority)
    scores = np.zeros((len(answers.rows), n_items), np.float32)
    missing = np.ones(scores.shape, bool)
    query, column = np.nonzero(answers.rows >= 0)
    at = query, answers.rows[query, column]
    scores[at], missing[at] = answers.scores[query, column], False
    if missing.any() and not rest_is_equal:
        return None
    order = np.lexsort((np.broadcast_to(priority, scores.shape), -scores), axis=1)
    return without_query_rows(np.take_along_axis(scores, order, axis=1), order, query_rows)[1]


def _known(query_set: QuerySet, run: SpaceRun, measures: tuple[str, ...]) -> list[str]:
    """The measures whose cutoff is not larger than the rankings are long."""
    if not _is_cut(query_set, run, query_set.depth):
        return list(measures)
    known = run.rankings.rows.shape[1]
    cutoffs = {measure: parse_measure(measure).cutoff for measure in measures}
    return [measure for measure, cutoff in cutoffs.items() if cutoff is not None and cutoff <= known]


def _is_cut(query_set: QuerySet, run: SpaceRun, k: int) -> bool:
    """Whether the index can return fewer than `k` answers although it holds more items."""
    wanted = min(k, len(query_set.ids))
    return within(run.index, wanted) < wanted
