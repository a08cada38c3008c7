"""Filter, then re-rank: short codes find a shortlist, and another space orders only its items."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, n_rows, slices
from encoders.errors import CollectionError, DimensionError, OptionError
from indexers.base import Index

#: Default length of a shortlist: at least this, and at least this many times the number of answers.
CANDIDATES, TIMES_ANSWERS = 1000, 10
#: Candidates in memory at a time (rows and scores: 48 MiB), and the first number of hits within a radius.
BLOCK_CANDIDATES, FIRST_FETCH = 2**22, 1024


class Shortlisted(NamedTuple):
    """The answers of a shortlist search as arrays, best first, as in `Rows`, and their cost.

    Attributes
    ----------
    scores : ndarray float32 (n, k)
        Scores in the finer space; -inf when the shortlist has fewer than k items.
    rows : ndarray int64 (n, k)
        Rows, the same in both indexes; -1 when the shortlist has fewer than k items.
    held : ndarray int64 (n,)
        Number of items on the shortlist of each query; only their finer codes are read.
    filter_seconds, rerank_seconds : float
        Time of the two stages, all queries together.
    """

    scores: NDArray[np.float32]
    rows: NDArray[np.int64]
    held: NDArray[np.int64]
    filter_seconds: float
    rerank_seconds: float


def shortlisted(
    coarse: Index,
    fine: Index,
    coarse_queries: Codes,
    fine_queries: Codes,
    candidates: int | None = None,
    k: int = 10,
    *,
    radius: int | None = None,
    query_rows: NDArray[np.int64] | None = None,
) -> Shortlisted:
    """The answers of `fine` among the candidates that `coarse` finds, by exact scores.

    Items with the same coarse score as the last candidate are candidates too: which of them an index lists first
    depends on the order of its rows. A shortlist can thus be longer than `candidates`. Queries are processed in blocks,
    so that memory stays bounded.

    Parameters
    ----------
    coarse : Index
        Any index; typically of bits.
    fine : Index
        One that holds its codes (`exact`, `sparse`), of the same items in the same order.
    coarse_queries, fine_queries : codes
        The same queries in both spaces.
    candidates : int, optional
        Length of a shortlist without the ties of its last item; by default 1,000, or ten times `k` if that is more.
    k : int
        Answers of each query.
    radius : int, optional
        Instead of `candidates`: every item that differs by at most this number of bits.
    query_rows : ndarray int64 (n,), optional
        The row of each query itself, which is never its own answer; -1 when it is not an item.

    Raises
    ------
    OptionError
        When both `candidates` and `radius` are given, or a radius for codes that are not binary.
    CollectionError
        When the indexes hold different items.
    NotInvertibleError
        When `fine` does not hold its codes.

    Examples
    --------
    >>> from encoders.codes import Metric, Space
    >>> from indexers.registry import create_index
    >>> bits = create_index(None, Space(8, Kind.BINARY, Metric.HAMMING))
    >>> points = create_index(None, Space(1, Kind.DENSE, Metric.EUCLIDEAN))
    >>> bits.add(["a", "b", "c"], np.array([[0b0000], [0b0011], [0b1111]], dtype=np.uint8))
    >>> points.add(["a", "b", "c"], np.array([[5], [2], [0]], dtype=np.float32))
    >>> query = np.array([[0]], dtype=np.uint8), np.array([[0]], dtype=np.float32)
    >>> shortlisted(bits, points, *query, candidates=2, k=1).rows  # c is nearest, but not on the shortlist
    array([[1]])
    >>> shortlist = shortlisted(bits, points, *query, k=2, radius=4)
    >>> shortlist.rows, shortlist.scores, shortlist.held
    (array([[2, 1]]), array([[ 0., -4.]], dtype=float32), array([3]))
    """
    _require_fit(coarse, fine, n_rows(coarse_queries), n_rows(fine_queries))
    wanted = shortlist_length(coarse, candidates, k, radius)
    n = n_rows(fine_queries)
    scores, rows = np.full((n, k), -np.inf, np.float32), np.full((n, k), -1, np.int64)
    held = np.zeros(n, np.int64)
    query_rows = np.full(n, -1) if query_rows is None else np.asarray(query_rows)
    seconds = np.zeros(2)
    top, begun = 0, time.perf_counter()
    for listed in _lists(coarse, coarse_queries, wanted, radius, query_rows):
        part = slice(top, top + len(listed))
        listed[listed == query_rows[part, None]] = -1
        filtered = time.perf_counter()
        _require_same_ids(coarse, fine, listed)
        hits = fine.search_among(fine_queries[part], listed, k)
        scores[part], rows[part], held[part] = hits.scores, hits.rows, (listed >= 0).sum(axis=1)
        top, ended = part.stop, time.perf_counter()
        seconds += filtered - begun, ended - filtered
        begun = ended
    return Shortlisted(scores, rows, held, float(seconds[0]), float(seconds[1]))


def shortlist_length(coarse: Index, candidates: int | None, k: int, radius: int | None) -> int:
    """The number of candidates of a shortlist, without ties.

    Raises
    ------
    OptionError
        For less than one candidate, for both `candidates` and `radius`, or for a radius of codes that are not binary.
    """
    if radius is None:
        wanted = max(CANDIDATES, TIMES_ANSWERS * k) if candidates is None else candidates
        if wanted < 1:
            raise OptionError(f"a shortlist should hold at least 1 candidate; got {wanted}")
        return wanted
    if candidates is not None:
        raise OptionError("a shortlist has a number of candidates or a radius, not both")
    if coarse.space.kind is not Kind.BINARY:
        raise OptionError(
            f"a radius counts bits that differ, but the codes of the shortlist are {coarse.space.kind}: "
            "give a number of candidates, or put '+binarize' behind their encoder"
        )
    if not 0 <= radius <= coarse.space.dim:
        raise OptionError(f"a radius should be from 0 to the {coarse.space.dim} bits of the code; got {radius}")
    return len(coarse)


def _require_fit(coarse: Index, fine: Index, asked: int, finer: int) -> None:
    if asked != finer:
        raise DimensionError(f"expected the same queries in both spaces, got {asked} and {finer}")
    if len(coarse) != len(fine):
        raise CollectionError(f"the two indexes hold different items: {len(coarse):,} and {len(fine):,}")


def _lists(
    index: Index, queries: Codes, wanted: int, radius: int | None, query_rows: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """Yield the shortlists of consecutive blocks of queries, (some, m); -1 fills shorter ones."""
    if radius is not None:
        yield from _balls(index, queries, radius, min(FIRST_FETCH, max(1, len(index))))
        return
    fetch = max(1, min(wanted + 1 + bool((query_rows >= 0).any()), _limit(index)))
    yield from _nearest(index, queries, wanted, query_rows, fetch)


def _limit(index: Index) -> int:
    return len(index) if index.max_k is None else min(len(index), index.max_k)


def _nearest(
    index: Index, queries: Codes, wanted: int, query_rows: NDArray[np.int64], fetch: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the `wanted` nearest of each query and all that are as near as the last of them.

    Each search is four times as deep as the one before, until it contains all items that are as near as the last one.
    """
    top = 0
    for part in slices(queries, max(1, BLOCK_CANDIDATES // fetch)):
        block = query_rows[top : top + n_rows(part)]
        top += len(block)
        hits = index.search_rows(part, fetch)
        others = (hits.rows >= 0) & (hits.rows != block[:, None])
        number = np.cumsum(others, axis=1)
        at = np.argmax(number >= wanted, axis=1)
        last = np.where(number[:, -1] >= wanted, hits.scores[np.arange(len(at)), at], -np.inf)
        ties_go_on = (hits.rows[:, -1] >= 0) & (hits.scores[:, -1] >= last)
        if fetch < _limit(index) and ties_go_on.any():
            yield from _nearest(index, part, wanted, block, min(_limit(index), 4 * fetch))
        else:
            near = others & (hits.scores >= last[:, None])
            # the query itself leaves a gap, so that the width is the last column in use
            width = int(np.flatnonzero(near.any(axis=0)).max(initial=0)) + 1
            yield np.where(near, hits.rows, -1)[:, :width]


def _balls(index: Index, queries: Codes, radius: int, fetch: int) -> Iterator[NDArray[np.int64]]:
    """Yield the items within a radius; each search is four times as deep, until its last hit is outside."""
    for part in slices(queries, max(1, BLOCK_CANDIDATES // fetch)):
        hits = index.search_rows(part, fetch)
        inside = hits.scores >= -radius
        if fetch < len(index) and inside[:, -1].any():
            yield from _balls(index, part, radius, min(len(index), 4 * fetch))
        else:
            yield np.where(inside, hits.rows, -1)[:, : max(1, int(inside.sum(axis=1).max()))]


def _require_same_ids(coarse: Index, fine: Index, listed: NDArray[np.int64]) -> None:
    """Compare the ids of the candidates only: comparing all ids would take as long as a search."""
    seen = np.zeros(len(coarse), dtype=bool)
    seen[listed[listed >= 0]] = True
    rows = np.flatnonzero(seen)
    if coarse.ids_of_rows(rows) != fine.ids_of_rows(rows):
        raise CollectionError("the two indexes hold different items, or the same items in another order")
