"""The codes of a sample in one space, as the numbers that the health of the space is read from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.codes import Codes, Kind, Metric, Space, n_rows, stack_codes
from retrieval.corpora.base import content_bytes
from retrieval.corpora.inputs import inputs_of, queries_of
from retrieval.evaluation.health.similarity import rows_of
from retrieval.evaluation.health.trials import Questions
from retrieval.evaluation.health.values import Vectors
from retrieval.experiment.health.sample import HealthSample

#: Items of which it is tried whether they have other codes as queries.
_ASYMMETRIC = 8


@dataclass(frozen=True)
class Coded:
    """Codes of the sampled items, of further relevant items, of the items as queries, and of the queries."""

    items: Codes
    relevant: Codes | None
    as_queries: Codes | None
    queries: Codes | None


def codes_of(encoder: Encoder, drawn: HealthSample) -> Coded:
    """Return the codes of a sample; those of items as queries only where they differ."""
    items = encoder.encode(inputs_of(encoder, drawn.items))
    asked = queries_of(encoder, drawn.items, [True] * len(drawn.items))
    first = encoder.encode_queries(asked[:_ASYMMETRIC])
    return Coded(
        items,
        encoder.encode(inputs_of(encoder, drawn.relevant)) if drawn.relevant else None,
        None if _equal(first, items[:_ASYMMETRIC]) else encoder.encode_queries(asked),
        encoder.encode_queries(queries_of(encoder, drawn.queries)) if drawn.queries else None,
    )


def _equal(first: Codes, second: Codes) -> bool:
    if issparse(first):
        return bool(abs(first - second).sum() <= 1e-5 * abs(second).sum())
    return bool(np.allclose(first, second, rtol=1e-4, atol=1e-6))


@dataclass(frozen=True)
class Asking:
    """The pool that is searched and the queries that ask, as numbers."""

    pool: Any
    queries: Any
    queries_are_items: bool


def vectors_of(codes: Coded, drawn: HealthSample, space: Space) -> tuple[Vectors, Asking]:
    """Return codes as numbers, which are scaled together."""
    parts = [part for part in (codes.items, codes.relevant, codes.as_queries, codes.queries) if part is not None]
    rows = rows_of(stack_codes(parts), space)
    ends = np.cumsum([n_rows(part) for part in parts]).tolist()
    cut = iter([rows[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)])
    items = next(cut)
    relevant = None if codes.relevant is None else next(cut)
    as_queries = items if codes.as_queries is None else next(cut)
    queries = None if codes.queries is None else next(cut)
    positive = space.kind is Kind.SPARSE and space.metric in (Metric.COSINE, Metric.DOT)
    pool = items if relevant is None else rows[: ends[1]]
    return (
        Vectors(items, as_queries, space.metric, positive),
        Asking(pool, as_queries if queries is None else queries, queries is None),
    )


def questions_of(drawn: HealthSample, vectors: Vectors, asking: Asking) -> Questions | None:
    """Return the queries with a relevant item, half of which choose a remedy; None where nothing is relevant."""
    chosen = drawn.answerable
    if drawn.relevance is None:
        return None
    choosing = np.zeros(len(chosen), bool)
    # by content, not by position: the order of the corpus changes no finding
    asked = [content_bytes(item.content) for item in drawn.queries or drawn.items]
    keys = [hashlib.blake2b(asked[at], digest_size=8, salt=drawn.seed.to_bytes(8, "little")).digest() for at in chosen]
    choosing[sorted(range(len(chosen)), key=keys.__getitem__)[: len(chosen) // 2]] = True
    repeats = np.unique(keys, return_inverse=True)[1] if drawn.queries else None
    return Questions(
        asking.queries[chosen], asking.pool, drawn.query_rows[chosen], drawn.relevance.select(chosen), drawn.measure,
        choosing, repeats,
    )  # fmt: skip
