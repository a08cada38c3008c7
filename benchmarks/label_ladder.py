"""How far an order of spaces can be believed that was found without labels.

On corpora that have judgements or labels, the same spaces are ordered three times: by those (nDCG@10, or P@10), by
known items (RR@10), and by their agreement. Kendall's tau-b compares the orders. Regret: what the space that a rung
puts first loses of the judged measure against the best.

Large corpora are sampled (seed 0): 1,000 texts with the relevant documents of at most 100 queries among them, 2,000
pictures with at most 500 queries; 300 known items. The sentence encoder reads 64 tokens. No setting was chosen on these
corpora: the length of a passage was set in advance, the noise of a picture was chosen on `digits` (``validation``).

Run: ``NEARBY_DATA=... python benchmarks/label_ladder.py [CORPUS ...] [validation]``; then copy the printed rows to
`retrieval/evaluation/label_free/validity.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from record import latest, record, say, timed
from sentence_codes import sentence_encoder, sentence_spec

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.registry import create
from retrieval.corpora.base import Corpus, Item, Qrels
from retrieval.corpora.registry import open_corpus
from retrieval.corpora.sample import draw
from retrieval.evaluation.label_free.validity import kendall_tau
from retrieval.experiment.compare import run_space
from retrieval.experiment.label_ladder.known_items import known_item_queries, unjudged_queries
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.score import score_runs

CORPORA = ("cranfield", "cisi", "npl", "scifact", "20newsgroups", "mnist", "orl-faces")
VALIDATION = ("digits", "api-docs", "cifar10")
TEXTS, PICTURES, JUDGED_QUERIES, LABELLED_QUERIES, KNOWN_ITEMS = 1_000, 2_000, 100, 500, 300
SPECS = {
    Modality.TEXT: (
        "bow", "bow:binary=true", "tfidf", "bm25", "tfidf+lsa:16", "tfidf+lsa:64", "tfidf+lsa:256",
        "tfidf+random-projection:64", "tfidf+kmeans:20",
    ),
    Modality.IMAGE: (
        "pixels", "pixels+pca:4", "pixels+pca:16", "pixels+pca:64", "pixels+pca:32+binarize", "pixels+binarize",
        "pixels+nmf:16", "pixels+random-projection:16", "pixels+kmeans:20",
    ),
}  # fmt: skip


def main(*names: str) -> None:
    """Measure the named corpora (all by default); the others keep their last figures."""
    name = "label_ladder_validation" if "validation" in names else "label_ladder"
    every = VALIDATION if "validation" in names else CORPORA
    chosen = [corpus for corpus in every if corpus in names] or every
    for corpus in chosen:
        with timed() as taken:
            found = measured(Sampled(open_corpus(corpus)))
        found["seconds"] = taken.value
        say(corpus, {key: value for key, value in found.items() if key != "spaces"})
        before = latest(name)
        corpora = {**(before["figures"]["corpora"] if before is not None else {}), corpus: found}
        record(name, {"corpora": {one: corpora[one] for one in every if one in corpora}})
    for corpus, row in corpora.items():
        for rung in ("known-item", "agreement"):
            tau, regret = row["tau"][rung], row["regret"][rung]
            print(f'"{rung}": Validity("{corpus}", Modality.{row["modality"].upper()}, {tau:.3f}, {regret:.3f}),')


def measured(corpus: Sampled) -> dict[str, Any]:
    """Return the values of every space on every rung, and how the orders agree."""
    specs = [*SPECS[corpus.modality], *([sentence_spec()] if corpus.modality is Modality.TEXT else [])]
    make = partial(_made, corpus.name)
    judged, by = _values(corpus, QuerySet.of(corpus), specs, make)
    agreeing, _ = _values(corpus, unjudged_queries(corpus, max_queries=KNOWN_ITEMS), specs, make)
    cut, known = known_item_queries(corpus, max_queries=KNOWN_ITEMS)
    found, _ = _values(cut, known, specs, make)
    best = max(judged.values())
    rungs = {"known-item": found, "agreement": agreeing}
    names = {spec: "sbert: all-MiniLM-L6-v2" if spec.startswith("sbert") else spec for spec in specs}
    return {
        "modality": str(corpus.modality), "items": len(known.ids), "measure": by, "queries": corpus.asked,
        "known_items": len(known.queries),
        "spaces": {names[s]: {"judged": judged[s], **{r: rungs[r][s] for r in rungs}} for s in specs},
        "tau": {r: kendall_tau(list(judged.values()), list(values.values())) for r, values in rungs.items()},
        "regret": {r: best - judged[max(values, key=values.__getitem__)] for r, values in rungs.items()},
    }  # fmt: skip


def _values(
    corpus: Corpus, queries: QuerySet, specs: list[str], make: Callable[[str], Encoder]
) -> tuple[dict[str, float], str]:
    runs = [run_space(corpus, queries, make(spec), None) for spec in specs]
    means = [one.means for one in score_runs(queries, runs)]
    measure = next(iter(means[0]))
    return {spec: value[measure] for spec, value in zip(specs, means, strict=True)}, measure


def _made(corpus: str, spec: str) -> Encoder:
    return sentence_encoder(corpus) if spec.startswith("sbert") else create(spec)


class Sampled(Corpus):
    """A random sample of a corpus, with the relevant documents of its queries."""

    def __init__(self, corpus: Corpus) -> None:
        self.name, self.modality = corpus.name, corpus.modality
        most = TEXTS if corpus.modality is Modality.TEXT else PICTURES
        judged, self._judged = corpus.qrels(), None
        self._queries: list[Item] = []
        if not corpus.queries_are_items:
            asked = [query for query in corpus.queries() if judged is None or query.id in judged]
            self._queries = draw(asked, LABELLED_QUERIES if judged is None else JUDGED_QUERIES)
        needed: set[str] = set()
        if judged is not None:
            self._judged = {query.id: judged[query.id] for query in self._queries}
            needed = set(chain.from_iterable(
                (document for document, grade in grades.items() if grade > 0) for grades in self._judged.values()
            ))  # fmt: skip
        others = draw((item for item in corpus if item.id not in needed), max(0, most - len(needed)))
        self._items = [*(item for item in corpus if item.id in needed), *others]
        self.asked = len(self._queries) or len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def queries(self) -> Iterator[Item]:
        return iter(self._queries or self._items)

    def qrels(self) -> Qrels | None:
        return self._judged

    @property
    def queries_are_items(self) -> bool:
        return not self._queries

    @property
    def size(self) -> int:
        return len(self._items)


if __name__ == "__main__":
    main(*sys.argv[1:])
