"""The relevance of items to queries, by row numbers: from judgements (qrels) or from labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import CorpusError
from retrieval.evaluation.ranking_measures import Judged

Rows = NDArray[np.int64]
#: The label of every item; None for an item without a label, which is relevant to no query.
Labels = Sequence[Any] | NDArray[Any]


class Relevance(ABC):
    """The grade of every item for every query.

    A query that is an item is not relevant to itself.

    Attributes
    ----------
    n_relevant : ndarray int64 (n_queries,)
        Number of relevant items.
    n_held : ndarray int64 (n_queries,)
        Number of those that the corpus holds.
    levels : ndarray int32 (n_levels,)
        The grades above 0 that occur, ascending.
    by_label : bool
        Whether labels decide, which changes the divisor of ``AP@k`` (`retrieval.evaluation.ranking_measures`).
    """

    n_relevant: NDArray[np.int64]
    n_held: NDArray[np.int64]
    levels: NDArray[np.int32]
    by_label: bool

    @abstractmethod
    def grades(self, queries: Rows, rows: Rows) -> NDArray[np.int32]:
        """The grade of each row for its query, int32 ``(m, k)`` for rows ``(m, k)``; 0 for row -1."""

    @abstractmethod
    def ideal(self, queries: Rows, depth: int) -> NDArray[np.int32]:
        """The grades of a perfect ranking of at most `depth` answers, best first, int32 ``(m, width)``."""

    def __len__(self) -> int:
        return len(self.n_relevant)

    def select(self, chosen: NDArray[Any]) -> Relevance:
        """The relevance for some of the queries, given their numbers or a mask."""
        return _Selected(self, np.arange(len(self))[chosen])

    @abstractmethod
    def totals(self) -> NDArray[np.int64]:
        """The number of items of the corpus with each grade of `levels`, int64 ``(n_queries, n_levels)``."""

    def tally(self, query: int, rows: Rows) -> NDArray[np.int64]:
        """The number of rows with each grade of `levels`, int64 ``(n_levels,)``."""
        grades = self.grades(np.array([query]), rows[None])[0]
        return np.array([np.count_nonzero(grades == level) for level in self.levels], np.int64)

    def judged(
        self,
        queries: Rows,
        grades: NDArray[np.int32],
        known_depth: int | None = None,
        ideal_depth: int | None = None,
    ) -> Judged:
        """The rankings as the measures read them.

        Parameters
        ----------
        queries : ndarray int64 (m,)
        grades : ndarray int32 (m, depth)
            The grade of every answer, best answer first.
        known_depth : int, optional
            The rank at which the rankings stop although more items could follow.
        ideal_depth : int, optional
            The length of the perfect ranking, by default the depth of the rankings.
        """
        return Judged(
            grades,
            grades > 0,
            self.n_relevant[queries],
            self.ideal(queries, grades.shape[1] if ideal_depth is None else ideal_depth),
            self.by_label,
            known_depth,
        )


class LabelRelevance(Relevance):
    """The relevance by label: an item is relevant (grade 1) when it has the query's label.

    Parameters
    ----------
    item_labels, query_labels : sequence of length n_items, n_queries
        Compared by ``==``; None is no label.
    query_rows : ndarray int64 (n_queries,)
        The row of each query itself; -1 when it is not an item.

    Raises
    ------
    CorpusError
        When the two lists of labels differ in type, so that no two labels can match.

    Examples
    --------
    >>> relevance = LabelRelevance(["a", "b", "a"], ["a", None], np.array([0, -1]))
    >>> relevance.n_relevant
    array([1, 0])
    >>> relevance.grades(np.array([0]), np.array([[0, 1, 2, -1]]))
    array([[0, 0, 1, 0]], dtype=int32)
    """

    by_label = True
    levels = np.ones(1, np.int32)

    def __init__(self, item_labels: Labels, query_labels: Labels, query_rows: Rows) -> None:
        items, self._queries = _label_numbers(item_labels, query_labels)
        self._query_rows = query_rows
        self._items = np.append(items, -2)  # for row -1, which is no item
        sizes = np.append(np.bincount(items[items >= 0]), 0)  # the last is for a query whose label no item has
        self.n_relevant = sizes[self._queries] - (self._items[query_rows] == self._queries)
        self.n_held = self.n_relevant

    def grades(self, queries: Rows, rows: Rows) -> NDArray[np.int32]:
        """1 for a row with its query's label, else 0; int32 ``(m, k)``."""
        same: NDArray[np.bool_] = self._items[rows] == self._queries[queries][:, None]
        same &= rows != self._query_rows[queries][:, None]
        return same.astype(np.int32)

    def ideal(self, queries: Rows, depth: int) -> NDArray[np.int32]:
        """A one for each relevant item, at most `depth`; int32 ``(m, width)``."""
        width = min(depth, int(self.n_relevant[queries].max(initial=0)))
        ones: NDArray[np.bool_] = np.arange(width) < self.n_relevant[queries][:, None]
        return ones.astype(np.int32)

    def totals(self) -> NDArray[np.int64]:
        """The number of relevant items, int64 ``(n_queries, 1)``."""
        return self.n_relevant[:, None]


