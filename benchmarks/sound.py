"""Spoken digits: which spaces put the same digit near, which the same speaker; test takes ask, training takes answer.

Run: ``NEARBY_DATA=... python benchmarks/sound.py [SPEC ...]``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from record import record, say, timed

from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_index

#: The default spaces, a mean spectrum among them; sounds padded instead of stretched; a projection that learns nothing.
SPECS = ("log-mel", "log-mel+pca:50", "log-mel:pool=mean", "log-mel:length=pad", "log-mel+random-projection:50")
FIELDS = ("digit", "speaker")
MEASURE = "P@10"


def main(*specs: str) -> None:
    corpus = open_corpus("speech-digits")
    items, queries = list(corpus), list(corpus.queries())
    spaces = {}
    for spec in specs or SPECS:
        encoder = create(spec)
        with timed() as fitting:
            encoder.fit([item.content for item in items])
        with timed() as encoding:
            codes = encoder.encode([item.content for item in items])
        asked = encoder.encode([query.content for query in queries])
        spaces[spec] = {
            **{field: shared(encoder, codes, asked, items, queries, field) for field in FIELDS},
            "digit_of_others": of_other_speakers(encoder, codes, asked, items, queries),
            "dim": encoder.space.dim,
            "fit_seconds": fitting.value,
            "encode_per_second": len(codes) / encoding.value,
        }
        say(spec, spaces[spec])
    record("sound", {"items": len(items), "queries": len(queries), "spaces": spaces})


def shared(encoder: Any, codes: Any, asked: Any, items: list[Item], queries: list[Item], field: str) -> float:
    """Return the share of the ten nearest that have the query's value of a field."""
    index = create_index("exact", encoder.space)
    index.add([item.id for item in items], codes)
    labels, truth = ([one.metadata[field] for one in some] for some in (items, queries))
    return float(evaluate_index(index, asked, labels, truth, (MEASURE,)).means[MEASURE])


def of_other_speakers(encoder: Any, codes: Any, asked: Any, items: list[Item], queries: list[Item]) -> float:
    """Return the share of the ten nearest with the query's digit, among the recordings of the other speakers."""
    of_items, of_queries = (np.array([one.metadata["speaker"] for one in some]) for some in (items, queries))
    weights = []
    for speaker in np.unique(of_queries):
        others, ours = np.flatnonzero(of_items != speaker), np.flatnonzero(of_queries == speaker)
        value = shared(
            encoder, codes[others], asked[ours], [items[row] for row in others], [queries[row] for row in ours], "digit"
        )
        weights.append((value, len(ours)))
    return float(np.average([value for value, _ in weights], weights=[count for _, count in weights]))


if __name__ == "__main__":
    main(*sys.argv[1:])
