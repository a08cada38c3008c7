"""Whether fine-tuning a sentence model on the corpus itself, without labels, helps: Cranfield and NPL.

Queries and judgements are used to measure, not to tune: the settings are the paper's own. One other was looked at
before, on Cranfield: four passes at 1e-4 took nDCG@10 from .382 to .224. ``mixed`` asks, by SciFact's training
queries, whether weights between the start's and the fine-tuned ones (Wortsman et al. 2022) are better than both.

Run: ``NEARBY_DATA=... python benchmarks/tsdae.py [cranfield npl mixed]``
"""

from __future__ import annotations

import sys
from typing import Any

from record import record, say
from text_retrieval import sentences

from encoders.registry import create
from encoders.sentence_models import opened
from encoders.spec import write_stage
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_run
from retrieval.experiment.compare import run_space
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.score import score_run

#: As in the paper (Wang, Reimers & Gurevych 2021, section 4): one pass, 3e-5, batches of 8.
OPTIONS = {"epochs": "1", "learning-rate": "0.00003", "max-length": "128", "batch-size": "8"}
#: Of the way from the start's weights to the fine-tuned ones; on this many of SciFact's documents.
SHARES, DOCUMENTS = (0.0, 0.1, 0.25, 0.5, 1.0), 1_500


def main(*names: str) -> None:
    chosen = list(names or ("cranfield", "npl", "mixed"))
    if "mixed" in chosen:
        chosen.remove("mixed")
        mixed()
    if chosen:
        fine_tuned(chosen)


def fine_tuned(names: list[str]) -> None:
    """Measure the start and the fine-tuned model on every corpus named."""
    start = sentences()[0]
    model = start.partition(":")[2]
    corpora = {}
    for name in names:
        corpora[name] = {
            "start": measured(name, start),
            "tsdae": measured(name, write_stage("tsdae", model, OPTIONS)),
        }
    record("tsdae", {"corpora": corpora, "options": OPTIONS})


def measured(name: str, spec: str) -> dict[str, Any]:
    corpus = open_corpus(name)
    query_set = QuerySet.of(corpus)
    encoder: Any = create(spec)
    run = run_space(corpus, query_set, encoder, None)
    row: dict[str, Any] = {**score_run(query_set, run).means, "fit_seconds": run.fit_seconds}
    if hasattr(encoder, "history"):
        row["loss"] = encoder.history.validation_loss
    say(name, spec.split(":")[0], row)
    return row


def mixed() -> None:
    """Measure weights on the way from the start to the fine-tuned ones, by queries that test nothing else."""
    import numpy as np
    import torch

    corpus = open_corpus("scifact?split=train")
    qrels: Any = corpus.qrels()
    queries = [query for query in corpus.queries() if query.id in qrels]
    documents = {item.id: item.content for item in corpus}
    judged = sorted({name for answers in qrels.values() for name in answers})
    others = sorted(documents.keys() - set(judged))
    drawn = np.random.default_rng(0).permutation(others)[: DOCUMENTS - len(judged)]
    texts = {name: documents[name] for name in (*judged, *drawn.tolist())}
    model = sentences()[0].partition(":")[2]
    encoder: Any = create(write_stage("tsdae", model, OPTIONS)).fit(list(texts.values()))
    start, learnt = opened("tsdae", model).state_dict(), encoder._model.state_dict()
    learnt = {name: value.clone() for name, value in learnt.items()}
    found = {}
    for share in SHARES:
        weights = {
            name: torch.lerp(start[name], learnt[name], share) for name in start if learnt[name].is_floating_point()
        }
        encoder._model.load_state_dict({**learnt, **weights})
        index = create_index("exact", encoder.space)
        index.add(list(texts), encoder.encode(list(texts.values())))
        hits = index.search(encoder.encode_queries([query.content for query in queries]), 10)
        run = {query.id: {hit.id: hit.score for hit in answers} for query, answers in zip(queries, hits, strict=True)}
        found[str(share)] = evaluate_run(run, qrels, ("nDCG@10",)).means["nDCG@10"]
        say(share, found[str(share)])
    figures = {"shares": found, "documents": len(texts), "queries": len(queries), "options": OPTIONS}
    record("tsdae_mixed", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
