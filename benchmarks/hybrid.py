"""Whether BM25 and a code of LSA, fused, beat BM25 alone on SciFact.

The weight of the convex combination is chosen on the training queries; the test queries are asked once with it. Scores
are scaled to [0, 1] by the least and the largest score of each query (Bruch, Gai & Ingber, TOIS 2023). Reciprocal rank
fusion, which has no weight, stands beside it.

Run: ``python benchmarks/hybrid.py``
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import record, say

from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_run

SPECS = ("bm25", "tfidf+lsa:512")
WEIGHTS = np.linspace(0, 1, 21)
CONSTANT = 60
MEASURE = "nDCG@10"


def main() -> None:
    """Choose the weight on training queries, measure on test queries."""
    corpus = open_corpus("scifact?split=train")
    items = list(corpus)
    encoders = [create(spec).fit([item.content for item in items]) for spec in SPECS]
    indexes = []
    for encoder in encoders:
        index = create_index(None, encoder.space)
        index.add([item.id for item in items], encoder.encode([item.content for item in items]))
        indexes.append(index)
    tuned = Split(corpus, encoders, indexes)
    on_train = [tuned.measure(tuned.convex(weight)) for weight in WEIGHTS]
    best = float(WEIGHTS[int(np.argmax(on_train))])
    test = Split(open_corpus("scifact?split=test"), encoders, indexes)
    alone = [test.measure(scores) for scores in test.scores]
    fused, rrf = test.measure(test.convex(best)), test.measure(test.reciprocal_ranks())
    found = {
        "specs": SPECS, "weight_of_the_code": best, "on_training_queries": on_train, "alone": alone, "convex": fused,
        "rrf": rrf, "gain": fused - alone[0], "queries": len(test.queries),
    }  # fmt: skip
    say({key: value for key, value in found.items() if key != "on_training_queries"})
    record("hybrid", {"scifact": found})


class Split:
    """The queries of one split, and the score of every document for each of them in both spaces."""

    def __init__(self, corpus: Any, encoders: list[Any], indexes: list[Any]) -> None:
        self.qrels = corpus.qrels()
        self.queries: list[Item] = [query for query in corpus.queries() if query.id in self.qrels]
        self.ids = list(indexes[0].ids)
        texts = [query.content for query in self.queries]
        self.scores = [
            _dense(index.search_rows(encoder.encode_queries(texts), len(index)), len(index))
            for encoder, index in zip(encoders, indexes, strict=True)
        ]

    def convex(self, weight: float) -> NDArray[np.float64]:
        words, code = (_scaled(scores) for scores in self.scores)
        return (1 - weight) * words + weight * code

    def reciprocal_ranks(self) -> NDArray[np.float64]:
        ranks = [np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1) + 1 for scores in self.scores]
        return sum(1 / (CONSTANT + rank) for rank in ranks)

    def measure(self, scores: NDArray[np.float64]) -> float:
        run = {}
        for query, row in zip(self.queries, scores, strict=True):
            first = np.argpartition(-row, 100)[:100]
            run[query.id] = {self.ids[at]: float(row[at]) for at in first}
        return evaluate_run(run, self.qrels, [MEASURE]).means[MEASURE]


def _dense(found: Any, width: int) -> NDArray[np.float64]:
    scores = np.zeros((len(found.rows), width))
    query, column = np.nonzero(found.rows >= 0)
    scores[query, found.rows[query, column]] = found.scores[query, column]
    return scores


def _scaled(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    return (scores - low) / np.maximum(high - low, 1e-12)


if __name__ == "__main__":
    main()
