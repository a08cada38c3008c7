"""Evaluation of runs against qrels, as trec_eval does it, or by label: items with the query's label are relevant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoders.codes import Codes
from encoders.errors import CorpusError, DimensionError, OptionError
from indexers.base import Index
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.measures import Measure, parse_measures
from retrieval.evaluation.ranking import rank, within, without_query_rows
from retrieval.evaluation.ranking_measures import Floats, Judged, precision_at_recall
from retrieval.evaluation.relevance import LabelRelevance, Labels, Rows
from retrieval.evaluation.trec import ranking


@dataclass(frozen=True)
class Evaluation:
    """The values of some measures for one run, query by query.

    Attributes
    ----------
    per_query : dict of str to ndarray float64 (n_queries,)
        Measure -> its value for each query, in the order of the requested measures.
    query_ids : list of str, optional
        The queries in the order of those arrays; None when queries are row numbers.
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
    """The measures of a run against judgements, equal to those of ``trec_eval -c -l relevance_level``.

    Every query of the qrels counts: a query that the run does not answer scores 0 (trec_eval's option ``-c``; without
    ``-c``, trec_eval averages only over the queries of the run). Queries of the run without judgements are ignored.
    Answers are ordered by `retrieval.evaluation.trec.ranking`; queries stand in the order of the qrels.

    Parameters
    ----------
    run : mapping
        Query id -> document id -> score; larger is better.
    qrels : mapping
        Query id -> document id -> grade.
    measures : iterable of str or Measure
        Such as ``nDCG@10``.
    relevance_level : int
        The smallest grade that counts as relevant.

    Returns
    -------
    Evaluation

    Raises
    ------
    CorpusError
        When the qrels are empty, or hold none of the run's queries.
    UnknownNameError, OptionError
        When a measure does not exist, or its cutoff is wrong.

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
    """The measures of ranked rows when labels decide: an item is relevant when it has the query's label.

    ``AP@k`` divides by min(k, number of relevant items) here: see
    `retrieval.evaluation.ranking_measures.average_precision`. Full rankings of many queries need much memory: call this
    for one block of queries at a time.

    Parameters
    ----------
    rows : ndarray int64 (n_queries, k)
        Row numbers of items, best first; -1 behind the last answer of a complete ranking.
    item_labels, query_labels : sequence of length n_items, n_queries
        Compared by ``==``; None is no label.
    measures : iterable of str or Measure
        Such as ``P@10``; no cutoff may be larger than the length of the rankings.
    exclude : array-like int64 (n_queries,), optional
        The row of each query itself (-1 when it is not an item). A query is neither an answer nor relevant to itself.

    Raises
    ------
    DimensionError
        When the lengths do not match, or a row number is outside the items.
    OptionError
        When a measure needs deeper rankings. When queries are items, ask the index for k + 1 answers.
    CorpusError
        When there is no query, or the two lists of labels differ in type, so that no two labels can match.

    Examples
    --------
    >>> evaluate_labels(np.array([[0, 1, 2]]), ["a", "b", "a"], ["a"], ["P@2", "AP"], exclude=[0]).means
    {'P@2': 0.5, 'AP': 0.5}
    """
    wanted = parse_measures(measures)
    if not len(query_labels):
        raise CorpusError("there is no query to measure: give at least one")
    return Evaluation(_computed(judge_labels(rows, item_labels, query_labels, exclude), wanted))


def evaluate_index(
    index: Index,
    queries: Codes,
    item_labels: Labels,
    query_labels: Labels,
    measures: Iterable[str | Measure],
    query_rows: ArrayLike | None = None,
) -> Evaluation:
    """The measures of an index when labels decide, expected under a random order of equal scores.

    Parameters
    ----------
    index : Index
    queries : codes of n queries
    item_labels, query_labels : sequence of length n_items, n_queries
        Compared by ``==``; None is no label.
    measures : iterable of str or Measure
        Each with a cutoff.
    query_rows : array-like int64 (n_queries,), optional
        The row of each query itself (-1 when it is not an item). A query is never its own answer.

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
    >>> evaluate_index(index, codes[:1], ["a", "b", "a"], ["a"], ["P@1"], query_rows=[0]).means
    {'P@1': 0.5}
    """
    wanted = parse_measures(measures)
    if not len(query_labels):
        raise CorpusError("there is no query to measure: give at least one")
    cutoffs = [measure.cutoff for measure in wanted if measure.cutoff is not None]
    if len(cutoffs) < len(wanted):
        raise OptionError(f"every measure of an index needs a cutoff, as in P@10; got {', '.join(map(str, wanted))}")
    rows = np.full(len(query_labels), -1) if query_rows is None else np.asarray(query_rows)
    relevance = LabelRelevance(item_labels, query_labels, rows)
    order = np.random.default_rng(0).permutation(len(index))
    depth = max(cutoffs)
    rankings = rank(index, queries, depth, rows, order, relevance)
    complete = within(index, depth) >= min(depth, len(index))
    return Evaluation(expected_measures(rankings, relevance, wanted, complete).per_query)


def precision_recall(
    run: Mapping[str, Mapping[str, float]], qrels: Mapping[str, Mapping[str, int]], relevance_level: int = 1
) -> Floats:
    """The precision-recall curve of each judged query: precision at recall 0, .1, ..., 1, float64 (n, 11)."""
    judged = judge_run(run, qrels, relevance_level)
    return precision_at_recall(judged.relevant, judged.n_relevant)


def precision_recall_labels(
    rankings: Iterable[Rows] | Rows,
    item_labels: Labels,
    query_labels: Labels,
    exclude: ArrayLike | None = None,
) -> Floats:
    """The precision-recall curve of each query when labels decide, float64 (n_queries, 11).

    Parameters
    ----------
    rankings : ndarray int64 (n_queries, n_items) or iterable of such blocks
        Full rankings, for consecutive queries. A block is a matrix as in `evaluate_labels`, for example
        ``np.argsort(-scores, axis=1, kind="stable")`` of a few hundred queries; one block is in memory at a time.
    item_labels, query_labels, exclude
        As in `evaluate_labels`.

    Raises
    ------
    OptionError
        When a ranking is shorter than the number of items: the rest of the curve would be unknown, not 0.
    DimensionError, CorpusError
        As in `evaluate_labels`.
    """
    blocks = [rankings] if isinstance(rankings, np.ndarray) else rankings
    query_rows = None if exclude is None else np.asarray(exclude)
    curves, start = [], 0
    for rows in blocks:
        these = slice(start, start + len(rows))
        judged = judge_labels(rows, item_labels, query_labels[these], None if query_rows is None else query_rows[these])
        if judged.known_depth is not None:
            raise OptionError(
                f"a precision-recall curve by label needs full rankings of all {len(item_labels)} items, "
                f"but some stop after {judged.known_depth}: search with k = {len(item_labels)}"
            )
        curves.append(precision_at_recall(judged.relevant, judged.n_relevant))
        start += len(rows)
    if start != len(query_labels):
        raise DimensionError(f"rankings of {start} queries were given, but {len(query_labels)} query labels")
    return np.concatenate(curves) if curves else np.zeros((0, 11))


def judge_run(
    run: Mapping[str, Mapping[str, float]], qrels: Mapping[str, Mapping[str, int]], relevance_level: int = 1
) -> Judged:
    """The judged rankings of a run against qrels, one row for each query of the qrels."""
    if relevance_level < 1:
        raise OptionError(f"the relevance level should be at least 1; got {relevance_level}")
    if not qrels:
        raise CorpusError("the qrels hold no judgement: measures need at least one")
    if not any(query in qrels for query in run):
        some = f", such as '{next(iter(run))}'," if run else ""
        raise CorpusError(
            f"none of the run's {len(run)} queries{some} is in the qrels (which hold '{next(iter(qrels))}'): "
            "give a run and qrels of the same test collection"
        )
    retrieved, ideal, n_relevant = [], [], []
    for query, grades in qrels.items():
        retrieved.append([grades.get(document, 0) for document in ranking(run.get(query, {}))])
        ideal.append(sorted((grade for grade in grades.values() if grade > 0), reverse=True))
        n_relevant.append(sum(grade >= relevance_level for grade in grades.values()))
    gains = _padded(retrieved)
    return Judged(gains, gains >= relevance_level, np.array(n_relevant, np.int64), _padded(ideal))


def judge_labels(rows: Rows, item_labels: Labels, query_labels: Labels, exclude: ArrayLike | None = None) -> Judged:
    """The judged rankings of ranked rows when labels decide what is relevant.

    Parameters and errors as in `evaluate_labels`.
    """
    n_items, n_queries = len(item_labels), len(query_labels)
    rows = np.asarray(rows)
    query_rows = np.full(n_queries, -1) if exclude is None else np.asarray(exclude)
    if rows.ndim != 2 or len(rows) != n_queries or query_rows.shape != (n_queries,):
        raise DimensionError(
            f"{n_queries} query labels need rows (n_queries, k) and one excluded row each; "
            f"got rows {rows.shape} and excluded {query_rows.shape}"
        )
    for name, numbers in (("rows", rows), ("excluded", query_rows)):
        if numbers.size and (numbers.dtype.kind not in "iu" or numbers.min() < -1 or numbers.max() >= n_items):
            raise DimensionError(f"{name} should be whole numbers from -1 to {n_items - 1}, for {n_items} items")
    relevance = LabelRelevance(item_labels, query_labels, query_rows)
    complete = (rows < 0).any(axis=1)
    rows = without_query_rows(np.zeros(rows.shape, np.float32), rows, query_rows)[1]
    held = np.count_nonzero(rows >= 0, axis=1)
    short = ~complete & (held < n_items - (query_rows >= 0))
    queries = np.arange(n_queries)
    return relevance.judged(
        queries,
        relevance.grades(queries, rows),
        known_depth=int(held[short].min()) if short.any() else None,
        # A padded ranking is complete: measures may look deeper than it goes, and so must the perfect ranking.
        ideal_depth=n_items if complete.any() else rows.shape[1],
    )


def _computed(judged: Judged, measures: list[Measure]) -> dict[str, Floats]:
    return {str(measure): measure(judged) for measure in measures}


def _padded(lists: list[list[int]]) -> NDArray[np.int32]:
    """Lists of grades as one matrix, padded with zeros; grades below zero become 0."""
    matrix = np.zeros((len(lists), max(1, *map(len, lists))), np.int32)
    for row, grades in enumerate(lists):
        try:
            matrix[row, : len(grades)] = grades
        except OverflowError:
            raise CorpusError(f"a grade should be at most 2,147,483,647; got {max(grades, key=abs)}") from None
    return np.maximum(matrix, 0, out=matrix)
