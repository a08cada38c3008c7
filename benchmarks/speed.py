"""What nearby costs beside the libraries it stands on.

Medians over alternating repeats; a ratio above 1: nearby is faster.

Run: ``NEARBY_DATA=... python benchmarks/speed.py [faiss training words bm25]``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from alternating import alternating, seconds
from record import latest, record, say
from words_engines import against_bm25s

from encoders.codes import Kind, Metric, Space, normalized
from encoders.cpu_count import available_cores
from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus


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
