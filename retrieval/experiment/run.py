"""One space in one index, asked every query."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from encoders.base import Encoder
from encoders.codes import Codes
from indexers.base import Index
from retrieval.evaluation.ranking import Rankings, rank, within
from retrieval.experiment.query_set import Task


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
    rankings: Rankings
    queries: Codes


def ask(task: Task, attempt: Attempt) -> Trial:
    """Ask every query of one filled space."""
    encoder, index = attempt.encoder, attempt.index
    contents = [query.content for query in task.queries]
    queries = encoder.encode_queries(contents)
    rankings = rank(index, queries, task.depth, task.own, task.priority, task.relevance)
    latency = _latency(encoder, index, contents)
    return Trial(**vars(attempt), query_ms=latency, rankings=rankings, queries=queries)


def _latency(encoder: Encoder, index: Index, contents: list[Any], trials: int = 20) -> float:
    """Return the median milliseconds of one query at a time, encoding included."""
    times = []
    for content in contents[:trials]:
        before = time.perf_counter()
        index.search(encoder.encode_queries([content]), within(index, 10))
        times.append(time.perf_counter() - before)
    return 1000 * float(np.median(times))
