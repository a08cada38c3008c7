"""Where the loss arises: an LSA space of scifact and the pixels of MNIST, each in five indexes of FAISS.

Run: ``python benchmarks/attribution.py [CORPUS ...]``
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from record import latest, record, say, timed

from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.registry import open_corpus
from retrieval.corpora.sample import draw
from retrieval.experiment.compare import compare

INDEXES = (
    "faiss:SQ8",
    "faiss:PQ16",
    "faiss:IVF64,Flat?nprobe=2",
    "faiss:HNSW16?efSearch=16",
    "faiss:IVF64,PQ16?nprobe=2",
)
#: Corpus -> its space and measure.
CORPORA = {"mnist": ("pixels", "P@10"), "scifact": ("tfidf+lsa:128", "nDCG@10")}
#: Pictures of MNIST's test part; each is a query.
ITEMS = 2_000


class Drawn(Corpus):
    """A random part of a corpus, in memory."""

    queries_are_items = True

    def __init__(self, corpus: Corpus) -> None:
        self.name, self.modality, self._items = corpus.name, corpus.modality, draw(corpus, ITEMS)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)


def main(*names: str) -> None:
    """Measure the named corpora, by default both; the other keeps its last figures."""
    before = latest("attribution")
    corpora = before["figures"]["corpora"] if before is not None else {}
    for name in names or CORPORA:
        spec, measure = CORPORA[name]
        data = Path(os.environ["NEARBY_DATA"])
        corpus = open_corpus(str(data / "beir" / name)) if name == "scifact" else Drawn(open_corpus("mnist?split=test"))
        with timed() as taken:
            found = compare(corpus, [spec], INDEXES, examples=0)
        rows = []
        for space in found.spaces:
            assert space.loss is not None
            one, disk = space.loss.measures[measure], space.loss.disk
            rows.append({
                "index": space.index, "total": float(one.total.mean()),
                "steps": {step: float(values.mean()) for step, values in one.losses.items()},
                "recall@10": float(space.loss.recall.mean()),
                "index_bytes": (disk.index or 0) / found.n_items, "codes_bytes": (disk.codes or 0) / found.n_items,
            })  # fmt: skip
            say(rows[-1])
        corpora[name] = {
            "items": found.n_items, "queries": len(found.spaces[0].loss.queries), "spec": spec, "measure": measure,
            "rows": rows, "seconds": taken.value,
        }  # fmt: skip
        record("attribution", {"corpora": corpora})


if __name__ == "__main__":
    main(*sys.argv[1:])
