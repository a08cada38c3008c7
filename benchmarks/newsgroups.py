"""Whether a deep autoencoder's code retrieves newsgroup postings better than LSA of the same width.

Training postings are the items, test postings the queries, the same group is relevant, cosine, exact search.
Run: ``NEARBY_DATA=... python benchmarks/newsgroups.py``; with ``tune SPEC ...`` a share of the training postings asks
instead.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import record, say, timed

from encoders.registry import create
from indexers.base import Index
from indexers.registry import create_index
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_index, precision_recall_labels

#: Without a stemmer, as dropout and epochs below were chosen.
COUNTS, SOME, ALL = (
    "bow:2000,stop=english,stem=none",
    "tfidf:2000,stop=english,stem=none",
    "tfidf:stop=english,stem=none",
)
MANY = f"{ALL},min-df=3"
#: (width, code, the LSA spaces of that width that it should beat): of the words that the code reads, and of all words.
#: Dropout and epochs were chosen by `tune`.
DUELS = [
    (
        10,
        f"{COUNTS}+deep-ae:500-250-125-10,epochs=60,dropout=0.7",
        [f"{COUNTS}+lsa:10", f"{SOME}+lsa:10", f"{ALL}+lsa:10"],
    ),
    (
        128,
        f"{COUNTS}+deep-ae:1000-128,epochs=40,dropout=0.6",
        [f"{COUNTS}+lsa:128", f"{SOME}+lsa:128", f"{ALL}+lsa:128"],
    ),
    (10, f"{MANY}+deep-ae:500-250-125-10,epochs=25,dropout=0.7", [f"{ALL}+lsa:10"]),
    (128, f"{MANY}+deep-ae:500-128,epochs=25,dropout=0.75", [f"{ALL}+lsa:128"]),
]
SPACES = [COUNTS, SOME, ALL, *(spec for _, code, rivals in DUELS for spec in (*rivals, code))]


def main(*arguments: str) -> None:
    """Measure the spaces on the test postings, or tune on training postings alone."""
    tuning = arguments[:1] == ("tune",)
    items, queries = postings(tuning)
    spaces = {}
    for spec in arguments[1:] if tuning else SPACES:
        spaces[spec] = measured(spec, items, queries)
        say(spec, {key: value for key, value in spaces[spec].items() if key != "curve"})
        say("   curve", [round(value, 3) for value in spaces[spec]["curve"]])
    if not tuning:
        record(
            "newsgroups",
            {"items": len(items), "queries": len(queries), "duels": DUELS, "spaces": spaces},
        )


def postings(tuning: bool) -> tuple[list[Item], list[Item]]:
    """Return items and queries: training and test postings, or (`tuning`) training postings of which some ask."""
    corpus = open_corpus("20newsgroups")
    items = list(corpus)
    if not tuning:
        return items, list(corpus.queries())
    order = np.random.default_rng(0).permutation(len(items))
    return [items[row] for row in order[1500:]], [items[row] for row in order[:1500]]


def measured(spec: str, items: list[Item], queries: list[Item]) -> dict[str, Any]:
    """Return P@10, AP over the full ranking and the 11-point curve of one space."""
    texts, labels, asked = [i.content for i in items], [i.label for i in items], [q.label for q in queries]
    encoder = create(spec)
    with timed() as fitting:
        encoder.fit(texts)
    with timed() as encoding:
        codes = encoder.encode(texts)
    index = create_index("exact", encoder.space)
    index.add([item.id for item in items], codes)
    coded = encoder.encode_queries([query.content for query in queries])
    means = evaluate_index(index, coded, labels, asked, ("P@10", "P@100")).means
    curve = precision_recall_labels(rankings(index, coded), labels, asked).mean(axis=0)
    return {
        **means,
        "curve": curve.tolist(),
        "curve_mean": float(curve.mean()),
        "fit_seconds": fitting.value,
        "encode_per_second": len(texts) / encoding.value,
    }


def rankings(index: Index, queries: Any, rows: int = 256) -> Iterator[NDArray[np.int64]]:
    """Rank all items for a block of queries at a time."""
    for start in range(0, queries.shape[0], rows):
        yield index.search_rows(queries[start : start + rows], len(index)).rows


if __name__ == "__main__":
    main(*sys.argv[1:])
