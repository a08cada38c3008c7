"""The queries that every space is asked, and what is relevant to them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from encoders.errors import CorpusError
from retrieval.corpora.base import Corpus, Item, Qrels
from retrieval.evaluation.relevance import LabelRelevance, QrelRelevance, Relevance
from retrieval.search.result import Shown, show

#: Answers kept of each query: what R@100 and AP need.
DEPTH_QRELS, DEPTH_LABELS = 1000, 100
#: One of so many items is a query where a space learns from labels; the space is fitted on the others.
HELD_OUT = 5


@dataclass
class Task:
    """Items, queries, and what is relevant: the same for every space.

    Attributes
    ----------
    ids, shown, labels : list of length n_items
    queries : list of Item
        Only those that can be answered: at least one item is relevant to them.
    own : ndarray int64 (n_queries,)
        The row of each query itself, which is never among its answers; -1 where it is no item.
    qrels : dict, optional
        Judgements; None where labels say what is relevant.
    priority : ndarray int64 (n_items,)
        Drawn from what an item is, not from where it stands: the order in which equal scores are listed.
    left_out : dict of str to int
        Why queries are not asked -> how many.
    documents : int
        How many queries of their own file are documents of the corpus, too.
    held_out : frozenset of str
        The ids of the queries, where they are items that no encoder which learns from labels may see.
    """

    ids: list[str]
    shown: list[Shown]
    labels: list[str | None]
    queries: list[Item]
    own: NDArray[np.int64]
    qrels: Qrels | None
    priority: NDArray[np.int64]
    left_out: dict[str, int] = field(default_factory=dict)
    documents: int = 0
    held_out: frozenset[str] = frozenset()

    @classmethod
    def of(cls, corpus: Corpus, hold_out: bool = False) -> Task:
        """Read a corpus once for what is asked, judged and shown; contents of documents are not kept.

        Parameters
        ----------
        corpus : Corpus
        hold_out : bool
            Whether a space learns from labels: where queries are labelled items, a fifth of them is then asked, in
            every space, and `training` gives the others to the encoders that learn from labels.

        Raises
        ------
        CorpusError
            When there are no items, no queries, or nothing says what is relevant to any of them.
        """
        ids, shown, labels, contents, keys = [], [], [], [], []
        asked = [] if corpus.queries_are_items else list(corpus.queries())
        own_queries = bool(asked) or any(True for _ in corpus.queries())
        keep_items = corpus.queries_are_items and not own_queries
        asked_by_id = {query.id: query for query in asked}
        rows: dict[str, int] = {}
        same: set[str] = set()
        for row, item in enumerate(corpus):
            ids.append(item.id)
            shown.append(show(item))
            labels.append(item.label)
            keys.append(_key(item))
            rows[item.id] = row
            if keep_items:
                contents.append(item)
            elif item.id in asked_by_id and is_document(asked_by_id[item.id], item):
                same.add(item.id)
        if not ids:
            raise CorpusError(f"the corpus '{corpus.name}' holds no items")
        queries = contents if keep_items else asked or list(corpus.queries())
        if not queries:
            raise CorpusError(
                f"the corpus '{corpus.name}' has no queries and no labels: spaces cannot be compared on it"
            )
        qrels = corpus.qrels()
        if qrels is None and all(query.label is None for query in queries):
            raise CorpusError(
                f"the corpus '{corpus.name}' has neither labels nor judgements, so that nothing says which answers are "
                "relevant: name the field of its classes with ?label=FIELD, or put qrels beside it as BEIR does"
            )
        items = same if asked else rows.keys()
        own = np.array([rows[query.id] if query.id in items else -1 for query in queries], np.int64)
        task = cls(ids, shown, labels, queries, own, qrels, np.argsort(np.argsort(np.array(keys), kind="stable")))
        task._keep_answerable(corpus.name)
        task.documents = int((task.own >= 0).sum()) if asked else 0
        if hold_out and qrels is None and corpus.queries_are_items:
            task._hold_out()
        return task

    @property
    def depth(self) -> int:
        """How many answers of each query are judged."""
        return DEPTH_LABELS if self.qrels is None else DEPTH_QRELS

    @cached_property
    def relevance(self) -> Relevance:
        """What is relevant to each query."""
        if self.qrels is None:
            return LabelRelevance(self.labels, [query.label for query in self.queries], self.own)
        rows = {identity: row for row, identity in enumerate(self.ids)}
        return QrelRelevance(self.qrels, [query.id for query in self.queries], rows, self.own)

    def training(self, corpus: Corpus) -> Corpus:
        """Return the items that an encoder which learns from labels is fitted on: none that asks."""
        return Without(corpus, self.held_out) if self.held_out else corpus

    @property
    def notes(self) -> list[str]:
        """Say which queries are not asked, and which items are left out of what."""
        notes = [f"{_queries(count)} left out: {reason}." for reason, count in self.left_out.items()]
        if self.documents:
            notes.append(f"{_queries(self.documents)} in the corpus under the same id: never its own answer.")
        if self.held_out:
            rest = len(self.ids) - len(self.held_out)
            notes.append(
                f"The {len(self.held_out):,} queries are items that no encoder which learns from labels was fitted on; "
                f"those encoders were fitted on the other {rest:,} items."
            )
        return notes

    def _keep_answerable(self, name: str) -> None:
        """Leave out the queries to which nothing is relevant: no space can answer them."""
        answerable = self.relevance.n_relevant > 0
        if isinstance(self.relevance, QrelRelevance):
            qrels = self.qrels or {}
            answerable = self.relevance.n_held > 0
            judged = np.array([query.id in qrels for query in self.queries])
            reasons = {"not judged": ~judged, "no relevant document in the corpus": judged & ~answerable}
        else:
            labelled = np.array([query.label is not None for query in self.queries])
            reasons = {"no label": ~labelled, "no other item has the same label": labelled & ~answerable}
        self.left_out = {reason: int(who.sum()) for reason, who in reasons.items() if who.any()}
        if not answerable.any():
            why = " and ".join(f"{count:,} with the reason '{reason}'" for reason, count in self.left_out.items())
            raise CorpusError(
                f"no query of the corpus '{name}' can be answered ({why}): spaces cannot be compared on it"
            )
        self._select(np.flatnonzero(answerable))

    def _hold_out(self) -> None:
        """Keep a fifth of the queries, drawn by priority; the other items are what labels are learnt from."""
        wanted = max(1, len(self.queries) // HELD_OUT)
        chosen = np.sort(np.argsort(self.priority[self.own], kind="stable")[:wanted])
        self._select(chosen)
        self.held_out = frozenset(query.id for query in self.queries)

    def _select(self, chosen: NDArray[np.int64]) -> None:
        self.queries = [self.queries[at] for at in chosen.tolist()]
        self.own = self.own[chosen]
        self.__dict__.pop("relevance", None)


class Without(Corpus):
    """The items of a corpus without some, by id."""

    def __init__(self, corpus: Corpus, ids: frozenset[str]) -> None:
        self._corpus, self._ids = corpus, ids
        self.name, self.modality = corpus.name, corpus.modality

    def __iter__(self) -> Iterator[Item]:
        return (item for item in self._corpus if item.id not in self._ids)


def is_document(query: Item, document: Item) -> bool:
    """Tell whether a query and a document of the same id are one and the same, as in ArguAna and Quora.

    Bare numbers count queries and documents each by themselves in many test collections, so that "12" and "12" are the
    same only where one text is in the other.

    Examples
    --------
    >>> is_document(Item("12", "what is lift"), Item("12", "heat transfer")), is_document(
    ...     Item("12", "What is lift?"), Item("12", "Lift. what is  lift?")
    ... )
    (False, True)
    >>> is_document(Item("pro-02a", "a text"), Item("pro-02a", "its title and the text"))
    True
    """
    if not query.id.isdigit():
        return True
    if not isinstance(query.content, str) or not isinstance(document.content, str):
        return False
    ours, theirs = (" ".join(text.lower().split()) for text in (query.content, document.content))
    return bool(ours) and (ours in theirs or (bool(theirs) and theirs in ours))


def _queries(count: int) -> str:
    return "1 query is" if count == 1 else f"{count:,} queries are"


def _key(item: Item) -> int:
    """Return a number drawn from what an item is: its content and its label, neither its id nor its row."""
    content = item.content
    digest = hashlib.blake2b(digest_size=8)
    digest.update(content.encode() if isinstance(content, str) else np.ascontiguousarray(content).data)
    digest.update(b"\0" + (item.label or "").encode())
    return int.from_bytes(digest.digest(), "little")
