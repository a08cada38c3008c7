"""The sample that the health of spaces is measured on: random items, and queries whose relevant items are known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError, CorpusError
from retrieval.corpora.base import Corpus, Item, Qrels, content_bytes
from retrieval.corpora.sample import draw
from retrieval.evaluation.label_free.validity import validity_notes
from retrieval.evaluation.relevance import LabelRelevance, QrelRelevance, Relevance
from retrieval.experiment.label_ladder.known_items import known_item_queries
from retrieval.experiment.label_ladder.queries import LabelsOnly, require_judgements
from retrieval.experiment.label_ladder.rung import HIGHEST, Rung
from retrieval.experiment.query_set import NOT_HELD, NoRelevanceError, QuerySet, is_document, left_out_note

#: Sampled items by default, and at most: all pairs are compared, so that the cost grows with the square.
SAMPLE, MAX_SAMPLE = 1000, 5000
#: Fewest items: a list of ten neighbours must leave others out.
MIN_ITEMS = 20
#: Queries that are asked, at most.
MAX_QUERIES = 500
#: Rung of the label ladder -> the measure of a remedy.
MEASURES = {Rung.QRELS: "nDCG@10", Rung.LABELS: "P@10", Rung.KNOWN_ITEM: "RR@10", Rung.AGREEMENT: "P@10"}


@dataclass(frozen=True)
class Asked:
    """What asks, and what is relevant to it.

    Attributes
    ----------
    rung : Rung
    queries : list of Item
        Empty when the items ask.
    qrels : dict, optional
        None when labels decide what is relevant.
    notes : tuple of str
    """

    rung: Rung
    queries: list[Item]
    qrels: Qrels | None
    notes: tuple[str, ...] = ()

    @classmethod
    def of_corpus(cls, corpus: Corpus) -> Self:
        """The queries of a corpus with its judgements, or its items with their labels."""
        qrels = corpus.qrels()
        queries = [] if corpus.queries_are_items and qrels is None else list(corpus.queries())
        return cls(Rung.LABELS if qrels is None else Rung.QRELS, queries, qrels)

    @classmethod
    def of_query_set(cls, query_set: QuerySet) -> Self:
        """The queries of a comparison."""
        rung = Rung(query_set.judged_by)
        items_ask = rung is Rung.LABELS and not query_set.documents and bool((query_set.query_rows >= 0).all())
        notes = tuple(query_set.remarks) if rung is Rung.KNOWN_ITEM else ()
        if rung is Rung.AGREEMENT or items_ask:
            return cls(rung, [], None, notes)
        return cls(rung, query_set.queries, query_set.qrels, notes)


NO_LABELS = "No labels or judgements say what is relevant, so no remedy is measured by its answers."


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
    query_rows : ndarray int64 (n_asked,)
        The row of each asked query among ``items + relevant``; -1 when it is no item.
    relevance : Relevance, optional
        Of ``items + relevant`` to the asked queries; None when nothing says what is relevant.
    rung : Rung
        What says which answers are relevant; see `measure`.
    seed : int
    notes : list of str
    """

    corpus: str
    modality: str
    items: list[Item]
    relevant: list[Item]
    queries: list[Item]
    n_items: int
    query_rows: NDArray[np.int64]
    relevance: Relevance | None
    rung: Rung
    seed: int
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, corpus: Corpus, size: int = SAMPLE, seed: int = 0, asked: Asked | None = None) -> HealthSample:
        """Draw a sample; the corpus is read once.

        Parameters
        ----------
        corpus : Corpus
        size, seed : int
        asked : Asked, optional
            By default the judgements of the corpus, or its labels.

        Raises
        ------
        CorpusError
            When there are no items.
        BadItemError
            When there are fewer than 20.
        """
        asked = Asked.of_corpus(corpus) if asked is None else asked
        qrels = asked.qrels
        judged = [query for query in asked.queries if qrels is None or _is_judged(qrels, query)]
        queries = draw(judged or asked.queries, MAX_QUERIES, seed)
        wanted = _wanted(queries, qrels)
        wanted_items: dict[str, Item] = {}
        count = 0

        def watched() -> Iterator[Item]:
            nonlocal count
            for item in corpus:
                count += 1
                if item.id in wanted:
                    wanted_items[item.id] = item
                yield item

        items = draw(watched(), size, seed)
        _require_enough(corpus.name, count, len(items))
        sampled = {item.id for item in items}
        relevant = [item for identity, item in wanted_items.items() if identity not in sampled]
        sample = cls(
            corpus.name, str(corpus.modality), items, relevant, queries, count, np.empty(0, np.int64), None,
            asked.rung, seed, list(asked.notes),
        )  # fmt: skip
        sample._judge(qrels)
        return sample

    @property
    def digests(self) -> list[bytes]:
        """A digest of the content of every sampled item."""
        return [hashlib.blake2b(content_bytes(item.content), digest_size=16).digest() for item in self.items]

    @property
    def answerable(self) -> NDArray[np.int64]:
        """The asked queries with a relevant item in the corpus."""
        return np.empty(0, np.int64) if self.relevance is None else np.flatnonzero(self.relevance.n_held > 0)

    @property
    def measure(self) -> str:
        """The measure of a remedy."""
        return MEASURES[self.rung]

    @property
    def judged_by(self) -> str | None:
        """The rung; None when nothing says what is relevant."""
        return None if self.relevance is None else str(self.rung)

    def _judge(self, qrels: Qrels | None) -> None:
        pool = [*self.items, *self.relevant]
        rows = {item.id: row for row, item in enumerate(pool)}
        if not self.queries:
            self.query_rows = np.arange(len(self.items))
            asked = self.items
        else:
            asked = self.queries
            # a query that is made from an item is to find that item
            queries_may_be_items = self.rung is not Rung.KNOWN_ITEM
            self.query_rows = np.array(
                [_query_row(query, rows, pool) if queries_may_be_items else -1 for query in asked], np.int64
            )
        if self.rung is Rung.AGREEMENT:
            self.notes.append("Agreement does not say what is relevant, so no remedy is measured by its answers.")
            return
        if qrels is not None and self.queries:
            relevance: Relevance = QrelRelevance(qrels, [query.id for query in asked], rows, self.query_rows)
        elif any(query.label is not None for query in asked) and any(item.label is not None for item in pool):
            relevance = LabelRelevance([item.label for item in pool], [query.label for query in asked], self.query_rows)
        else:
            self.notes.append(NO_LABELS)
            return
        lacking = int(((relevance.n_relevant > 0) & (relevance.n_held == 0)).sum())
        if lacking:
            self.notes.append(left_out_note(lacking, NOT_HELD))
        if (relevance.n_held > 0).sum() < 2:
            self.notes.append("Fewer than 2 queries have a relevant item, so no remedy is measured by its answers.")
            return
        self.relevance = relevance


