"""The run of one space: its index is asked every query."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from encoders.base import Encoder
from encoders.codes import Codes
from indexers.base import Index
from retrieval.corpora.inputs import queries_of
from retrieval.evaluation.ranking import Rankings, rank, within
from retrieval.experiment.loss import Loss
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.scored_run import ScoredRun
from retrieval.spaces.encode import say_remarks


@dataclass
class IndexedSpace:
    """A space with the corpus in its index, and the cost of fitting and encoding.

    `codes` is the index that holds the codes, where `index` does not; it is freed when the losses are known.
    """

    encoder: Encoder
    index: Index
    fit_seconds: float
    encode_seconds: float
    code_bytes: int
    codes: Index | None = field(default=None, kw_only=True)


@dataclass
class SpaceRun(IndexedSpace):
    """The answers of one space to every query, the time of a query, and where it loses if the index is not exact.

    `other_seeds` are the measures of the same space fitted with other seeds.
    """

    query_ms: float
    rankings: Rankings
    queries: Codes
    loss: Loss | None = field(default=None, kw_only=True)
    other_seeds: list[ScoredRun] = field(default_factory=list, kw_only=True)


def ask(query_set: QuerySet, indexed: IndexedSpace) -> SpaceRun:
    """The run of one space over a query set."""
    encoder, index = indexed.encoder, indexed.index
    contents = queries_of(encoder, query_set.queries, (query_set.query_rows >= 0).tolist())
    queries = encoder.encode_queries(contents)
    rankings = rank(index, queries, query_set.depth, query_set.query_rows, query_set.priority, query_set.relevance)
    latency = _latency(encoder, index, contents)
    say_remarks(encoder)
    return SpaceRun(**vars(indexed), query_ms=latency, rankings=rankings, queries=queries)


def _latency(encoder: Encoder, index: Index, contents: list[Any], limit: int = 20) -> float:
    """The median milliseconds of the first queries, one at a time, encoding included."""
    times = []
    for content in contents[:limit]:
        before = time.perf_counter()
        index.search(encoder.encode_queries([content]), within(index, 10))
        times.append(time.perf_counter() - before)
    return 1000 * float(np.median(times))