class QrelRelevance(Relevance):
    """The relevance by judgements (qrels). Documents without a judgement, or judged below 0, have grade 0.

    A relevant document that the corpus does not hold counts as relevant and not found, as in trec_eval.

    Parameters
    ----------
    qrels : mapping
        Query id -> document id -> grade.
    query_ids : sequence of str
    row_of : mapping of str to int
        The row of each document.
    query_rows : ndarray int64 (n_queries,)
        The row of each query itself; -1 when it is not a document.
    """

    by_label = False

    def __init__(
        self,
        qrels: Mapping[str, Mapping[str, int]],
        query_ids: Sequence[str],
        row_of: Mapping[str, int],
        query_rows: Rows,
    ) -> None:
        self._judged: list[tuple[Rows, NDArray[np.int32]]] = []
        self._ideal: list[list[int]] = []
        for query, itself in zip(query_ids, query_rows.tolist(), strict=True):
            graded = [(row_of.get(document, -1), grade) for document, grade in qrels.get(query, {}).items()]
            graded = [(row, grade) for row, grade in graded if grade > 0 and (row < 0 or row != itself)]
            self._ideal.append(sorted((grade for _, grade in graded), reverse=True))
            held = sorted((row, grade) for row, grade in graded if row >= 0)
            self._judged.append(
                (np.array([row for row, _ in held], np.int64), np.array([grade for _, grade in held], np.int32))
            )
        self.n_relevant = np.array([len(grades) for grades in self._ideal], np.int64)
        self.n_held = np.array([len(rows) for rows, _ in self._judged], np.int64)
        self.levels = np.unique(np.array([grade for grades in self._ideal for grade in grades], np.int32))

    def grades(self, queries: Rows, rows: Rows) -> NDArray[np.int32]:
        """The grade of each row for its query, int32 ``(m, k)``."""
        grades_of_rows = np.zeros(rows.shape, np.int32)
        for position, query in enumerate(queries.tolist()):
            judged, grades = self._judged[query]
            if len(judged):
                at = np.minimum(np.searchsorted(judged, rows[position]), len(judged) - 1)
                grades_of_rows[position] = np.where(judged[at] == rows[position], grades[at], 0)
        return grades_of_rows

    def ideal(self, queries: Rows, depth: int) -> NDArray[np.int32]:
        """The grades of all relevant documents, best first, whatever the depth: trec_eval's ideal has none."""
        lists = [self._ideal[query] for query in queries.tolist()]
        matrix = np.zeros((len(lists), max([1, *map(len, lists)])), np.int32)
        for position, grades in enumerate(lists):
            matrix[position, : len(grades)] = grades
        return matrix

    def totals(self) -> NDArray[np.int64]:
        """The number of documents of the corpus with each grade, int64 ``(n_queries, n_levels)``."""
        counts = np.zeros((len(self), len(self.levels)), np.int64)
        for query, (_, grades) in enumerate(self._judged):
            np.add.at(counts[query], np.searchsorted(self.levels, grades), 1)
        return counts


class _Selected(Relevance):
    """The relevance for some of the queries of another relevance."""

    def __init__(self, whole: Relevance, chosen: Rows) -> None:
        self._whole, self._chosen = whole, chosen
        self.n_relevant, self.n_held = whole.n_relevant[chosen], whole.n_held[chosen]
        self.levels, self.by_label = whole.levels, whole.by_label

    def grades(self, queries: Rows, rows: Rows) -> NDArray[np.int32]:
        return self._whole.grades(self._chosen[queries], rows)

    def ideal(self, queries: Rows, depth: int) -> NDArray[np.int32]:
        return self._whole.ideal(self._chosen[queries], depth)

    def totals(self) -> NDArray[np.int64]:
        return self._whole.totals()[self._chosen]


def _label_numbers(item_labels: Labels, query_labels: Labels) -> tuple[Rows, Rows]:
    """The labels of items and of queries as numbers from 0 on; equal labels have equal numbers.

    An item without a label has -2, a query whose label no item has -1.

    Raises
    ------
    CorpusError
        When the two lists differ in type, so that no two labels can match.
    """
    numbers: dict[Any, int] = {}
    items = [-2 if label is None else numbers.setdefault(label, len(numbers)) for label in _plain(item_labels)]
    queries = [-1 if label is None else numbers.get(label, -1) for label in _plain(query_labels)]
    if numbers and max(queries, default=0) < 0:
        by_text = {str(label): label for label in numbers}
        for label in _plain(query_labels):
            if str(label) in by_text and label is not None:
                raise CorpusError(
                    f"query labels such as {label!r} and item labels such as {by_text[str(label)]!r} "
                    "never match: give both as the same type"
                )
    return np.array(items, np.int64), np.array(queries, np.int64)


def _plain(labels: Labels) -> Sequence[Any]:
    return labels.tolist() if isinstance(labels, np.ndarray) else labels
