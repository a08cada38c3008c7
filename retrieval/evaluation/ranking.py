"""Rankings with equal scores: the first answers of every query, and all that share the score of the last one.

Bits, counts and cluster numbers give hundreds of equal scores. An index lists equal scores in the order of its
rows, which is the order of the corpus; here that order decides nothing. Equal scores are listed by a priority that
belongs to the item itself, and where the list ends inside a group of equal scores the whole group is known, so that
`retrieval.evaluation.expected_measures` can take the mean over all its orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes
from indexers.base import Index
from retrieval.evaluation.relevance import Relevance

Rows = NDArray[np.int64]
#: Number of scores in memory while the end of a group of equal scores is searched.
_BLOCK = 2**23


@dataclass(frozen=True)
class Rankings:
    """The first `depth` answers of n queries.

    Attributes
    ----------
    scores : ndarray float32 (n, depth)
        Descending; -inf after the last answer.
    rows : ndarray int64 (n, depth)
        The items; -1 after the last answer. Equal scores are ordered by ascending priority.
    group_size : ndarray int64 (n,)
        When equal scores continue after the last column: the number of items of the whole corpus with that score. 0
        when the list ends with its group.
    group_tally : ndarray int64 (n, n_levels)
        Number of items of that group with each grade of `Relevance.levels`.
    """

    scores: NDArray[np.float32]
    rows: Rows
    group_size: NDArray[np.int64]
    group_tally: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


def rank(index: Index, queries: Codes, depth: int, query_rows: Rows, priority: Rows, relevance: Relevance) -> Rankings:
    """Search every query, leave the query's own row out, and find all items that tie with the last answer.

    Parameters
    ----------
    index : Index
    queries : codes of n queries
    depth : int
        Number of answers per query; fewer when the index returns fewer.
    query_rows : ndarray int64 (n,)
        The row of each query itself; -1 when the query is not an item.
    priority : ndarray int64 (n_items,)
        Decides the listed order of equal scores; the smallest comes first.
    relevance : Relevance
        Relevance for the same queries.
    """
    has_query_rows = int((query_rows >= 0).any())
    width = within(index, min(depth + 1 + has_query_rows, len(index)))
    hits = index.search_rows(queries, width)
    scores, rows = without_query_rows(hits.scores, hits.rows, query_rows)
    depth = min(depth, width if width == len(index) else width - has_query_rows)
    size = np.zeros(len(rows), np.int64)
    tally = np.zeros((len(rows), len(relevance.levels)), np.int64)
    if depth < width:
        open_ended = np.flatnonzero((rows[:, depth] >= 0) & (scores[:, depth] == scores[:, depth - 1]))
        for query, group in _groups(index, queries, open_ended, scores, rows, depth, query_rows):
            start = int(np.count_nonzero(scores[query, :depth] > scores[query, depth - 1]))
            size[query], tally[query] = len(group), relevance.tally(query, group)
            first = group[np.argsort(priority[group], kind="stable")]
            rows[query, start:depth] = first[: depth - start]
    scores, rows = scores[:, :depth], rows[:, :depth]
    return Rankings(scores, by_priority(scores, rows, priority), size, tally)


def within(index: Index, k: int) -> int:
    """Return `k`, or the largest number of answers that the index can give."""
    return k if index.max_k is None else min(k, index.max_k)


def by_priority(scores: NDArray[Any], rows: Rows, priority: Rows) -> Rows:
    """Sort the rows of equal scores by priority, separately for each query."""
    same = (scores[:, 1:] == scores[:, :-1]) & (rows[:, 1:] >= 0)
    tied = np.flatnonzero(same.any(axis=1))
    if not len(tied):
        return rows
    ordered = rows.copy()
    keys = np.where(rows[tied] < 0, np.iinfo(np.int64).max, priority[rows[tied]])
    order = np.lexsort((keys, -scores[tied]), axis=1)
    ordered[tied] = np.take_along_axis(rows[tied], order, axis=1)
    return ordered


def without_query_rows(scores: NDArray[Any], rows: Rows, query_rows: Rows) -> tuple[NDArray[Any], Rows]:
    """Remove each query's own row from its answers; later answers move forward."""
    removed = (rows == query_rows[:, None]) & (query_rows >= 0)[:, None]
    if not removed.any():
        return scores, rows
    order = np.argsort(removed, axis=1, kind="stable")
    removed = np.take_along_axis(removed, order, axis=1)
    rows = np.where(removed, -1, np.take_along_axis(rows, order, axis=1))
    return np.where(removed, np.float32(-np.inf), np.take_along_axis(scores, order, axis=1)), rows


def _groups(
    index: Index, queries: Codes, pending: Rows, scores: NDArray[Any], rows: Rows, depth: int, query_rows: Rows
) -> Iterator[tuple[int, Rows]]:
    """Yield each query with the rows of all items that share the score of its last answer.

    Queries whose group has not ended are searched again, each time four times as deep.
    """
    limit, width = within(index, len(index)), rows.shape[1]
    matrix: Any = queries
    while len(pending):
        width = min(4 * width, limit)
        unfinished = []
        step = max(1, _BLOCK // width)
        for start in range(0, len(pending), step):
            these = pending[start : start + step]
            deeper = index.search_rows(matrix[these], width)
            more_scores, more_rows = without_query_rows(deeper.scores, deeper.rows, query_rows[these])
            for query, listed_scores, listed in zip(these.tolist(), more_scores, more_rows, strict=True):
                score = scores[query, depth - 1]
                last = np.count_nonzero(listed >= 0)
                if width < limit and last and listed_scores[last - 1] >= score:
                    unfinished.append(query)
                    continue
                known = rows[query, (scores[query] == score) & (rows[query] >= 0)]
                yield query, np.union1d(known, listed[(listed_scores == score) & (listed >= 0)])
        pending = np.array(unfinished, np.int64)
