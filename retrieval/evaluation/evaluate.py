"""Judging runs: by qrels as trec_eval does, or by label, where an item of the query's class is relevant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoders.codes import Codes
from encoders.errors import CorpusError, DimensionError, OptionError
from indexers.base import Index
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.measures import Floats, Judged, Measure, parse_measures, precision_at_recall
from retrieval.evaluation.ranking import rank, within, without_own
from retrieval.evaluation.relevance import LabelRelevance, Labels, Rows, numbered
from retrieval.evaluation.trec import ranking


@dataclass(frozen=True)
class Evaluation:
    """What some measures say of a run.

    Attributes
    ----------
    per_query : dict of str to ndarray float64 (n_queries,)
        Measure -> its value for each query, in the order in which the measures were asked for.
    query_ids : list of str, optional
        The queries in the order of those arrays; None where queries are numbered rows.
    """

    per_query: dict[str, Floats]
    query_ids: list[str] | None = None

    @property
    def means(self) -> dict[str, float]:
        """Measure -> mean over the queries."""
        return {measure: float(values.mean()) for measure, values in self.per_query.items()}


def evaluate_run(
    run: Mapping[str, Mapping[str, float]],
    qrels: Mapping[str, Mapping[str, int]],
    measures: Iterable[str | Measure],
    relevance_level: int = 1,
) -> Evaluation:
    """Compute measures of a run against judgements, equal to trec_eval (``-c -l relevance_level``).

    Every query of the qrels counts: one that the run does not answer scores 0. Queries without judgements
    are left out. The order of the answers is `retrieval.evaluation.trec.ranking`; the order of the queries is that of
    the qrels.

    Raises
    ------
    CorpusError
        When there is no judgement, or none of the run's queries is judged.
    UnknownNameError, OptionError
        When a measure cannot be read.

    Examples
    --------
    >>> qrels = {"q": {"b": 1}, "unanswered": {"a": 1}}
    >>> evaluate_run({"q": {"a": 2.0, "b": 1.0}}, qrels, ["RR", "P@2"]).means
    {'RR': 0.25, 'P@2': 0.25}
    """
    wanted = parse_measures(measures)
    return Evaluation(_computed(judge_run(run, qrels, relevance_level), wanted), list(qrels))


def evaluate_labels(
    rows: Rows,
    item_labels: Labels,
    query_labels: Labels,
    measures: Iterable[str | Measure],
    exclude: ArrayLike | None = None,
) -> Evaluation:
    """Compute measures of ranked rows where an item is relevant when it has the query's label.

    ``AP@k`` is here the mean precision at the relevant answers among the first k
    (`retrieval.evaluation.measures.average_precision`). For full rankings of many queries call this with one block of
    queries after another.

    Parameters
    ----------
    rows : ndarray int64 (n_queries, k)
        Row numbers of items, best first; -1 behind the last answer.
    item_labels, query_labels : sequence of length n_items, n_queries
        Compared by ``==``; None is no label.
    measures : iterable of str or Measure
        Such as ``P@10``; none may look deeper than the rankings go.
    exclude : array-like int64 (n_queries,), optional
        The row of each query itself (-1: it is no item); it is dropped from its answers and from what is
        relevant to it.

    Raises
    ------
    DimensionError
        When the lengths do not match, or a row number is outside the items.
    OptionError
        When a measure needs deeper rankings: ask the index for one answer more than k where queries are
        items.
    CorpusError
        When there is no query, or the two lists of labels differ in type, so that none could ever match.

    Examples
    --------
    >>> evaluate_labels(np.array([[0, 1, 2]]), ["a", "b", "a"], ["a"], ["P@2", "AP"], exclude=[0]).means
    {'P@2': 0.5, 'AP': 0.5}
    """
    wanted = parse_measures(measures)
    if not len(query_labels):
        raise CorpusError("there is no query, so nothing can be measured")
    return Evaluation(_computed(judge_labels(rows, item_labels, query_labels, exclude), wanted))


def evaluate_index(
    index: Index,
    queries: Codes,
    item_labels: Labels,
    query_labels: Labels,
    measures: Iterable[str | Measure],
    own: ArrayLike | None = None,
) -> Evaluation:
    """Search an index and compute measures by label, expected under a random order of equal scores.

    Parameters
    ----------
    index : Index
    queries : codes of n queries
    item_labels, query_labels : sequence of length n_items, n_queries
        Compared by ``==``; None is no label.
    measures : iterable of str or Measure
        Each with a cutoff.
    own : array-like int64 (n_queries,), optional
        The row of each query itself, which is never its own answer (-1: it is no item).

    Raises
    ------
    CorpusError
        When there is no query, or the labels differ in type.
    OptionError
        When a measure has no cutoff.

    Examples
    --------
    >>> from encoders.codes import Kind, Metric, Space
    >>> from indexers.exact import Exact
    >>> codes = np.array([[1], [1], [1]], np.float32)
    >>> index = Exact(Space(1, Kind.DENSE, Metric.EUCLIDEAN))
    >>> index.add(["0", "1", "2"], codes)
    >>> evaluate_index(index, codes[:1], ["a", "b", "a"], ["a"], ["P@1"], own=[0]).means
    {'P@1': 0.5}
    """
    wanted = parse_measures(measures)
    if not len(query_labels):
        raise CorpusError("there is no query, so nothing can be measured")
    cutoffs = [measure.cutoff for measure in wanted if measure.cutoff is not None]
    if len(cutoffs) < len(wanted):
        raise OptionError(f"each measure needs a cutoff here, as in P@10; got {', '.join(map(str, wanted))}")
    rows = np.full(len(query_labels), -1) if own is None else np.asarray(own)
    relevance = LabelRelevance(item_labels, query_labels, rows)
    order = np.random.default_rng(0).permutation(len(index))
    depth = max(cutoffs)
    rankings = rank(index, queries, depth, rows, order, relevance)
    complete = within(index, depth) >= min(depth, len(index))
    return Evaluation(expected_measures(rankings, relevance, wanted, complete).per_query)


def precision_recall(
    run: Mapping[str, Mapping[str, float]], qrels: Mapping[str, Mapping[str, int]], relevance_level: int = 1
) -> Floats:
    """Return the interpolated precision at recall 0, .1, ..., 1 for each judged query, float64 (n, 11)."""
    judged = judge_run(run, qrels, relevance_level)
    return precision_at_recall(judged.relevant, judged.n_relevant)


def precision_recall_labels(
    rankings: Iterable[Rows] | Rows,
    item_labels: Labels,
    query_labels: Labels,
    exclude: ArrayLike | None = None,
) -> Floats:
    """Return the same by label, float64 (n_queries, 11), from full rankings in blocks of consecutive queries.

    A block is a matrix as in `evaluate_labels`, such as ``np.argsort(-scores, axis=1, kind="stable")`` of a
    few hundred queries; only one block is held at a time.

    Raises
    ------
    OptionError
        When a ranking stops although items are left: the curve beyond would be unknown, not 0.
    DimensionError, CorpusError
        As in `evaluate_labels`.
    """
    blocks = [rankings] if isinstance(rankings, np.ndarray) else rankings
    own = None if exclude is None else np.asarray(exclude)
    curves, start = [], 0
    for rows in blocks:
        these = slice(start, start + len(rows))
        judged = judge_labels(rows, item_labels, query_labels[these], None if own is None else own[these])
        if judged.known_depth is not None:
            raise OptionError(
                f"a precision-recall curve by label needs full rankings of all {len(item_labels)} items, "
                f"but some stop at {judged.known_depth}: search with k = the number of items"
            )
        curves.append(precision_at_recall(judged.relevant, judged.n_relevant))
        start += len(rows)
    if start != len(query_labels):
        raise DimensionError(f"rankings of {start} queries were given, but {len(query_labels)} query labels")
    return np.concatenate(curves) if curves else np.zeros((0, 11))


def judge_run(
    run: Mapping[str, Mapping[str, float]], qrels: Mapping[str, Mapping[str, int]], relevance_level: int = 1
) -> Judged:
    """Lay a run and its judgements out as matrices, one row for each query of the qrels."""
    if relevance_level < 1:
        raise OptionError(f"the relevance level should be at least 1; got {relevance_level}")
    if not qrels:
        raise CorpusError("the qrels hold no judgement, so nothing can be measured")
    if not any(query in qrels for query in run):
        some = f", such as '{next(iter(run))}'," if run else ""
        raise CorpusError(
            f"none of the run's {len(run)} queries{some} is judged by the qrels "
            f"(such as '{next(iter(qrels))}'): are they of the same collection?"
        )
    retrieved, ideal, n_relevant = [], [], []
    for query, grades in qrels.items():
        retrieved.append([grades.get(document, 0) for document in ranking(run.get(query, {}))])
        ideal.append(sorted((grade for grade in grades.values() if grade > 0), reverse=True))
        n_relevant.append(sum(grade >= relevance_level for grade in grades.values()))
    gains = _padded(retrieved)
    return Judged(gains, gains >= relevance_level, np.array(n_relevant, np.int64), _padded(ideal))


def judge_labels(rows: Rows, item_labels: Labels, query_labels: Labels, exclude: ArrayLike | None = None) -> Judged:
    """Lay ranked rows out as matrices of what is relevant; parameters and errors as in `evaluate_labels`."""
    n_items, n_queries = len(item_labels), len(query_labels)
    rows = np.asarray(rows)
    own = np.full(n_queries, -1) if exclude is None else np.asarray(exclude)
    if rows.ndim != 2 or len(rows) != n_queries or own.shape != (n_queries,):
        raise DimensionError(
            f"{n_queries} query labels need rows (n_queries, k) and one excluded row each; "
            f"got rows {rows.shape} and excluded {own.shape}"
        )
    for name, numbers in (("rows", rows), ("excluded", own)):
        if numbers.size and (numbers.dtype.kind not in "iu" or numbers.min() < -1 or numbers.max() >= n_items):
            raise DimensionError(f"{name} should be whole numbers from -1 to {n_items - 1}, for {n_items} items")
    items, queries = numbered(item_labels, query_labels)
    items = np.append(items, -2)  # what row -1 refers to: no item, of no class
    complete = (rows < 0).any(axis=1)
    rows = without_own(np.zeros(rows.shape, np.float32), rows, own)[1]
    held = np.count_nonzero(rows >= 0, axis=1)
    short = ~complete & (held < n_items - (own >= 0))

    relevant = items[rows] == queries[:, None]
    sizes = np.append(np.bincount(items[items >= 0]), 0)  # the last is for a query without label, or with a foreign one
    n_relevant = sizes[queries] - (items[own] == queries)
    width = min(rows.shape[1], int(n_relevant.max(initial=0)))
    ideal = np.arange(width) < n_relevant[:, None]
    known = int(held[short].min()) if short.any() else None
    return Judged(relevant, relevant, n_relevant, ideal, by_label=True, known_depth=known)


def _computed(judged: Judged, measures: list[Measure]) -> dict[str, Floats]:
    return {str(measure): measure(judged) for measure in measures}


def _padded(lists: list[list[int]]) -> NDArray[np.int32]:
    """Stack lists of grades as one matrix, zeros behind; grades below zero become 0."""
    matrix = np.zeros((len(lists), max(1, *map(len, lists))), np.int32)
    for row, grades in enumerate(lists):
        try:
            matrix[row, : len(grades)] = grades
        except OverflowError:
            raise CorpusError(f"a grade should be at most 2,147,483,647; got {max(grades, key=abs)}") from None
    return np.maximum(matrix, 0, out=matrix)
