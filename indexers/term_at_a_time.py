"""Term-at-a-time search of posting lists: scores of all items in one array, the best by the maxima of its blocks.

Turtle and Flood, "Query evaluation: strategies and optimizations", 1995, Sec. 3: each list of a query is read once,
from end to end, and adds to the scores of its items.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexers.hits import Rows
from indexers.pairs import as_cosines

#: Least and largest number of scores of a block, and the blocks that there should be for each wanted answer.
SHORTEST, LONGEST, BLOCKS_PER_ANSWER = 64, 1024, 4
#: Scores of several queries that are held at once, 4 MiB: two threads took a fifth longer with 2 MiB, and a quarter
#: longer with 8 (80,000 abstracts, AMD EPYC).
HELD = 2**20
#: Postings of some queries up to which their lists are first copied side by side: then one call adds all of a query.
COPIED = 2**20


class InPlace(NamedTuple):
    """Functions of SciPy that read posting lists; they are not part of its public interface."""

    #: Add sparse columns, times a weight each, to an array.
    add: Callable[..., None]
    #: Copy some rows of a CSR matrix side by side.
    copy: Callable[..., None]


@lru_cache(maxsize=1)
def in_place() -> InPlace | None:
    """Return SciPy's functions; None where it has none that do what is expected."""
    try:
        from scipy.sparse import _sparsetools

        functions = InPlace(_sparsetools.csc_matvec, _sparsetools.csr_row_index)
        ends, items, values = (
            np.array([0, 1, 3], np.int32),
            np.array([1, 0, 2], np.int32),
            np.array([9, 2, 3], np.float32),
        )
        rows, into_items, into_values = np.array([1], np.int32), np.zeros(2, np.int32), np.zeros(2, np.float32)
        functions.copy(1, rows, ends, items, values, into_items, into_values)
        scores = np.ones(3, np.float32)
        functions.add(3, 1, np.array([0, 2], np.int32), into_items, into_values, np.array([4], np.float32), scores)
    except (ImportError, AttributeError, TypeError, ValueError):
        return None
    as_expected = into_items.tolist() == [0, 2] and scores.tolist() == [9, 1, 13]
    return functions if as_expected else None


class Accumulator:
    """Scores of all items for some queries at a time; a thread has its own.

    Parameters
    ----------
    postings : csr_array float32 (dim, n)
        One list per component.
    inverse : ndarray float32 (n,), optional
        Factors of the items, with which scores are cosines.
    n_queries, k : int
        Number of queries, and of the wanted answers to each.
    functions : InPlace
    """

    def __init__(
        self, postings: Any, inverse: NDArray[np.float32] | None, n_queries: int, k: int, functions: InPlace
    ) -> None:
        self._ends, self._items, self._values = postings.indptr, postings.indices, postings.data
        self._n, self._inverse, self._k, self._functions = postings.shape[1], inverse, k, functions
        wanted = self._n // (BLOCKS_PER_ANSWER * max(k, 1))
        length = min(LONGEST, max(SHORTEST, 1 << max(wanted.bit_length() - 1, 0)))
        width = -(-self._n // length) * length
        self._scores = np.zeros((max(1, min(n_queries, HELD // width)), width), np.float32)
        self._length = length

    @property
    def height(self) -> int:
        """Largest number of queries at a time."""
        return len(self._scores)

    def search(self, terms: NDArray[Any], weights: NDArray[np.float32], ends: list[int], best: Rows) -> None:
        """Write the answers of some queries: positive scores, best first; equal ones by the numbers of their items.

        Parameters
        ----------
        terms : ndarray of int (m,)
            Components of the queries, of the type of the numbers in the postings.
        weights : ndarray float32 (m,)
            Their values; a sum is made in this order.
        ends : list of int (n + 1)
            Where each query begins and ends.
        best : Rows (n, k)
            Filled with missing answers before.
        """
        scores = self._scores[: len(ends) - 1]
        scores.fill(0)
        self._add(terms[ends[0] : ends[-1]], weights[ends[0] : ends[-1]], [end - ends[0] for end in ends], scores)
        if self._inverse is not None:
            as_cosines(np.multiply(scores[:, : self._n], self._inverse, out=scores[:, : self._n]))
        places = self._candidates(scores)
        values, rows = scores.ravel()[places], places // scores.shape[1]
        order = np.lexsort((-values, rows))  # stable, and places ascend
        counts = np.bincount(rows, minlength=len(scores))
        rows, ranks = rows[order], np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = ranks < self._k
        order, at = order[kept], (rows[kept], ranks[kept])
        best.scores[at], best.rows[at] = values[order], places[order] % scores.shape[1]

    def _add(
        self, terms: NDArray[Any], weights: NDArray[np.float32], ends: list[int], scores: NDArray[np.float32]
    ) -> None:
        """Add the postings of all terms, in the order of the terms, to the scores of their queries."""
        n, bounds, items, values, (add, copy) = self._n, self._ends, self._items, self._values, self._functions
        copied = np.zeros(len(terms) + 1, np.int64)
        np.cumsum(bounds[terms + 1] - bounds[terms], out=copied[1:])
        if copied[-1] <= COPIED:
            copied = copied.astype(bounds.dtype)
            some_items, some_values = np.empty(copied[-1], items.dtype), np.empty(copied[-1], np.float32)
            copy(len(terms), terms, bounds, items, values, some_items, some_values)
            for row, (start, stop) in zip(scores, pairwise(ends), strict=True):
                add(n, stop - start, copied[start : stop + 1], some_items, some_values, weights[start:stop], row)
            return
        for row, (start, stop) in zip(scores, pairwise(ends), strict=True):
            for at, term in enumerate(terms[start:stop].tolist(), start):
                add(n, 1, bounds[term : term + 2], items, values, weights[at : at + 1], row)

    def _candidates(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the places, ascending, of all positive scores that can be among the `k` best of their queries.

        The k-th largest maximum of a block is a score that at least k items reach, each in a block of its own.
        """
        blocks = scores.reshape(-1, self._length)
        maxima = np.maximum.reduce(blocks, axis=1).reshape(len(scores), -1)
        rest = maxima.shape[1] - self._k
        least = np.partition(maxima, rest, axis=1)[:, rest] if rest > 0 else np.zeros(len(scores), np.float32)
        least = np.maximum(least, np.finfo(np.float32).smallest_subnormal)
        reached = np.flatnonzero(maxima >= least[:, None])
        inside = np.flatnonzero(blocks[reached] >= least[reached // maxima.shape[1], None])
        return np.asarray(reached[inside // self._length] * self._length + inside % self._length)
