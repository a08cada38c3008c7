"""How fast texts are embedded: `sbert` beside `SentenceTransformer.encode` at its defaults, the same model.

The documents of Cranfield by all-MiniLM-L6-v2, in alternation, the fastest turn of each; nDCG@10 of both, and the
largest difference of a number.

Run: ``NEARBY_DATA=... python benchmarks/model_speed.py [TURNS]``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from record import nothing_else, record, say, timed
from text_retrieval import sentences

from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_run
from retrieval.experiment.query_set import QuerySet


def main(*arguments: str) -> None:
    """Measure two turns, or as many as asked for."""
    turns = int(arguments[0]) if arguments else 2
    nothing_else(list(arguments[1:]))
    from sentence_transformers import SentenceTransformer

    corpus = open_corpus("cranfield")
    items = list(corpus)
    query_set = QuerySet.of(corpus)
    texts = [str(item.content) for item in items]
    asked = [str(query.content) for query in query_set.queries]
    folder = sentences()[0].partition(":")[2]
    encoder = create(f"sbert:{folder}").fit(texts[:1])
    plain = SentenceTransformer(folder, device="cpu")
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    codes: dict[str, Any] = {}
    for turn in range(turns):
        for name in ("ours", "theirs") if turn % 2 else ("theirs", "ours"):
            with timed() as taken:
                codes[name] = encoder.encode(texts) if name == "ours" else plain.encode(texts, show_progress_bar=False)
            seconds[name].append(taken.value)
            say(name, f"{taken.value:.1f} s")
    queries = {"ours": encoder.encode_queries(asked), "theirs": plain.encode(asked, show_progress_bar=False)}
    measures = {}
    for name in codes:
        index = create_index("exact", encoder.space)
        index.add(query_set.ids, np.asarray(codes[name], np.float32))
        hits = index.search(np.asarray(queries[name], np.float32), 100)
        run = {
            query.id: {hit.id: hit.score for hit in some} for query, some in zip(query_set.queries, hits, strict=True)
        }
        measures[name] = evaluate_run(run, query_set.qrels or {}, ("nDCG@10",)).means["nDCG@10"]
    record(
        "model_speed",
        {
            "texts": len(texts),
            "seconds": {name: min(times) for name, times in seconds.items()},
            "turns": turns,
            "ndcg": measures,
            "largest_difference": float(np.abs(codes["ours"] - codes["theirs"]).max()),
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