def sample_on_rung(
    corpus: Corpus, size: int = SAMPLE, seed: int = 0, judged_by: str = HIGHEST
) -> tuple[Corpus, HealthSample]:
    """Draw a sample that is judged by a rung of the label ladder, by default the first that the corpus has.

    Returns
    -------
    corpus : Corpus
        Without the passages that are queries; see `retrieval.experiment.label_ladder.known_items`.
    sample : HealthSample

    Raises
    ------
    OptionError
        When the corpus does not have the rung.
    CorpusError, BadItemError
        As `HealthSample.of`.
    """
    rung = Rung.read(judged_by)
    if rung is Rung.AGREEMENT:
        return corpus, HealthSample.of(corpus, size, seed, Asked(rung, [], None))
    if rung is Rung.QRELS or rung is Rung.LABELS:
        require_judgements(corpus, rung)
        return corpus, HealthSample.of(LabelsOnly(corpus) if rung is Rung.LABELS else corpus, size, seed)
    if rung is None:
        sample = HealthSample.of(corpus, size, seed)
        if NO_LABELS not in sample.notes:
            return corpus, sample
    try:
        searched, query_set = known_item_queries(corpus, seed)
    except NoRelevanceError as error:
        if rung is not None:
            raise
        sample.notes.append(f"Known-item search is not possible: {error}.")
        return corpus, sample
    asked = Asked.of_query_set(query_set)
    known_item_sample = HealthSample.of(searched, size, seed, asked)
    known_item_sample.notes += validity_notes(Rung.KNOWN_ITEM, corpus.modality)
    return searched, known_item_sample


def _is_judged(qrels: Qrels, query: Item) -> bool:
    return any(grade > 0 for grade in qrels.get(query.id, {}).values())


def _wanted(queries: list[Item], qrels: Qrels | None) -> set[str]:
    """The ids of documents that are relevant to a query, or that are one."""
    judged = [] if qrels is None else [qrels.get(query.id, {}) for query in queries]
    return {document for grades in judged for document, grade in grades.items() if grade > 0}


def _query_row(query: Item, rows: dict[str, int], pool: list[Item]) -> int:
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
