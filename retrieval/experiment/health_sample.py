"""The sample that the health of spaces is measured on: random items, and queries whose relevant items are known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError, CorpusError
from retrieval.corpora.base import Corpus, Item, Qrels, content_bytes
from retrieval.corpora.sample import draw
from retrieval.evaluation.relevance import LabelRelevance, QrelRelevance, Relevance
from retrieval.experiment.query_set import is_document

#: Sampled items by default, and at most: all pairs are compared, so that the cost grows with the square.
SAMPLE, MAX_SAMPLE = 1000, 5000
#: Fewest items: a list of ten neighbours must leave others out.
MIN_ITEMS = 20
#: Queries that are asked, at most.
MAX_QUERIES = 500


@dataclass
class HealthSample:
    """Items and queries of a corpus.

    Attributes
    ----------
    corpus, modality : str
    items : list of Item
        A random sample; its health is measured.
    relevant : list of Item
        Items outside the sample that are relevant to a query; they are searched too when quality is measured.
    queries : list of Item
        Queries of their own; empty when the items ask.
    n_items : int
        Number of items of the corpus.
    own : ndarray int64 (n_asked,)
        The row of each asked query among ``items + relevant``; -1 when it is no item.
    relevance : Relevance, optional
        Of ``items + relevant`` to the asked queries; None when nothing says what is relevant.
    measure : str
        ``P@10`` or ``nDCG@10``.
    seed : int
    notes : list of str
    """

    corpus: str
    modality: str
    items: list[Item]
    relevant: list[Item]
    queries: list[Item]
    n_items: int
    own: NDArray[np.int64]
    relevance: Relevance | None
    measure: str
    seed: int
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, corpus: Corpus, size: int = SAMPLE, seed: int = 0) -> HealthSample:
        """Draw a sample; the corpus is read once.

        Raises
        ------
        CorpusError
            When there are no items.
        BadItemError
            When there are fewer than 20.
        """
        qrels = corpus.qrels()
        asked = [] if corpus.queries_are_items else list(corpus.queries())
        judged = [query for query in asked if qrels is None or _is_judged(qrels, query)]
        queries = draw(judged or asked, MAX_QUERIES, seed)
        wanted = _wanted(queries, qrels)
        found: dict[str, Item] = {}
        count = 0

        def watched() -> Iterator[Item]:
            nonlocal count
            for item in corpus:
                count += 1
                if item.id in wanted:
                    found[item.id] = item
                yield item

        items = draw(watched(), size, seed)
        _require_enough(corpus.name, count, len(items))
        sampled = {item.id for item in items}
        relevant = [item for identity, item in found.items() if identity not in sampled]
        sample = cls(
            corpus.name, str(corpus.modality), items, relevant, queries, count, np.empty(0, np.int64), None,
            "P@10" if qrels is None else "nDCG@10", seed,
        )  # fmt: skip
        sample._judge(qrels)
        return sample

    @property
    def digests(self) -> list[bytes]:
        """A digest of the content of every sampled item."""
        return [hashlib.blake2b(content_bytes(item.content), digest_size=16).digest() for item in self.items]

    @property
    def answerable(self) -> NDArray[np.int64]:
        """The asked queries with a relevant item."""
        return np.empty(0, np.int64) if self.relevance is None else np.flatnonzero(self.relevance.n_relevant > 0)

    @property
    def judged_by(self) -> str | None:
        """``labels``, ``qrels``, or None when nothing says what is relevant."""
        if self.relevance is None:
            return None
        return "labels" if self.measure == "P@10" else "qrels"

    def _judge(self, qrels: Qrels | None) -> None:
        pool = [*self.items, *self.relevant]
        rows = {item.id: row for row, item in enumerate(pool)}
        if not self.queries:
            self.own = np.arange(len(self.items))
            asked = self.items
        else:
            asked = self.queries
            self.own = np.array([_own_row(query, rows, pool) for query in asked], np.int64)
        if qrels is not None and self.queries:
            relevance: Relevance = QrelRelevance(qrels, [query.id for query in asked], rows, self.own)
        elif any(query.label is not None for query in asked) and any(item.label is not None for item in pool):
            relevance = LabelRelevance([item.label for item in pool], [query.label for query in asked], self.own)
        else:
            self.notes.append("No labels or judgements say what is relevant, so no remedy is measured by its answers.")
            return
        if (relevance.n_relevant > 0).sum() < 2:
            self.notes.append("Fewer than 2 queries have a relevant item, so no remedy is measured by its answers.")
            return
        self.relevance = relevance


def _is_judged(qrels: Qrels, query: Item) -> bool:
    return any(grade > 0 for grade in qrels.get(query.id, {}).values())


def _wanted(queries: list[Item], qrels: Qrels | None) -> set[str]:
    """The ids of documents that are relevant to a query, or that are one."""
    judged = [] if qrels is None else [qrels.get(query.id, {}) for query in queries]
    return {document for grades in judged for document, grade in grades.items() if grade > 0}


def _own_row(query: Item, rows: dict[str, int], pool: list[Item]) -> int:
    row = rows.get(query.id, -1)
    return row if row >= 0 and is_document(query, pool[row]) else -1


def _require_enough(name: str, count: int, drawn: int) -> None:
    if not count:
        raise CorpusError(f"the corpus '{name}' holds no items")
    if drawn < MIN_ITEMS:
        raise BadItemError(
            f"the corpus '{name}' holds {count} item{'' if count == 1 else 's'}: "
            f"health compares the 10 nearest of each item, and needs at least {MIN_ITEMS}"
        )
