"""What 80,000 abstracts cost in a space: seconds, memory, disk, queries a second.

Every space runs in a process of its own, so that its peak of memory is its own.
Run: ``NEARBY_DATA=... python benchmarks/arxiv.py``
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from record import record, say, timed

from encoders.registry import create
from indexers.base import Index
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus

TFIDF = "tfidf:min-df=2,stop=english,stem=none"
SPACES = (TFIDF, f"{TFIDF}+lsa:256", "bm25")
GRAPH = "faiss:HNSW32"
WIDTHS_OF_SEARCH = (32, 64, 128, 256)
QUERIES = 500


def main(*specs: str) -> None:
    """Measure every space in its own process, or (given a spec) one space in this one."""
    if specs:
        print(json.dumps(measured(specs[0])))
        return
    spaces = {}
    for spec in SPACES:
        done = subprocess.run([sys.executable, __file__, spec], stdout=subprocess.PIPE, text=True, check=True)
        spaces[spec] = json.loads(done.stdout.splitlines()[-1])
        say(spec, spaces[spec])
        record("arxiv", {"queries": QUERIES, "spaces": spaces})


def measured(spec: str) -> dict[str, Any]:
    """Fit, encode, index, save and ask; the queries are the first abstracts."""
    items = list(open_corpus("arxiv-80k"))
    texts, ids = [item.content for item in items], [item.id for item in items]
    row: dict[str, Any] = {"items": len(items), "rss_texts_mib": peak_mib()}
    encoder = create(spec)
    with timed() as seconds:
        encoder.fit(texts)
    row["fit_seconds"] = seconds.value
    with timed() as seconds:
        codes = encoder.encode(texts)
    row["encode_seconds"] = seconds.value
    index = create_index(None, encoder.space)
    with timed() as seconds:
        index.add(ids, codes)
        queries = encoder.encode_queries(texts[:QUERIES])
        index.search_rows(queries[:1], 10)
    row |= {"index": index.description, "index_seconds": seconds.value, "index_mib": saved_mib(index)}
    with timed() as seconds:
        truth = index.search_rows(queries, 10).rows
    row["queries_per_second"] = QUERIES / seconds.value
    short = encoder.encode_queries([(item.title or item.content)[:200] for item in items[:QUERIES]])
    with timed() as seconds:
        index.search_rows(short, 10)
    row["title_queries_per_second"] = QUERIES / seconds.value
    row["peak_rss_mib"] = peak_mib()
    if "lsa" in spec:
        row["graph"] = graph(encoder.space, ids, codes, queries, truth)
        row["peak_rss_mib_with_graph"] = peak_mib()
    return row


def graph(space: Any, ids: list[str], codes: Any, queries: Any, truth: Any) -> dict[str, Any]:
    """Search the same codes by a graph, ever more widely."""
    index = create_index(GRAPH, space)
    with timed() as seconds:
        index.fit(codes)
        index.add(ids, codes)
    row: dict[str, Any] = {"index": GRAPH, "index_seconds": seconds.value, "index_mib": saved_mib(index), "widths": {}}
    for width in WIDTHS_OF_SEARCH:
        index.set_parameters({"efSearch": str(width)})
        with timed() as seconds:
            found = index.search_rows(queries, 10).rows
        shared = [len(np.intersect1d(mine, right)) for mine, right in zip(found, truth, strict=True)]
        recall = float(np.mean(shared)) / 10
        row["widths"][width] = {"recall@10": recall, "queries_per_second": QUERIES / seconds.value}
    return row


def saved_mib(index: Index) -> float:
    with tempfile.TemporaryDirectory() as folder:
        saved = index.save(Path(folder) / "index")
        return sum(file.stat().st_size for file in saved.rglob("*") if file.is_file()) / 2**20


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
