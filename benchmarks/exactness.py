"""Whether exact search is exact, and what that costs: `exact` beside FAISS' Flat, in the same run.

The true neighbours are computed in float64, by the definition of the distance. FAISS computes the distances of many
queries as |a|² + |b|² − 2ab, which loses all digits where lengths are much larger than distances: codes that are not
centred, as here shifted ones. FAISS 1.15 does so where queries × width is at least 128,000, and compares fewer queries
one by one: both are measured. Speed: all queries together, both in alternation, the fastest of the turns.

Run: ``NEARBY_DATA=... python benchmarks/exactness.py [ITEMS] [QUERIES]``
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from record import nothing_else, record, say

from encoders.codes import Kind, Metric, Space
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.tuning.speed import Alternation

K, TRUTHS, TURNS = 10, 100, 3
#: Width and shift of random codes.
SHIFTED = ((32, 0.0), (32, 100.0), (32, 1_000.0), (128, 0.0))


def main(*arguments: str) -> None:
    """Measure with 5,000 items and 4,000 queries, or as many as asked for."""
    n_items, n_queries = (int(arguments[at]) if len(arguments) > at else n for at, n in enumerate((5_000, 4_000)))
    nothing_else(list(arguments[2:]))
    rows = [measured(name, items, queries) for name, items, queries in codes(n_items, n_queries)]
    record(
        "exactness", {"items": n_items, "queries": n_queries, "k": K, "truths": min(TRUTHS, n_queries), "rows": rows}
    )


def codes(n_items: int, n_queries: int) -> Iterator[tuple[str, Any, Any]]:
    """Give random codes, some shifted, and pixels."""
    for width, shift in SHIFTED:
        drawn = np.random.default_rng(0).standard_normal((n_items + n_queries, width)) + shift
        both = drawn.astype(np.float32)
        yield f"random, d = {width}" + (f", shifted by {shift:,.0f}" if shift else ""), both[:n_items], both[n_items:]
    items, queries = (pixels(split, n) for split, n in (("train", n_items), ("test", n_queries)))
    yield "MNIST pixels, d = 784", items, queries


def pixels(split: str, count: int) -> Any:
    """Return pictures as rows of numbers from 0 to 1."""
    pictures = np.stack([item.content for item in islice(open_corpus(f"mnist?split={split}"), count)])
    return pictures.reshape(len(pictures), -1).astype(np.float32) / 255


def measured(name: str, items: Any, queries: Any) -> dict[str, Any]:
    """Return for both indexes the share of the true neighbours that they find, and the ratio of their speeds."""
    space = Space(items.shape[1], Kind.DENSE, Metric.EUCLIDEAN)
    exact, flat = create_index("exact", space), create_index("faiss:Flat", space)
    for index in (exact, flat):
        index.add([str(row) for row in range(len(items))], items)
    asked = queries[:TRUTHS]
    limits = true_distances(items, asked)
    found = {
        one.name: recall(one.search_rows(queries, K).rows[: len(asked)], items, asked, limits) for one in (exact, flat)
    }
    speed = Alternation(flat, queries, K, TURNS, float("inf")).speed(exact)
    row = {
        "codes": name,
        "exact_recall": found["exact"],
        "flat_recall": found["faiss"],
        "flat_recall_few_queries": recall(flat.search_rows(asked, K).rows, items, asked, limits),
        "exact_queries_per_second": speed.queries_per_second,
        "times_flat": speed.ratio,
    }
    say(row)
    return row


def true_distances(items: Any, queries: Any) -> Any:
    """Return the squared distance of the k-th nearest item to each query, in float64."""
    wide = items.astype(np.float64)
    return np.array([np.partition(((wide - query) ** 2).sum(axis=1), K - 1)[K - 1] for query in queries.astype(float)])


def recall(rows: Any, items: Any, queries: Any, limits: Any) -> float:
    """Return the share of answers that are as near as the true k-th, by their distances in float64."""
    near = items[rows].astype(np.float64) - queries[:, None].astype(np.float64)
    return float(((near**2).sum(axis=2) <= limits[:, None] * (1 + 1e-12)).mean())


if __name__ == "__main__":
    main(*sys.argv[1:])
