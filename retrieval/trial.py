"""One space in one index, asked every query."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Codes
from indexers.base import Index
from retrieval.task import Task


@dataclass
class Attempt:
    """One space filled with the corpus, and what that took."""

    encoder: Encoder
    index: Index
    fit_seconds: float
    encode_seconds: float
    code_bytes: int


@dataclass
class Trial(Attempt):
    """One space that was asked every query."""

    query_ms: float
    scores: NDArray[np.float32]
    rows: NDArray[np.int64]
    queries: Codes


def ask(task: Task, attempt: Attempt) -> Trial:
    """Ask every query of one filled space."""
    encoder, index = attempt.encoder, attempt.index
    contents = [query.content for query in task.queries]
    queries = encoder.encode_queries(contents)
    found = index.search_rows(queries, within(index, min(task.depth, len(task.ids))))
    scores, rows = _without_own(found.scores, found.rows, task.own)
    latency = _latency(encoder, index, contents)
    return Trial(**vars(attempt), query_ms=latency, scores=scores, rows=rows, queries=queries)


def within(index: Index, k: int) -> int:
    """Return how many answers to ask for where `k` are wanted."""
    return k if index.most is None else min(k, index.most)


def _latency(encoder: Encoder, index: Index, contents: list[Any], trials: int = 20) -> float:
    """Return the median milliseconds of one query at a time, encoding included."""
    times = []
    for content in contents[:trials]:
        before = time.perf_counter()
        index.search(encoder.encode_queries([content]), within(index, 10))
        times.append(time.perf_counter() - before)
    return 1000 * float(np.median(times))


def _without_own(scores: NDArray[Any], rows: NDArray[Any], own: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Drop each query's own row from its answers."""
    order = np.argsort((rows == own[:, None]) & (own >= 0)[:, None], axis=1, kind="stable")
    gone = (np.take_along_axis(rows, order, axis=1) == own[:, None]) & (own >= 0)[:, None]
    ordered = np.where(gone, -1, np.take_along_axis(rows, order, axis=1))
    return np.where(gone, -np.inf, np.take_along_axis(scores, order, axis=1)), ordered
