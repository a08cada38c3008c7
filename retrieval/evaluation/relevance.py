"""What is relevant to whom, by row numbers: from judgements (qrels), or from labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import CorpusError
from retrieval.evaluation.measures import Judged

Rows = NDArray[np.int64]
#: One label an item; None where it has none (then it is relevant to nothing).
Labels = Sequence[Any] | NDArray[Any]


class Relevance(ABC):
    """The grade of every item for every query. A query that is an item is not relevant to itself.

    Attributes
    ----------
    n_relevant : ndarray int64 (n_queries,)
        Number of relevant items.
    levels : ndarray int32 (n_levels,)
        The grades above 0 that occur, ascending.
    by_label : bool
        Whether "same class" decides, where ``AP@k`` is defined differently (`retrieval.evaluation.measures`).
    """

    n_relevant: NDArray[np.int64]
    levels: NDArray[np.int32]
    by_label: bool

    @abstractmethod
    def grades(self, queries: Rows, rows: Rows) -> NDArray[np.int32]:
        """Return the grade of each row for its query: int32 ``(m, k)`` of rows ``(m, k)``; 0 for row -1."""

    @abstractmethod
    def ideal(self, queries: Rows, depth: int) -> NDArray[np.int32]:
        """Return the grades of a perfect ranking of at most `depth` answers, best first, int32 ``(m, width)``."""

    def __len__(self) -> int:
        return len(self.n_relevant)

    def select(self, chosen: NDArray[Any]) -> Relevance:
        """Return the relevance for some of the queries, by their numbers."""
        return _Selected(self, np.arange(len(self))[chosen])

    def tally(self, query: int, rows: Rows) -> NDArray[np.int64]:
        """Count the rows of each grade of `levels`, int64 ``(n_levels,)``."""
        grades = self.grades(np.array([query]), rows[None])[0]
        return np.array([np.count_nonzero(grades == level) for level in self.levels], np.int64)

    def judged(self, queries: Rows, grades: NDArray[np.int32], known_depth: int | None = None) -> Judged:
        """Return rankings, given as the grades of their answers, as `retrieval.evaluation.measures` reads them."""
        return Judged(
            grades,
            grades > 0,
            self.n_relevant[queries],
            self.ideal(queries, grades.shape[1]),
            self.by_label,
            known_depth,
        )


class LabelRelevance(Relevance):
    """An item is relevant when it has the query's label.

    Parameters
    ----------
    item_labels, query_labels : sequence of length n_items, n_queries
        Compared by ``==``; None is no label.
    own : ndarray int64 (n_queries,)
        The row of each query itself; -1 where it is no item.

    Raises
    ------
    CorpusError
        When the two lists of labels differ in type, so that none could ever match.

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

    def __init__(self, item_labels: Labels, query_labels: Labels, own: Rows) -> None:
        items, self._queries = numbered(item_labels, query_labels)
        self._own = own
        self._items = np.append(items, -2)  # row -1: no item, of no class
        sizes = np.append(np.bincount(items[items >= 0]), 0)  # the last is for a query of no known class
        self.n_relevant = sizes[self._queries] - (self._items[own] == self._queries)

    def grades(self, queries: Rows, rows: Rows) -> NDArray[np.int32]:
        """Return 1 where a row has its query's label, else 0."""
        same: NDArray[np.bool_] = self._items[rows] == self._queries[queries][:, None]
        same &= rows != self._own[queries][:, None]
        return same.astype(np.int32)

    def ideal(self, queries: Rows, depth: int) -> NDArray[np.int32]:
        """Return ones, as many as there are relevant items."""
        width = min(depth, int(self.n_relevant[queries].max(initial=0)))
        ones: NDArray[np.bool_] = np.arange(width) < self.n_relevant[queries][:, None]
        return ones.astype(np.int32)


class QrelRelevance(Relevance):
    """The grades of judgements; what is not judged has grade 0, as has what is judged below 0.

    Judged documents that the corpus does not hold count as relevant and not found, as in trec_eval.

    Parameters
    ----------
    qrels : mapping
        Query id -> document id -> grade.
    query_ids : sequence of str
    row_of : mapping of str to int
        The row of each document.
    own : ndarray int64 (n_queries,)
        The row of each query itself; -1 where it is no document.
    """

    by_label = False

    def __init__(
        self, qrels: Mapping[str, Mapping[str, int]], query_ids: Sequence[str], row_of: Mapping[str, int], own: Rows
    ) -> None:
        self._judged: list[tuple[Rows, NDArray[np.int32]]] = []
        self._ideal: list[list[int]] = []
        for query, itself in zip(query_ids, own.tolist(), strict=True):
            graded = [(row_of.get(document, -1), grade) for document, grade in qrels.get(query, {}).items()]
            graded = [(row, grade) for row, grade in graded if grade > 0 and (row < 0 or row != itself)]
            self._ideal.append(sorted((grade for _, grade in graded), reverse=True))
            held = sorted((row, grade) for row, grade in graded if row >= 0)
            self._judged.append(
                (np.array([row for row, _ in held], np.int64), np.array([grade for _, grade in held], np.int32))
            )
        self.n_relevant = np.array([len(grades) for grades in self._ideal], np.int64)
        #: Number of relevant documents that the corpus holds, int64 (n_queries,).
        self.n_held = np.array([len(rows) for rows, _ in self._judged], np.int64)
        self.levels = np.unique(np.array([grade for grades in self._ideal for grade in grades], np.int32))

    def grades(self, queries: Rows, rows: Rows) -> NDArray[np.int32]:
        """Return the grade of each row for its query."""
        found = np.zeros(rows.shape, np.int32)
        for place, query in enumerate(queries.tolist()):
            judged, grades = self._judged[query]
            if len(judged):
                at = np.minimum(np.searchsorted(judged, rows[place]), len(judged) - 1)
                found[place] = np.where(judged[at] == rows[place], grades[at], 0)
        return found

    def ideal(self, queries: Rows, depth: int) -> NDArray[np.int32]:
        """Return the grades of all relevant documents, best first: trec_eval's ideal has no depth."""
        lists = [self._ideal[query] for query in queries.tolist()]
        matrix = np.zeros((len(lists), max([1, *map(len, lists)])), np.int32)
        for place, grades in enumerate(lists):
            matrix[place, : len(grades)] = grades
        return matrix


class _Selected(Relevance):
    """The relevance for some of the queries of another."""

    def __init__(self, whole: Relevance, chosen: Rows) -> None:
        self._whole, self._chosen = whole, chosen
        self.n_relevant, self.levels, self.by_label = whole.n_relevant[chosen], whole.levels, whole.by_label

    def grades(self, queries: Rows, rows: Rows) -> NDArray[np.int32]:
        return self._whole.grades(self._chosen[queries], rows)

    def ideal(self, queries: Rows, depth: int) -> NDArray[np.int32]:
        return self._whole.ideal(self._chosen[queries], depth)


def numbered(item_labels: Labels, query_labels: Labels) -> tuple[Rows, Rows]:
    """Number the classes; items without a label get -2, queries whose label no item has get -1.

    Raises
    ------
    CorpusError
        When the two lists differ in type, so that no two labels could ever match.
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
