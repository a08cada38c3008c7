"""Whether the index that ``nearby tune`` recommends finds as much for queries that were not in its sample.

Handwritten digits of MNIST are indexed as pixels and as 30 components; for several wanted recalls, `tune` chooses by
some items as queries. Then other pictures, which are no items, ask the recommended index, built again.

Run: ``NEARBY_DATA=... python benchmarks/tuning.py [ITEMS] [HELD-OUT QUERIES] [RECALL ...]``
"""

from __future__ import annotations

import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from record import record, say, timed

from encoders.codes import Codes
from indexers.base import Index
from indexers.registry import create_index
from retrieval.collection.indexing import index_corpus
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.tuning.queries import Queries
from retrieval.experiment.tuning.result import Recall
from retrieval.experiment.tuning.speed import Alternation
from retrieval.experiment.tuning.tuning import tune

SPACES, WANTED, SAMPLE, K = ("pixels", "pixels+pca:30"), (0.9, 0.95, 0.99), 1_000, 10


def main(*arguments: str) -> None:
    """Tune on 10,000 items and ask with 2,000 others, or as many as asked for."""
    n_items, n_queries = (int(arguments[at]) if len(arguments) > at else n for at, n in enumerate((10_000, 2_000)))
    recalls = [float(word) for word in arguments[2:]] or WANTED
    with tempfile.TemporaryDirectory() as scratch:
        pictures = np.stack([item.content for item in islice(open_corpus("mnist?split=train"), n_items)])
        np.save(Path(scratch) / "items.npy", pictures.reshape(len(pictures), -1).astype(np.float32) / 255)
        others = np.stack([item.content for item in islice(open_corpus("mnist?split=test"), n_queries)])
        held_out = others.reshape(len(others), -1).astype(np.float32) / 255
        specs = [spec.replace("pixels", "vectors") for spec in SPACES]
        collection = index_corpus(Path(scratch) / "c", open_corpus(str(Path(scratch) / "items.npy")), specs)
        rows = [tried(collection, spec, wanted, held_out) for spec in specs for wanted in recalls]
    record("tuning", {"items": n_items, "held_out": len(held_out), "sample": SAMPLE, "k": K, "rows": rows})


def tried(collection: LocalCollection, spec: str, wanted: float, held_out: Any) -> dict[str, Any]:
    """Tune for a recall, and measure the recommended index with other queries."""
    with timed() as tuning:
        found = tune(collection, spec, wanted, K, SAMPLE)
    chosen = found.recommended
    if chosen is None:
        raise SystemExit(f"nothing is recommended for {spec} at {wanted}, though exact search always is")
    exact = collection.codes_of(spec)
    queries = collection.space(spec).encoder.encode_queries(held_out)
    recall, speed = measured(chosen.index, exact, queries)
    row = {
        "spec": spec,
        "wanted": wanted,
        "index": chosen.index,
        "sample_recall": chosen.recall,
        "held_out_recall": recall.mean,
        "held_out_interval": list(recall.interval),
        "sample_times_exact": chosen.speed,
        "held_out_times_exact": speed,
        "bytes_per_item": chosen.bytes_per_item,
        "settings": len(found.settings),
        "seconds": tuning.value,
    }
    say(row)
    return row


def measured(description: str, exact: Index, queries: Codes) -> tuple[Recall, float]:
    """Return recall and speed of an index for queries that are no items."""
    index = create_index(description, exact.space)
    index.fit(exact.codes()).add(list(exact.ids), exact.codes())
    own = np.full(len(queries), -1)
    asked = Queries.of(exact, queries, own, {"held out": slice(0, len(queries))}, K)
    return asked.recalls(index)["held out"], Alternation(exact, queries, K).speed(index).ratio


if __name__ == "__main__":
    main(*sys.argv[1:])
