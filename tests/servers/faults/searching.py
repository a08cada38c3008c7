"""Threads that search all along, as a service does: each with a collection of its own, every search noted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from retrieval.collection.base import Collection
from retrieval.collection.open import open_collection
from retrieval.search.read_query import read_query
from retrieval.search.searcher import Searcher


class Search(NamedTuple):
    """One search: when it began and ended (monotonic seconds), and why it failed."""

    begun: float
    ended: float
    error: str | None


#: Looks at the answers of one search; returns what is wrong with them.
Judge = Callable[[Collection, Any], str | None]


def content(collection: Collection, found: Any) -> str | None:
    """Find fault with nothing but emptiness."""
    return None if all(one.answers for one in found) else "a space without answers"


class Searching:
    """Searches until the block ends.

    Parameters
    ----------
    folder : Path
        A collection.
    queries : sequence of str
    reopen : sequence of int
        For each thread: after how many searches it opens the collection anew; 0: never.
    pause : float
        Seconds between the searches of a thread.
    judge : callable
    """

    def __init__(
        self,
        folder: Path,
        queries: Sequence[str],
        reopen: Sequence[int] = (20, 0, 0),
        pause: float = 0.02,
        judge: Judge = content,
    ) -> None:
        self.folder, self.queries, self.pause, self.judge = folder, list(queries), pause, judge
        self.searches: list[Search] = []
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=pair, daemon=True) for pair in enumerate(reopen)]

    def __enter__(self) -> Searching:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(180)

    def since(self, begun: float) -> list[Search]:
        """Return the searches that ended after a moment, in the order of their ends."""
        return sorted((one for one in list(self.searches) if one.ended >= begun), key=lambda one: one.ended)

    def _run(self, number: int, reopen: int) -> None:
        searcher: Searcher | None = None
        done = number
        while not self._stopped.is_set():
            begun = time.monotonic()
            try:
                if searcher is None or (reopen and done % reopen == 0):
                    searcher = Searcher(open_collection(self.folder))
                query = read_query(searcher.collection, self.queries[done % len(self.queries)])
                error = self.judge(searcher.collection, searcher.search(query))
            except Exception as trouble:  # whatever it is, it is a failed search
                error = f"{type(trouble).__name__}: {trouble}"
            self.searches.append(Search(begun, time.monotonic(), error))
            done += 1
            self._stopped.wait(self.pause)


def longest_outage(searches: Sequence[Search], begun: float, ended: float) -> float:
    """Return the longest stretch of seconds in which no search succeeded."""
    moments = [begun, *(one.ended for one in searches if one.error is None), ended]
    return max(after - before for before, after in pairwise(moments))
