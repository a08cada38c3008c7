"""Whether fine-tuning a sentence model on the corpus itself, without labels, helps: Cranfield and NPL.

Queries and judgements are used to measure, not to tune: the settings are the paper's own. One other was looked at
before, on Cranfield: four passes at 1e-4 took nDCG@10 from .382 to .224.

Run: ``NEARBY_DATA=... python benchmarks/tsdae.py [cranfield npl]``
"""

from __future__ import annotations

import sys
from typing import Any

from record import record, say
from text_retrieval import sentences

from encoders.registry import create
from encoders.spec import write_stage
from retrieval.corpora.registry import open_corpus
from retrieval.experiment import attempt, judge
from retrieval.task import Task

#: As in the paper (Wang, Reimers & Gurevych 2021, section 4): one pass, 3e-5, batches of 8.
OPTIONS = {"epochs": "1", "learning-rate": "0.00003", "max-length": "128", "batch-size": "8"}


def main(*names: str) -> None:
    start = sentences()[0]
    model = start.partition(":")[2]
    corpora = {}
    for name in names or ("cranfield", "npl"):
        corpora[name] = {
            "start": measured(name, start),
            "tsdae": measured(name, write_stage("tsdae", model, OPTIONS)),
        }
    record("tsdae", {"corpora": corpora, "options": OPTIONS})


def measured(name: str, spec: str) -> dict[str, Any]:
    corpus = open_corpus(name)
    task = Task.of(corpus)
    encoder: Any = create(spec)
    trial = attempt(corpus, task, encoder, None)
    row: dict[str, Any] = {**judge(task, trial).means, "fit_seconds": trial.fit_seconds}
    if hasattr(encoder, "history"):
        row["loss"] = encoder.history.validation_loss
    say(name, spec.split(":")[0], row)
    return row


if __name__ == "__main__":
    main(*sys.argv[1:])
