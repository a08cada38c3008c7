"""What the statistics of a comparison cost: seconds and memory of all that `compare` computes once its lists exist.

Simulated lists, of which two in ten spaces have many equal scores. With labels, every item is a query, so that the
jackknife is part of it; with judgements, the lists have 1,000 answers. Each case runs in a process of its own; its
memory is what the process takes at its peak, less the lists that it was given.

Run: ``python benchmarks/statistics_cost.py`` (needs no data)
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import nothing_else, record, say, timed

from retrieval.corpora.base import Item
from retrieval.evaluation.chance import chance_measures
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.ranking import Rankings
from retrieval.experiment.overlaps import overlaps_of
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run_significance import above_chance, influence_of, significance_of
from retrieval.experiment.scored_run import ScoredRun
from retrieval.search.result import Shown

SPACES = 10
#: Four measures for each rung.
MEASURES = {"labels": ("P@10", "P@100", "AP@10", "AP@100"), "qrels": ("nDCG@10", "AP", "RR@10", "R@100")}
CASES = [(rung, queries) for rung in MEASURES for queries in (1_000, 10_000)]
LABELS, JUDGED = 10, 5
_CASE = "case"


def main(*arguments: str) -> None:
    """Measure every case, each in a new process."""
    if arguments[:1] == (_CASE,):
        rung, queries = arguments[1], int(arguments[2])
        print(json.dumps(case(rung, queries)))
        return
    nothing_else(list(arguments))
    rows = []
    for rung, queries in CASES:
        command = [sys.executable, str(Path(__file__)), _CASE, rung, str(queries)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout))
        say(rows[-1])
    record("statistics_cost", {"spaces": SPACES, "cores": len(os.sched_getaffinity(0)), "cases": rows})


def case(rung: str, n_queries: int) -> dict[str, Any]:
    """Return the seconds of every step over `SPACES` lists, and the memory that all of them need."""
    query_set = simulated_queries(rung, n_queries)
    rng = np.random.default_rng(1)
    runs: Any = [_Run(ranked(query_set, number, rng)) for number in range(SPACES)]
    labels = [f"space {number}" for number in range(SPACES)]
    relevance, rows, depth = query_set.relevance, query_set.query_rows, query_set.depth
    given, seconds, spent = _resident(), {}, time.process_time()
    with _Peak() as peak:
        with timed() as taken:
            expected = [expected_measures(run.rankings, relevance, MEASURES[rung]) for run in runs]
        seconds["measures"] = taken.value
        with timed() as taken:
            scored = [
                ScoredRun(one, influence_of(query_set, run, one.per_query))
                for run, one in zip(runs, expected, strict=True)
            ]
        seconds["jackknife"] = taken.value
        with timed() as taken:
            found = significance_of(labels, scored)
        seconds["all pairs"] = taken.value
        with timed() as taken:
            above_chance(scored, chance_measures(relevance, rows, len(query_set.ids), MEASURES[rung], depth))
        seconds["chance"] = taken.value
        with timed() as taken:
            overlaps_of(labels, runs)
        seconds["overlaps"] = taken.value
    spent = time.process_time() - spent
    assert all(len(one.differences) == SPACES * (SPACES - 1) // 2 for one in found.values())
    return {
        "rung": rung, "queries": n_queries, "depth": depth, "steps": seconds, "seconds": sum(seconds.values()),
        "processor_seconds": spent,
        "lists_mib": sum(_bytes(run.rankings) for run in runs) / 2**20, "memory_mib": (peak.value - given) / 2**20,
        "process_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }  # fmt: skip


class _Run:
    """As much of a run of a space as the statistics read."""

    def __init__(self, rankings: Rankings) -> None:
        self.rankings = rankings


class _Peak:
    """The largest resident memory during a block, looked at every 5 ms: making the lists may have taken more."""

    value = 0

    def __enter__(self) -> _Peak:
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._over.is_set():
            self.value = max(self.value, _resident())
            time.sleep(0.005)


def _resident() -> int:
    """Return the resident memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def simulated_queries(rung: str, n_queries: int) -> QuerySet:
    """Return queries that are labelled items, or queries of their own with judgements of twice as many documents."""
    n_items = n_queries if rung == "labels" else 2 * n_queries
    ids = [f"d{row}" for row in range(n_items)]
    labels = [str(LABELS * row // n_items) if rung == "labels" else None for row in range(n_items)]
    shown = [Shown(identity, label, None) for identity, label in zip(ids, labels, strict=True)]
    priority = np.random.default_rng(0).permutation(n_items)
    if rung == "labels":
        items = [Item(identity, "", label=label) for identity, label in zip(ids, labels, strict=True)]
        return QuerySet(ids, shown, labels, items, np.arange(n_items), None, priority)
    asked = [Item(f"q{number}", "") for number in range(n_queries)]
    qrels = {
        f"q{number}": {f"d{(2 * number + 3 * near) % n_items}": 1 + near % 2 for near in range(JUDGED)}
        for number in range(n_queries)
    }
    return QuerySet(ids, shown, labels, asked, np.full(n_queries, -1), qrels, priority)


def ranked(query_set: QuerySet, number: int, rng: np.random.Generator) -> Rankings:
    """Return lists of items in which neighbours on a line are near, with the more noise the higher the number."""
    n_items, depth = len(query_set.ids), query_set.depth
    n_queries = len(query_set.queries)
    near = np.argsort(np.arange(n_items) / n_items + 0.01 * (1 + number) * rng.normal(size=n_items))
    place = np.empty(n_items, np.int64)
    place[near] = np.arange(n_items)
    asked = place[np.arange(n_queries) * (n_items // n_queries)]
    first = 1 if query_set.qrels is None else 0  # an item is never its own answer
    rows: NDArray[np.int64] = near[(asked[:, None] + first + np.arange(depth)) % n_items]
    scores = np.sort(rng.random((n_queries, depth), np.float32), axis=1)[:, ::-1]
    if number % 5 == 4:  # bits: few different scores
        scores = np.round(20 * scores) / 20
    none = np.zeros((n_queries, len(query_set.relevance.levels)), np.int64)
    return Rankings(np.ascontiguousarray(scores), rows, none[:, 0], none)


def _bytes(rankings: Rankings) -> int:
    return sum(getattr(rankings, name).nbytes for name in ("scores", "rows", "group_size", "group_tally"))


if __name__ == "__main__":
    main(*sys.argv[1:])
