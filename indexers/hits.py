"""The results of a search: lists of hits, built when they are read, and arrays of rows for arithmetic."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, Self, SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray


class Hit(NamedTuple):
    """One answer: the item's id and its score, larger is better in every metric."""

    id: str
    score: float


class Rows(NamedTuple):
    """Answers as arrays, best first; where there are fewer than k, the rest is row -1 with score -inf.

    Attributes
    ----------
    scores : ndarray float32 (n, k)
        float64 for codes so small or large that float32 cannot hold their squares.
    rows : ndarray int64 (n, k)
    """

    scores: NDArray[np.float32]
    rows: NDArray[np.int64]


#: Make a Hit, or Rows, from a pair; in C.
_hit = partial(tuple.__new__, Hit)
as_rows = partial(tuple.__new__, Rows)


class HitLists(Sequence[list[Hit]]):
    """One list of hits for each query, best first; a list is built when it is first read.

    Compares, iterates, slices and prints as a list of lists. `ids` and `scores` give the same answers as columns,
    which for many queries takes a fraction of the time.

    Parameters
    ----------
    result : Rows
        Scores and rows (n, k).
    ids : sequence of str
        The id of every row. It may grow; existing ids do not change.

    Examples
    --------
    >>> result = Rows(np.float32([[3, 1], [2, -np.inf]]), np.array([[1, 0], [0, -1]]))
    >>> hits = HitLists(result, ["a", "b"])
    >>> hits[1]
    [Hit(id='a', score=2.0)]
    >>> hits.ids.tolist()
    [['b', 'a'], ['a', None]]
    """

    __slots__ = ("_ids", "_lists", "_result")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, result: Rows, ids: Sequence[str]) -> None:
        self._result, self._ids = result, ids
        self._lists: list[list[Hit] | None] | None = None

    @classmethod
    def of(cls, lists: Sequence[list[Hit]]) -> Self:
        """Return the same hits with their columns."""
        lengths = [len(hits) for hits in lists]
        shape = len(lists), max(lengths, default=0)
        result = Rows(np.full(shape, -np.inf, np.float32), np.full(shape, -1, np.int64))
        present = np.arange(shape[1]) < np.array(lengths, dtype=np.int64)[:, None]
        result.rows[present] = np.arange(sum(lengths))
        result.scores[present] = [hit.score for hits in lists for hit in hits]
        new = cls(result, [hit.id for hits in lists for hit in hits])
        new._lists = list(lists)
        return new

    @property
    def scores(self) -> NDArray[np.float32]:
        """The scores of all hits, float32 (n, k); -inf where a query has fewer than k."""
        return self._result.scores

    @property
    def ids(self) -> NDArray[np.object_]:
        """The ids of all hits, texts (n, k); None if a query has fewer than k."""
        rows = self._result.rows
        missing = rows < 0
        names = _ids_of(self._ids, rows)
        if missing.any():
            names[missing] = None
        return names

    def __len__(self) -> int:
        return len(self._result.rows)

    @overload
    def __getitem__(self, position: SupportsIndex) -> list[Hit]: ...
    @overload
    def __getitem__(self, position: slice) -> list[list[Hit]]: ...
    def __getitem__(self, position: SupportsIndex | slice) -> list[Hit] | list[list[Hit]]:
        if isinstance(position, slice):
            return [self[row] for row in range(*position.indices(len(self)))]
        built = self._built()
        hits = built[position]
        if hits is None:
            scores, rows = self._result
            row = Rows(scores[position][None], rows[position][None])
            hits = built[position] = as_hits(row, self._ids)[0]
        return hits

    def __iter__(self) -> Iterator[list[Hit]]:
        built = self._built()
        if not any(built):  # build all at once
            built[:] = as_hits(self._result, self._ids)
        return (self[position] for position in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, HitLists | list) else NotImplemented

    def __repr__(self) -> str:
        return repr(list(self))

    def _built(self) -> list[list[Hit] | None]:
        if self._lists is None:
            self._lists = [None] * len(self)
        return self._lists


def as_hits(result: Rows, ids: Sequence[str]) -> list[list[Hit]]:
    """Turn rows into hits, all in C: ten hits of 10,000 queries take 20 ms; a Python loop takes 80 ms."""
    n, k = result.rows.shape
    if not result.rows.size:
        return [[] for _ in range(n)]
    names = _ids_of(ids, result.rows)
    if int(result.rows[:, -1].min()) < 0:
        lengths = np.count_nonzero(result.rows >= 0, axis=1).tolist()  # missing hits come last
        triples = zip(names.tolist(), result.scores.tolist(), lengths, strict=True)
        return [list(map(_hit, zip(some[:end], scores[:end], strict=True))) for some, scores, end in triples]
    with _no_garbage_collection():
        flat: list[Hit] = list(map(_hit, zip(names.ravel().tolist(), result.scores.ravel().tolist(), strict=True)))
        return [flat[start : start + k] for start in range(0, n * k, k)]


def _ids_of(ids: Sequence[str], rows: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the ids of rows (n, k); for row -1 any id.

    Reading from a NumPy array is twenty times faster than from a list, so an array is made unless there are many more
    ids than rows.
    """
    if not ids:
        return np.full(rows.shape, None, dtype=object)
    if len(ids) < 4 * rows.size:
        return np.asarray(np.array(ids, dtype=object).take(rows, mode="wrap"))
    return np.array(list(map(ids.__getitem__, rows.ravel().tolist())), dtype=object).reshape(rows.shape)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Turn garbage collection off while many small tuples are made, which have no reference cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
