"""How fast an index answers beside exact search: both in alternation, so that what else the machine does meets both."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from encoders.codes import Codes, n_rows
from indexers.base import Index

#: Turns of both, and the seconds that a turn of exact search should take at most.
TURNS, TURN_SECONDS = 7, 0.1
#: A turn repeats what ends sooner than this, and asks at least so many queries.
SHORTEST, FEWEST = 0.02, 16


class Speed(NamedTuple):
    """Queries per second, and the ratio to exact search."""

    queries_per_second: float
    ratio: float


class Alternation:
    """Measures indexes beside exact search.

    Parameters
    ----------
    exact : Index
    queries : codes (n, dim)
        As many of them are asked together as exact search answers in `turn_seconds`.
    k : int
    turns : int
    turn_seconds : float
    """

    def __init__(
        self, exact: Index, queries: Codes, k: int, turns: int = TURNS, turn_seconds: float = TURN_SECONDS
    ) -> None:
        self._exact, self._k, self._turns = exact, k, turns
        seconds = _seconds(lambda: exact.search_rows(queries, k))
        total = n_rows(queries)
        self._queries = queries[: max(FEWEST, int(total * min(1.0, turn_seconds / max(seconds, 1e-9))))]

    def speed(self, index: Index) -> Speed:
        """Return the speed by the fastest turn of each: whatever else runs can only make a turn slower."""
        index.search_rows(self._queries, self._k)  # what is read for the first time is read now
        turns = [(self._turn(self._exact), self._turn(index)) for _ in range(self._turns)]
        exact, mine = (min(column) for column in zip(*turns, strict=True))
        return Speed(n_rows(self._queries) / mine, 1.0 if index is self._exact else exact / mine)

    def _turn(self, index: Index) -> float:
        """Return the seconds of one search of all queries."""
        spent, searches = 0.0, 0
        while spent < SHORTEST:
            spent += _seconds(lambda: index.search_rows(self._queries, self._k))
            searches += 1
        return spent / searches


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
