"""Whether the same spaces measure the same on exact, FAISS and Elasticsearch, how fast, and in what room.

MNIST: 2,000 of the test pictures ask the 60,000 of training. SciFact and NPL: their queries, with judgements.
Every encoder is fitted once; every index gets the same codes (BM25: Elasticsearch gets the words).

Run: ``NEARBY_DATA=... python benchmarks/engines.py [mnist scifact npl] [quick]``; quick: without the sentence encoder.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from mnist import read
from record import latest, record, say, timed
from server import server
from text_retrieval import sentences

from encoders.codes import Kind, Lexicon, Space
from encoders.projection.binarize import Binarize
from encoders.registry import create
from indexers.base import Index
from indexers.elasticsearch.index import Elasticsearch
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_labels, evaluate_run
from retrieval.experiment.query_set import QuerySet

AUTOENCODER = "pixels+deep-ae:500-250-30,epochs=20"
ASKED, DEPTH = 2_000, 100
#: Searches that are timed, and queries in each where they come by the batch.
TURNS, BATCH = 200, 32
LABEL_MEASURES = ("P@10", "P@100", "AP@100")
QREL_MEASURES = ("nDCG@10", "AP", "R@100")
QUICK = "quick"
GRAPH = "m=16,ef_construction=100"


@dataclass
class Codes:
    """One space of a corpus: codes of items and queries, and words where there are any."""

    spec: str
    space: Space
    items: Any
    queries: Any
    lexicon: Lexicon | None = None
    counts: Any = None


@dataclass
class Asked:
    """What is asked of a corpus, and how its answers are judged."""

    ids: list[str]
    labels: list[str] | None = None
    query_labels: list[str] | None = None
    query_ids: list[str] | None = None
    qrels: Any = None

    def measures(self, scores: Any, rows: Any) -> dict[str, float]:
        """Judge the first answers of every query."""
        if self.qrels is None:
            assert self.labels is not None
            assert self.query_labels is not None
            return dict(evaluate_labels(rows, self.labels, self.query_labels, LABEL_MEASURES).means)
        assert self.query_ids is not None
        run = {
            query: {self.ids[row]: float(score) for score, row in zip(*pair, strict=True) if row >= 0}
            for query, *pair in zip(self.query_ids, scores.tolist(), rows.tolist(), strict=True)
        }
        return dict(evaluate_run(run, self.qrels, QREL_MEASURES).means)


def main(*names: str) -> None:
    before = latest("engines")
    corpora = before["figures"]["corpora"] if before is not None else {}
    with server() as url:
        for name in [name for name in names if name != QUICK] or ("scifact", "npl", "mnist"):
            asked, spaces = digits() if name == "mnist" else texts(name, QUICK not in names)
            corpora[name] = {"items": len(asked.ids), "rows": []}
            for codes in spaces:
                corpora[name]["rows"] += rows_of(name, asked, codes, url)
            record("engines", {"corpora": corpora, "graph": GRAPH, "candidates": 100, "batch": BATCH})


def digits() -> tuple[Asked, list[Codes]]:
    """Pixels, thirty components, thirty numbers of an autoencoder, and their bits."""
    items, labels = read("train")
    queries, query_labels = read("test")
    queries, query_labels = queries[:ASKED], query_labels[:ASKED]
    spaces = []
    for spec in ("pixels", "pixels+pca:30", AUTOENCODER):
        say("fitting", spec)
        encoder = create(spec).fit(items)
        spaces.append(Codes(spec, encoder.space, encoder.encode(items), encoder.encode_queries(queries)))
    deep = spaces[-1]
    bits = Binarize().fit(deep.items)
    spaces.append(Codes(f"{deep.spec}+binarize", bits.space, bits.encode(deep.items), bits.encode(deep.queries)))
    return Asked([str(row) for row in range(len(items))], list(labels), list(query_labels)), spaces


def texts(name: str, with_sentences: bool) -> tuple[Asked, list[Codes]]:
    """BM25, latent semantic analysis, MiniLM where it is installed."""
    corpus = open_corpus(name)
    query_set = QuerySet.of(corpus)
    contents, queries = [item.content for item in corpus], [query.content for query in query_set.queries]
    spaces = []
    for spec in ("bm25", "tfidf:stop=english,stem=english+lsa:256", *(sentences() if with_sentences else ())):
        say("fitting", spec)
        encoder = create(spec).fit(contents)
        codes = Codes(spec.split(":/")[0], encoder.space, encoder.encode(contents), encoder.encode_queries(queries))
        if encoder.lexicon is not None:
            codes.lexicon, codes.counts = encoder.lexicon, encoder.encode_counts(contents)
        spaces.append(codes)
    return Asked(query_set.ids, query_ids=[query.id for query in query_set.queries], qrels=query_set.qrels), spaces


def indexes(codes: Codes, url: str) -> list[str]:
    """Return the indexes of a space: the exact one first."""
    if codes.space.kind is Kind.SPARSE:
        return ["sparse", f"elasticsearch:{url}/engines"]
    elastic = f"elasticsearch:{url}/engines"
    if codes.space.kind is Kind.BINARY:
        return ["exact", "faiss:Flat", "faiss:HNSW16", f"{elastic},flat", f"{elastic},{GRAPH}"]
    wide = codes.space.dim >= 64
    quantised = ["int8_hnsw", "int4_hnsw", *(["bbq_hnsw"] if wide else [])]
    served = [f"{elastic},flat", f"{elastic},{GRAPH}", *(f"{elastic},{kind},{GRAPH}" for kind in quantised)]
    return ["exact", "faiss:Flat", "faiss:HNSW16?efSearch=100", *served]


def rows_of(name: str, asked: Asked, codes: Codes, url: str) -> list[dict[str, Any]]:
    """Fill and ask each index of a space; recall is the share of the exact one's first ten."""
    rows: list[dict[str, Any]] = []
    truth: Any = None
    for description in indexes(codes, url):
        lexicon = codes.lexicon if description.startswith("elasticsearch") else None
        with create_index(description, codes.space, lexicon) as index:
            stored = codes.counts if index.stores_counts else codes.items
            if isinstance(index, Elasticsearch):  # or small segments would hide what their parts weigh
                with index.admin.connection() as client:
                    client.indices.put_settings(index=index.index_name, settings={"index.compound_format": False})
            with timed() as filling:
                index.fit(stored)
                index.add(asked.ids, stored)
                index.search(codes.queries[:1], 1)
            if isinstance(index, Elasticsearch):
                index.admin.settle(index.index_name)
            row, found = asked_of(index, asked, codes)
            truth = found if truth is None else truth
            same = [len(set(a[:10]) & set(b[:10])) / 10 for a, b in zip(found.tolist(), truth.tolist(), strict=True)]
            row |= {"spec": codes.spec, "index": description.replace(url, ""), "fill_seconds": filling.value}
            row |= {"recall@10": float(np.mean(same)), **size_of(index, codes)}
            rows.append(row)
            say(name, {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()})
    return rows


