"""What nearby costs beside the libraries it stands on.

Medians over alternating repeats; a ratio above 1: nearby is faster.

Run: ``NEARBY_DATA=... python benchmarks/speed.py [faiss training words bm25]``
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from record import latest, record, say

from encoders.codes import Kind, Metric, Space, normalized
from encoders.cpu_count import available_cores
from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus


def alternating(ours: Callable[[], Any], theirs: Callable[[], Any], repeats: int = 9) -> dict[str, float]:
    """Time two functions in turn, after one run of each that is not counted; each goes first every other time."""
    ours(), theirs()
    times: list[tuple[float, float]] = []
    for repeat in range(repeats):
        if repeat % 2:
            other_first = seconds(theirs)
            times.append((seconds(ours), other_first))
        else:
            times.append((seconds(ours), seconds(theirs)))
    mine, other = np.array(times).T
    return {
        "ours_seconds": float(np.median(mine)),
        "theirs_seconds": float(np.median(other)),
        "ratio": float(np.median(other / mine)),
        "repeats": repeats,
    }


def seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def against_faiss() -> dict[str, Any]:
    """Search by FAISS through nearby, and by FAISS itself, the same factory string and the same queries.

    Ours is the call that a user makes: `search`, whose hits have ids. What it costs to read them is measured too: all
    of them as lists of hits, and as columns. One more index is built by hand, to see that ours is the same. FAISS is
    then timed on the structure inside ours: identical graphs at two places in memory differ by up to 12 % (caches),
    more than what is to be measured.
    """
    return {name: faiss_on(*points()) for name, points in POINTS.items()}


def faiss_on(points: Any, queries: Any) -> dict[str, Any]:
    import faiss

    dim = points.shape[1]
    figures = {}
    for factory in ("Flat", "HNSW32", "IVF256,Flat"):
        index = create_index(f"faiss:{factory}", Space(dim, Kind.DENSE, Metric.EUCLIDEAN))
        # threads race when they build a graph: one builds the same twice
        faiss.omp_set_num_threads(1)
        index.fit(points)
        index.add([str(row) for row in range(len(points))], points)
        by_hand: Any = faiss.index_factory(dim, factory)
        by_hand.train(points)
        by_hand.add(points)
        faiss.omp_set_num_threads(available_cores())
        same = float(np.mean(by_hand.search(queries, 10)[1] == index.search_rows(queries, 10).rows))
        raw: Any = index._index  # type: ignore[attr-defined]
        for k in (10, 100):
            for batch in (len(queries), 32, 1):
                what = f"{factory}, k {k}, batch {batch}"
                figures[what] = called(index, raw, queries[:batch], k) | {"same_answers": same}
                say(dim, what, figures[what])
    return figures


def called(index: Any, raw: Any, queries: Any, k: int) -> dict[str, Any]:
    """Time `index.search`, alone and with all its hits read, beside FAISS' own."""
    repeats, times = (9, 1) if len(queries) > 100 else (31, 5 if len(queries) > 1 else 50)

    def ours() -> None:
        for _ in range(times):
            index.search(queries, k)

    def theirs() -> None:
        for _ in range(times):
            raw.search(queries, k)

    def lists() -> None:
        for _ in range(times):
            [[(hit.id, hit.score) for hit in hits] for hits in index.search(queries, k)]

    def columns() -> None:
        for _ in range(times):
            found = index.search(queries, k)
            found.ids, found.scores  # noqa: B018

    if seconds(ours) < 0.02:  # blocks of milliseconds scatter by a tenth: more of them
        repeats = 101
    row: dict[str, Any] = alternating(ours, theirs, repeats) | {"times": times}
    for name, reading in (("lists", lists), ("columns", columns)):
        row[f"{name}_ratio"] = alternating(reading, theirs, max(5, repeats // 5))["ratio"]
    return row


def clusters() -> tuple[Any, Any]:
    """50,000 points of 64 numbers in tight made-up clusters: a search costs next to nothing, so ours shows most."""
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((200, 64), dtype=np.float32)
    points = centres[generator.integers(0, 200, 50_000)] + 0.5 * generator.standard_normal(
        (50_000, 64), dtype=np.float32
    )
    return points, points[:2_000] + 0.1 * generator.standard_normal((2_000, 64), dtype=np.float32)


def digits() -> tuple[Any, Any]:
    """60,000 MNIST digits, 64 principal components; 2,000 test digits ask."""
    encoder = create("pixels+pca:64")
    corpus = open_corpus("mnist")
    points = encoder.fit_encode(np.stack([item.content for item in corpus]))
    return points, encoder.encode([query.content for query in corpus.queries()][:2_000])


def abstracts() -> tuple[Any, Any]:
    """80,000 arXiv abstracts, 256 latent dimensions; 2,000 titles ask."""
    encoder = create("tfidf:min-df=2,stop=english+lsa:256")
    items = list(open_corpus("arxiv-80k"))
    points = normalized(encoder.fit_encode([str(item.content) for item in items]))
    return points, normalized(encoder.encode([item.title or "" for item in items[:2_000]]))


POINTS = {"made-up clusters": clusters, "mnist": digits, "arxiv-80k": abstracts}


def training() -> dict[str, Any]:
    """Train the MNIST autoencoder for an epoch here, and in a plain fp32 loop over the same network."""
    import torch

    from encoders.neural.networks import mlp

    pictures = np.stack([item.content for item in open_corpus("mnist?split=test")])
    rows = create("pixels").fit_encode(pictures)
    widths = (784, 1000, 500, 250, 30)

    def ours() -> None:
        create("deep-ae:1000-500-250-30,epochs=2,validation=0").fit(rows)

    def theirs() -> None:
        torch.manual_seed(0)
        network = torch.nn.Sequential(mlp(widths, "silu", "batch"), mlp(widths[::-1], "silu", "batch"))
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        data = torch.from_numpy(rows)
        for _ in range(2):
            order = torch.randperm(len(data))
            for start in range(0, len(data), 256):
                batch = data[order[start : start + 256]]
                loss = (network(batch) - batch).square().sum(dim=1).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    figures: dict[str, Any] = alternating(ours, theirs, 5)
    for whose in ("ours", "theirs"):
        figures[f"{whose}_samples_per_second"] = 2 * len(rows) / figures[f"{whose}_seconds"]
    return figures


def bag_of_words() -> dict[str, Any]:
    """Count words of the training postings, learning the vocabulary on the way."""
    from sklearn.feature_extraction.text import CountVectorizer

    texts = [str(item.content) for item in open_corpus("20newsgroups")]

    def separately() -> None:
        create("bow:stop=none,stem=none").fit(texts).encode(texts)

    def at_once() -> None:
        create("bow:stop=none,stem=none").fit_encode(texts)

    def theirs_separately() -> None:
        CountVectorizer().fit(texts).transform(texts)

    def theirs_at_once() -> None:
        CountVectorizer().fit_transform(texts)

    return {
        "fit, then encode": alternating(separately, theirs_separately, 5),
        "fit_encode": alternating(at_once, theirs_at_once, 5),
    }


def against_bm25s() -> dict[str, Any]:
    """Answer the SciFact queries, tokenised and encoded beforehand on both sides: the index alone."""
    figures: dict[str, Any] = {}
    for name in ("scifact", "arxiv-80k"):
        items = list(open_corpus(name))
        asked = [str(query.content) for query in open_corpus("scifact").queries()]
        figures[name] = bm25_on([str(item.content) for item in items], [item.id for item in items], asked)
    return figures


def bm25_on(texts: list[str], ids: list[str], asked: list[str]) -> dict[str, Any]:
    import bm25s

    encoder = create("bm25:k1=1.5").fit(texts)
    index = create_index("sparse", encoder.space)
    index.add(ids, encoder.encode(texts))
    queries = encoder.encode_queries(asked)
    # the same tokens for both: bm25s gets each text as the words of our vocabulary
    words = np.array(encoder.vocabulary)
    tokens = [as_words(words, row) for row in rows_of(encoder.counts(texts))]  # type: ignore[attr-defined]
    query_tokens = [as_words(words, row) for row in rows_of(queries)]
    figures: dict[str, Any] = {"items": len(texts), "queries": len(asked)}
    for backend in ("numpy", "numba"):
        if backend == "numba" and importlib.util.find_spec("numba") is None:
            figures["bm25s numba"] = "numba is not installed"
            continue
        raw = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend=backend)
        raw.index(tokens, show_progress=False)

        def ours() -> None:
            index.search(queries, 10)

        def theirs(raw: Any = raw) -> None:
            raw.retrieve(query_tokens, k=10, show_progress=False, n_threads=available_cores())

        row: dict[str, Any] = alternating(ours, theirs, 41)  # some milliseconds each
        row["ours_queries_per_second"] = len(asked) / row["ours_seconds"]
        row["theirs_queries_per_second"] = len(asked) / row["theirs_seconds"]
        found = index.search_rows(queries, 10).scores
        other = raw.retrieve(query_tokens, k=10, show_progress=False).scores
        row["largest_difference_of_scores"] = float(np.abs(np.where(found > 0, found, 0) - other).max())
        figures[f"bm25s {backend}"] = row
    figures["tantivy"] = beside_tantivy(index, queries, tokens, query_tokens)
    return figures


def beside_tantivy(index: Any, queries: Any, tokens: list[list[str]], asked: list[list[str]]) -> Any:
    """Answer the same queries by tantivy, in memory, with its own k1 = 1.2 and lengths rounded to a byte.

    Scores therefore differ a little; the share of our first ten that is among its first ten is measured. Its searcher
    is asked by as many threads as there are cores, as it has no search for many queries.
    """
    if importlib.util.find_spec("tantivy") is None:
        return "tantivy is not installed"
    import tantivy

    schema = tantivy.SchemaBuilder().add_text_field("words", tokenizer_name="whitespace", index_option="freq")
    schema = schema.add_integer_field("row", stored=True).build()
    other = tantivy.Index(schema)
    writer = other.writer(num_threads=available_cores(), heap_size=256 * 2**20)
    for row, words in enumerate(tokens):
        writer.add_document(tantivy.Document(words=" ".join(words), row=row))
    writer.commit()
    writer.wait_merging_threads()
    other.reload()
    searcher = other.searcher()
    terms = [
        tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "words", word)) for word in words]
        )
        for words in asked
    ]

    def ours() -> None:
        index.search(queries, 10)

    with ThreadPoolExecutor(available_cores()) as threads:
        row: dict[str, Any] = alternating(
            ours, lambda: list(threads.map(lambda query: searcher.search(query, 10, count=False), terms)), 5
        )
    row["ours_queries_per_second"] = len(asked) / row["ours_seconds"]
    row["theirs_queries_per_second"] = len(asked) / row["theirs_seconds"]
    found = index.search_rows(queries, 10).rows
    theirs = [
        {searcher.doc(address)["row"][0] for _, address in searcher.search(query, 10, count=False).hits}
        for query in terms
    ]
    same = [len(some & set(rows.tolist())) for some, rows in zip(theirs, found, strict=True)]
    row["same_of_first_ten"] = sum(same) / (10 * len(asked))
    return row


def rows_of(matrix: Any) -> list[Any]:
    return [
        np.repeat(matrix.indices[start:stop], matrix.data[start:stop].astype(int))
        for start, stop in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
    ]


def as_words(words: Any, places: Any) -> list[str]:
    return list(words[places].tolist())


PARTS = {"faiss": against_faiss, "training": training, "words": bag_of_words, "bm25": against_bm25s}


def main(*names: str) -> None:
    """Measure the named parts (all of them by default); the others keep their last figures."""
    before = latest("speed")
    figures = {} if before is None else before["figures"]
    for name in names or PARTS:
        figures[name] = PARTS[name]()
        say(name, figures[name])
        record("speed", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
