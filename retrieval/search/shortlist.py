"""Filter, then re-rank: short codes find a shortlist, which a finer space puts in order; nothing else is read of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, n_rows, slices
from encoders.errors import CollectionError, DimensionError, OptionError
from indexers.base import Index

#: Length of a shortlist when nothing is said: at least this, and at least so many times the answers.
CANDIDATES, TIMES_ANSWERS = 1000, 10
#: Candidates held at a time (rows and scores: 48 MiB), and how many a radius first looks for.
BLOCK_CANDIDATES, FIRST_FETCH = 2**22, 1024


class Shortlisted(NamedTuple):
    """Answers as arrays, best first, as in `Rows`; and what they cost.

    Attributes
    ----------
    scores : ndarray float32 (n, k)
        Of the finer space; -inf where the shortlist held fewer than k.
    rows : ndarray int64 (n, k)
        Rows of either index; -1 where the shortlist held fewer than k.
    held : ndarray int64 (n,)
        Items on the shortlist of each query, the only ones whose finer codes were looked at.
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
    own: NDArray[np.int64] | None = None,
) -> Shortlisted:
    """Find candidates in one index and order them by the exact scores of another.

    Queries are taken some at a time, so that memory stays bounded.

    Parameters
    ----------
    coarse : Index
        Any index; typically of bits.
    fine : Index
        One that holds its codes (`exact`, `sparse`), of the same items in the same order.
    coarse_queries, fine_queries : codes
        The same queries in both spaces.
    candidates : int, optional
        Length of a shortlist, the nearest by `coarse`; by default 1,000, or ten times `k` if that is more.
    k : int
        Answers of each query.
    radius : int, optional
        Instead of `candidates`: every item that differs by at most so many bits.
    own : ndarray int64 (n,), optional
        The row of the item that each query is, which is no answer of its own; -1 where it is none.

    Raises
    ------
    OptionError
        For both `candidates` and `radius`, or a radius among codes that are no bits.
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
    >>> found = shortlisted(bits, points, *query, k=2, radius=4)
    >>> found.rows, found.scores, found.held
    (array([[2, 1]]), array([[ 0., -4.]], dtype=float32), array([3]))
    """
    _require_fit(coarse, fine, n_rows(coarse_queries), n_rows(fine_queries))
    wanted = length_of(coarse, candidates, k, radius)
    n = n_rows(fine_queries)
    scores, rows = np.full((n, k), -np.inf, np.float32), np.full((n, k), -1, np.int64)
    held = np.zeros(n, np.int64)
    own = np.full(n, -1) if own is None else np.asarray(own)
    seconds = np.zeros(2)
    top, begun = 0, time.perf_counter()
    for listed in _lists(coarse, coarse_queries, wanted, radius, bool((own >= 0).any())):
        part = slice(top, top + len(listed))
        _leave_out(listed, own[part], wanted)
        filtered = time.perf_counter()
        _require_same_ids(coarse, fine, listed)
        found = fine.search_among(fine_queries[part], listed, k)
        scores[part], rows[part], held[part] = found.scores, found.rows, (listed >= 0).sum(axis=1)
        top, ended = part.stop, time.perf_counter()
        seconds += filtered - begun, ended - filtered
        begun = ended
    return Shortlisted(scores, rows, held, float(seconds[0]), float(seconds[1]))


def length_of(coarse: Index, candidates: int | None, k: int, radius: int | None) -> int:
    """Return how many candidates a shortlist holds at most.

    Raises
    ------
    OptionError
        For less than one, for both `candidates` and `radius`, or a radius among codes that are no bits.
    """
    if radius is None:
        wanted = max(CANDIDATES, TIMES_ANSWERS * k) if candidates is None else candidates
        if wanted < 1:
            raise OptionError(f"a shortlist should hold at least 1 candidate; got {wanted}")
        return wanted
    if candidates is not None:
        raise OptionError("a shortlist is bounded by a number of candidates or by a radius, not by both")
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


def _lists(index: Index, queries: Codes, wanted: int, radius: int | None, itself: bool) -> Iterator[NDArray[np.int64]]:
    """Yield the shortlists of some queries after another, (some, m), -1 where one is shorter; `itself` adds one."""
    if radius is not None:
        yield from _balls(index, queries, radius, min(FIRST_FETCH, max(1, len(index))))
        return
    fetch = max(1, min(wanted + itself, len(index)))
    for part in slices(queries, max(1, BLOCK_CANDIDATES // fetch)):
        yield index.search_rows(part, fetch).rows


def _balls(index: Index, queries: Codes, radius: int, fetch: int) -> Iterator[NDArray[np.int64]]:
    """Yield what lies within a radius: ever more is fetched until the last one lies beyond."""
    for part in slices(queries, max(1, BLOCK_CANDIDATES // fetch)):
        found = index.search_rows(part, fetch)
        inside = found.scores >= -radius
        if fetch < len(index) and inside[:, -1].any():
            yield from _balls(index, part, radius, min(len(index), 4 * fetch))
        else:
            yield np.where(inside, found.rows, -1)[:, : max(1, int(inside.sum(axis=1).max()))]


def _leave_out(listed: NDArray[np.int64], own: NDArray[np.int64], wanted: int) -> None:
    """Take each query's own item off its list, or the last of one too many; in place."""
    itself = (listed == own[:, None]) & (own[:, None] >= 0)
    listed[itself] = -1
    if listed.shape[1] > wanted:
        listed[~itself.any(axis=1), -1] = -1


def _require_same_ids(coarse: Index, fine: Index, listed: NDArray[np.int64]) -> None:
    """Compare the ids of what is listed: comparing all would take as long as a search."""
    seen = np.zeros(len(coarse), dtype=bool)
    seen[listed[listed >= 0]] = True
    rows = np.flatnonzero(seen)
    if coarse.ids_of_rows(rows) != fine.ids_of_rows(rows):
        raise CollectionError("the two indexes hold different items, or the same in another order")