def asked_of(index: Index, asked: Asked, codes: Codes) -> tuple[dict[str, Any], Any]:
    """Judge the answers to all queries; time some alone, and some by the batch."""
    found = index.search_rows(codes.queries, DEPTH)  # which warms it too
    row: dict[str, Any] = {"measures": asked.measures(found.scores, found.rows)}
    for name, size in (("single", 1), ("batch", BATCH)):
        times = milliseconds(index, codes.queries, size)
        row[f"{name}_p50_ms"], row[f"{name}_p99_ms"] = np.percentile(times, [50, 99]).tolist()
    return row, found.rows


def milliseconds(index: Index, queries: Any, size: int) -> list[float]:
    """Return how long each of many searches for ten neighbours took, `size` queries at a time."""
    times = []
    for turn in range(TURNS):
        some = queries[np.arange(turn * size, (turn + 1) * size) % queries.shape[0]]
        started = time.perf_counter()
        index.search_rows(some, 10)
        times.append(1000 * (time.perf_counter() - started))
    return times


def size_of(index: Index, codes: Codes) -> dict[str, Any]:
    """Bytes an item on the server's disk; of these, what a search for neighbours reads and so belongs in memory."""
    if not isinstance(index, Elasticsearch):
        return {}
    with index.admin.connection() as client:
        stats = client.indices.stats(index=index.index_name, metric="store,segments", include_segment_file_sizes=True)
        heap = client.nodes.stats(metric="jvm", filter_path="nodes.*.jvm.mem.heap_used_in_bytes")
    primaries = stats["_all"]["primaries"]
    files = {name: part["size_in_bytes"] for name, part in primaries["segments"]["file_sizes"].items()}
    graph, full = files.get("vex", 0), files.get("vec", 0)
    shortened = files.get("veq", 0) + files.get("veb", 0)
    read = graph + (shortened or full)
    used = sum(node["jvm"]["mem"]["heap_used_in_bytes"] for node in heap["nodes"].values())
    count = len(index)
    return {
        "disk_bytes_per_item": primaries["store"]["size_in_bytes"] / count,
        "vector_bytes_per_item": read / count,
        "heap_used_mb": used / 2**20,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
