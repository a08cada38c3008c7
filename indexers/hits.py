"""What a search returns: hits for people, rows for arithmetic."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

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


#: A Hit from a pair, and Rows from one, in C.
_hit = partial(tuple.__new__, Hit)
as_rows = partial(tuple.__new__, Rows)


def as_hits(found: Rows, ids: list[str]) -> list[list[Hit]]:
    """Turn rows into hits, all in C: 20 ms for ten hits of 10,000 queries, where the obvious loop takes 80."""
    n, k = found.rows.shape
    if not found.rows.size:
        return [[] for _ in range(n)]
    if int(found.rows[:, -1].min()) < 0:
        found_ids = [[ids[row] for row in rows if row >= 0] for rows in found.rows.tolist()]
        return [
            list(map(_hit, zip(*pair, strict=False))) for pair in zip(found_ids, found.scores.tolist(), strict=True)
        ]
    with _no_garbage_collection():
        names = map(ids.__getitem__, found.rows.ravel().tolist())
        flat: list[Hit] = list(map(_hit, zip(names, found.scores.ravel().tolist(), strict=True)))
        return [flat[start : start + k] for start in range(0, n * k, k)]


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep Python from looking for cycles again and again while masses of small tuples, which have none, are made."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
