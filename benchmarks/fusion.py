"""What a fusion of BM25, LSA and a sentence encoder gives on the judged corpora: RRF, weights by nested CV, oracle.

Whole corpora with all their judged queries. The sentence encoder reads the first 64 tokens of each text. SciFact is
also fused without it, BM25 with a wider LSA, for the row T5 of the methods.

Run: ``NEARBY_DATA=... python benchmarks/fusion.py [CORPUS ...]``; ``scifact-whole`` is the last one.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from record import latest, record, say, timed
from sentence_codes import sentence_encoder

from encoders.registry import create
from retrieval.corpora.base import Corpus
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import run_space
from retrieval.experiment.fusion import fuse
from retrieval.experiment.query_set import QuerySet

CORPORA = ("cranfield", "cisi", "npl", "scifact")
WHOLE = "scifact-whole"
LSA, WHOLE_LSA, MEASURE = "tfidf+lsa:256", "tfidf+lsa:512", "nDCG@10"


def main(*names: str) -> None:
    """Fuse on the named corpora (all by default); the others keep their last figures."""
    for name in names or (*CORPORA, WHOLE):
        corpus = open_corpus("scifact" if name == WHOLE else name)
        found = fused(corpus, name)
        say(name, found["fusions"][-1])
        before = latest("fusion")
        corpora = {**(before["figures"]["corpora"] if before is not None else {}), name: found}
        record("fusion", {"corpora": {one: corpora[one] for one in (*CORPORA, WHOLE) if one in corpora}})


def fused(corpus: Corpus, name: str) -> dict[str, Any]:
    """Return the fusions of every pair of spaces and of all."""
    query_set = QuerySet.of(corpus)
    labels = ["bm25", WHOLE_LSA] if name == WHOLE else ["bm25", LSA, "MiniLM"]
    encoders = [sentence_encoder(corpus.name) if label == "MiniLM" else create(label) for label in labels]
    runs = [run_space(corpus, query_set, encoder, None) for encoder in encoders]
    with timed() as taken:
        found = fuse(query_set, runs, labels, MEASURE)
    return {
        "items": len(query_set.ids), "queries": found.n_queries, "fusion_seconds": taken.value,
        "fusions": [{**asdict(one), "significant": one.gain.is_significant} for one in found.combinations],
    }  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
