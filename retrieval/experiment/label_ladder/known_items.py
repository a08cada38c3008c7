"""The query sets of a corpus that nothing judges: known items, and queries for the agreement of spaces."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count as counter

import numpy as np

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.numbers import counted
from retrieval.corpora.base import Content, Corpus, Item
from retrieval.evaluation.label_free.known_item import (
    DAMAGE,
    TOO_SHORT,
    Vector,
    draw_number,
    is_long_enough,
    known_item,
)
from retrieval.experiment.digests import corpus_digest, item_key
from retrieval.experiment.label_ladder.rung import Rung
from retrieval.experiment.query_set import NoRelevanceError, QuerySet
from retrieval.search.result import Shown, show

#: Number of items that are asked, drawn at random.
MAX_QUERIES = 1000


def known_item_queries(corpus: Corpus, seed: int = 0, max_queries: int = MAX_QUERIES) -> tuple[Corpus, QuerySet]:
    """The corpus to index, and a query made from each of some items, which are the only relevant answers.

    The query is derived from its item, which therefore stays among its own answers. A passage of a text is removed
    from the corpus that is indexed. Items that are too short, and items that occur twice (which of the two is the
    answer?), are not asked.

    Parameters
    ----------
    corpus : Corpus
    seed : int
        Draws the items and their damage; both depend on the contents, not on the order of the corpus.
    max_queries : int
        Largest number of queries.

    Raises
    ------
    CorpusError
        When there are no items, or none from which a query can be made.
    """
    read = _Read.of(corpus, seed, max_queries, is_long_enough)
    if not read.drawn:
        why = TOO_SHORT[corpus.modality]
        raise NoRelevanceError(
            f"no item of the corpus '{corpus.name}' can be searched as a known item: "
            f"all {len(read.ids):,} are {why} or copies of each other"
        )
    queries, indexed = [], {}
    for item in read.drawn:
        made = known_item(item.content, seed, read.spread)
        queries.append(replace(item, content=made.query, title=None))
        if made.indexed is not item.content:
            indexed[item.id] = made.indexed
    judged = {item.id: {item.id: 1} for item in queries}
    query_set = read.query_set(queries, np.full(len(queries), -1), judged, Rung.KNOWN_ITEM)
    query_set.remarks = [
        f"Each of the {len(queries):,} queries is {DAMAGE[corpus.modality]}; that item is the only relevant answer "
        f"(drawn at random, seed {seed})."
        if len(queries) > 1
        else f"The query is {DAMAGE[corpus.modality]}; that item is the only relevant answer.",
        *(f"{_items(number)} not asked: {why}." for why, number in read.left_out.items() if number),
    ]
    return (_Replaced(corpus, indexed) if indexed else corpus), query_set


def unjudged_queries(corpus: Corpus, seed: int = 0, max_queries: int = MAX_QUERIES) -> QuerySet:
    """The corpus's own queries, or random items, with nothing that says what is relevant.

    Raises
    ------
    CorpusError
        When there are no items.
    """
    read = _Read.of(corpus, seed, max_queries, lambda content: True)
    corpus_queries = [] if corpus.queries_are_items else list(corpus.queries())
    if corpus_queries:
        corpus_queries = sorted(corpus_queries, key=lambda query: draw_number(query.content, seed, "item"))[
            :max_queries
        ]
        query_set = read.query_set(corpus_queries, np.full(len(corpus_queries), -1), {}, Rung.AGREEMENT)
    else:
        drawn = read.drawn or list(_first(corpus, max_queries))  # all items are copies of each other
        rows = {identity: row for row, identity in enumerate(read.ids)}
        query_set = read.query_set(drawn, np.array([rows[item.id] for item in drawn], np.int64), {}, Rung.AGREEMENT)
    query_set.remarks = [
        f"Queries: {len(query_set.queries):,} of the corpus's own."
        if corpus_queries
        else f"Queries: {counted(len(query_set.queries), 'item')}, drawn at random (seed {seed})."
    ]
    return query_set


class _Read:
    """A corpus read once: the ids, what is shown, and a random sample of the items."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.shown: list[Shown] = []
        self.labels: list[str | None] = []
        self.keys: list[int] = []
        self.drawn: list[Item] = []
        self.left_out: dict[str, int] = {}
        self.spread: Vector | None = None

    @classmethod
    def of(cls, corpus: Corpus, seed: int, max_queries: int, usable: Callable[[Content], bool]) -> _Read:
        read, spread, order = cls(), _Spread(), counter()
        # a heap of the smallest numbers: the largest of them is at its top
        heap: list[tuple[int, int, Item]] = []
        seen: dict[int, int] = {}
        short = 0
        for item in corpus:
            read.ids.append(item.id)
            read.shown.append(show(item))
            read.labels.append(item.label)
            read.keys.append(item_key(item))
            if corpus.modality is Modality.VECTOR and isinstance(item.content, np.ndarray):
                spread.add(item.content)
            if not usable(item.content):
                short += 1
                continue
            number = draw_number(item.content, seed, "item")
            seen[number] = seen.get(number, 0) + 1
            if seen[number] == 1:
                entry = (-number, next(order), item)
                (heapq.heappush if len(heap) < max_queries else heapq.heappushpop)(heap, entry)
        if not read.ids:
            raise CorpusError(f"the corpus '{corpus.name}' holds no items")
        read.drawn = [item for number, _, item in sorted(heap, reverse=True) if seen[-number] == 1]
        copies = sum(times for times in seen.values() if times > 1)
        read.left_out = {TOO_SHORT[corpus.modality]: short, "equal to another item": copies}
        read.spread = spread.value
        return read

    def query_set(self, queries: list[Item], rows: np.ndarray, judged: dict[str, dict[str, int]], by: str) -> QuerySet:
        priority = np.argsort(np.argsort(np.array(self.keys), kind="stable"))
        made = QuerySet(self.ids, self.shown, self.labels, queries, rows.astype(np.int64), judged, priority)
        made.judged_by, made.digest = by, corpus_digest(self.ids, self.keys)
        return made


class _Spread:
    """The standard deviation of each component, in one pass."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, np.zeros(0), np.zeros(0)

    def add(self, vector: np.ndarray) -> None:
        values = np.asarray(vector, np.float64)
        if not self.count:
            self.first = values  # differences from it keep the squares small
            self.total, self.squares = np.zeros(values.shape), np.zeros(values.shape)
        self.count += 1
        self.total += values - self.first
        self.squares += (values - self.first) ** 2

    @property
    def value(self) -> Vector | None:
        if not self.count:
            return None
        mean = self.total / self.count
        return np.asarray(np.sqrt(np.maximum(self.squares / self.count - mean**2, 0)))


class _Replaced(Corpus):
    """A corpus in which some items have another content."""

    def __init__(self, corpus: Corpus, contents: dict[str, Content]) -> None:
        self._corpus, self._contents = corpus, contents
        self.name, self.modality = corpus.name, corpus.modality

    def __iter__(self) -> Iterator[Item]:
        for item in self._corpus:
            changed = self._contents.get(item.id)
            yield item if changed is None else replace(item, content=changed)

    @property
    def size(self) -> int | None:
        return self._corpus.size


def _first(corpus: Corpus, max_queries: int) -> Iterator[Item]:
    return (item for item, _ in zip(corpus, range(max_queries), strict=False))


def _items(number: int) -> str:
    return "1 item is" if number == 1 else f"{number:,} items are"
