"""The query set of a comparison: the queries that every space is asked, and the items that are relevant to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from encoders.errors import CorpusError
from encoders.numbers import counted
from retrieval.corpora.base import Corpus, Item, Qrels
from retrieval.evaluation.label_free.known_item import draw_number
from retrieval.evaluation.relevance import LabelRelevance, QrelRelevance, Relevance
from retrieval.experiment.digests import corpus_digest, item_key
from retrieval.experiment.spilled_contents import SpilledContents
from retrieval.search.result import Shown, show

#: Answers of each query that are scored: enough for R@100 and AP with qrels, and for AP@100 with labels.
DEPTH_QRELS, DEPTH_LABELS = 1000, 100
#: When a space learns from labels, one of five items is a query; the space is fitted on the others.
HELD_OUT = 5
#: Why a query that has judgements is left out.
NOT_HELD = "no relevant document in the corpus"


class NoRelevanceError(CorpusError):
    """Nothing in the corpus says which answers are relevant."""


@dataclass
class QuerySet:
    """The items, the queries and the relevance of a comparison, the same for every space.

    Attributes
    ----------
    ids, shown, labels : list of length n_items
    queries : list of Item
        Only queries with at least one relevant item.
    query_rows : ndarray int64 (n_queries,)
        The row of each query itself, which is never among its answers; -1 when the query is not an item.
    qrels : dict, optional
        Judgements; None when labels decide what is relevant.
    priority : ndarray int64 (n_items,)
        The order in which equal scores are listed. It depends on the content of the items, not on their order.
    left_out : dict of str to int
        Reason why queries are left out -> their number.
    documents : int
        Number of queries from a file of queries that are also documents of the corpus.
    held_out : frozenset of str
        The ids of the queries, when they are items that encoders which learn from labels must not see.
    digest : str
        Of the corpus; see `retrieval.experiment.digests.corpus_digest`.
    judged_by : str
        What says which answers are relevant: a rung of the label ladder (`retrieval.experiment.label_ladder.rung`).
        Known items are qrels of one item each; for agreement the qrels are empty.
    remarks : list of str
        Sentences about the queries.
    """

    ids: list[str]
    shown: list[Shown]
    labels: list[str | None]
    queries: list[Item]
    query_rows: NDArray[np.int64]
    qrels: Qrels | None
    priority: NDArray[np.int64]
    left_out: dict[str, int] = field(default_factory=dict)
    documents: int = 0
    held_out: frozenset[str] = frozenset()
    digest: str = ""
    judged_by: str = ""
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.judged_by = self.judged_by or ("labels" if self.qrels is None else "qrels")

    @classmethod
    def of(cls, corpus: Corpus, hold_out: bool = False) -> QuerySet:
        """The query set of a corpus, which is read once; texts of documents are not stored, pictures and sounds
        are: those of a large corpus in a temporary file.

        Parameters
        ----------
        corpus : Corpus
        hold_out : bool
            Whether a space learns from labels. If so, and the queries are labelled items, only a fifth of them is
            asked in every space, and `training` returns the others for the encoders that learn from labels.

        Raises
        ------
        CorpusError
            When there are no items or no queries, or when neither labels nor judgements say what is relevant.
        """
        ids, shown, labels, contents, keys = [], [], [], [], []
        asked = [] if corpus.queries_are_items else list(corpus.queries())
        has_queries = bool(asked) or any(True for _ in corpus.queries())
        keep_items = corpus.queries_are_items and not has_queries
        asked_by_id = {query.id: query for query in asked}
        rows: dict[str, int] = {}
        same: set[str] = set()
        spilled = SpilledContents()
        for row, item in enumerate(map(spilled.kept, corpus)):
            ids.append(item.id)
            shown.append(show(item))
            labels.append(item.label)
            keys.append(item_key(item))
            rows[item.id] = row
            if keep_items:
                contents.append(item)
            elif item.id in asked_by_id and is_document(asked_by_id[item.id], item):
                same.add(item.id)
        if not ids:
            raise CorpusError(f"the corpus '{corpus.name}' holds no items")
        queries = contents if keep_items else asked or list(corpus.queries())
        if not queries:
            raise NoRelevanceError(
                f"the corpus '{corpus.name}' has no queries and no labels: comparing spaces needs one or the other"
            )
        qrels = corpus.qrels()
        if qrels is None and all(query.label is None for query in queries):
            raise NoRelevanceError(
                f"the corpus '{corpus.name}' has neither labels nor judgements, which say what is relevant: "
                "name the field of its classes with ?label=FIELD (tables), put the files of each class into its own "
                "sub-folder or name the fields of the file names with ?pattern= (folders), or add a qrels folder as in "
                "BEIR"
            )
        items = same if asked else rows.keys()
        query_rows = np.array([rows[query.id] if query.id in items else -1 for query in queries], np.int64)
        query_set = cls(
            ids, shown, labels, queries, query_rows, qrels, np.argsort(np.argsort(np.array(keys), kind="stable"))
        )
        query_set.digest = corpus_digest(ids, keys)
        query_set._keep_answerable(corpus.name)
        query_set.documents = int((query_set.query_rows >= 0).sum()) if asked else 0
        if hold_out and qrels is None and corpus.queries_are_items:
            query_set._hold_out()
        return query_set

    @property
    def depth(self) -> int:
        """The number of answers of each query that are scored."""
        return DEPTH_QRELS if self.judged_by == "qrels" else DEPTH_LABELS

    @cached_property
    def relevance(self) -> Relevance:
        """The relevance of every item to every query."""
        if self.qrels is None:
            return LabelRelevance(self.labels, [query.label for query in self.queries], self.query_rows)
        rows = {identity: row for row, identity in enumerate(self.ids)}
        return QrelRelevance(self.qrels, [query.id for query in self.queries], rows, self.query_rows)

    @cached_property
    def repeats(self) -> NDArray[np.int64] | None:
        """A number for each query, the same for the same content; None where all differ, or where items ask.

        Items that ask influence each other's answers, which the test counts already.
        """
        if not self.documents and (self.query_rows >= 0).all():
            return None
        keys = np.array([draw_number(query.content, 0, "query") for query in self.queries], np.uint64)
        different, numbers = np.unique(keys, return_inverse=True)
        return None if len(different) == len(keys) else numbers.astype(np.int64)

    def training(self, corpus: Corpus) -> Corpus:
        """The items on which an encoder that learns from labels is fitted: all items that are not queries."""
        return CorpusWithout(corpus, self.held_out) if self.held_out else corpus

    def sampled(self, max_queries: int) -> tuple[QuerySet, NDArray[np.int64]]:
        """At most `max_queries` of the queries, chosen by a hash of their content, and their positions among all."""
        if len(self.queries) <= max_queries:
            return self, np.arange(len(self.queries))
        keys = np.array([item_key(query) for query in self.queries], np.uint64)
        ids = np.array([query.id for query in self.queries])
        chosen = np.sort(np.lexsort((ids, keys))[:max_queries])
        queries = [self.queries[at] for at in chosen.tolist()]
        return replace(self, queries=queries, query_rows=self.query_rows[chosen]), chosen

    @property
    def notes(self) -> list[str]:
        """Sentences about queries that are left out and items that are held out."""
        notes = [*self.remarks, *(left_out_note(count, reason) for reason, count in self.left_out.items())]
        if self.documents:
            notes.append(
                f"{_queries(self.documents)} documents of the corpus under the same id, and never their own answers."
            )
        if self.repeats is not None:
            different = int(self.repeats.max()) + 1
            which = "one query, repeated" if different == 1 else f"{different:,} queries and repeats of them"
            count = f"The {len(self.queries):,} queries"
            notes.append(f"{count} are {which}: repeats count in the means, but tell the tests nothing.")
        if self.held_out:
            rest = len(self.ids) - len(self.held_out)
            notes.append(
                f"The {len(self.held_out):,} queries are items that no encoder which learns from labels has seen: "
                f"these encoders are fitted on the other {rest:,} items."
            )
        return notes

    def _keep_answerable(self, name: str) -> None:
        """Leave out the queries without a relevant item: no space can answer them."""
        answerable = self.relevance.n_held > 0
        if isinstance(self.relevance, QrelRelevance):
            qrels = self.qrels or {}
            judged = np.array([query.id in qrels for query in self.queries])
            reasons = {"not judged": ~judged, NOT_HELD: judged & ~answerable}
        else:
            labelled = np.array([query.label is not None for query in self.queries])
            reasons = {"no label": ~labelled, "no other item has the same label": labelled & ~answerable}
        self.left_out = {reason: int(who.sum()) for reason, who in reasons.items() if who.any()}
        if not answerable.any():
            why = "; ".join(f"{_queries(count)} left out: {reason}" for reason, count in self.left_out.items())
            raise CorpusError(
                f"no query of the corpus '{name}' has a relevant item ({why}): give qrels, or labels that items share, "
                "or compare without either: --judged-by known-item"
            )
        self._select(np.flatnonzero(answerable))

    def _hold_out(self) -> None:
        """Keep a fifth of the queries, the first by priority; encoders learn labels from the other items."""
        wanted = max(1, len(self.queries) // HELD_OUT)
        chosen = np.sort(np.argsort(self.priority[self.query_rows], kind="stable")[:wanted])
        self._select(chosen)
        self.held_out = frozenset(query.id for query in self.queries)

    def _select(self, chosen: NDArray[np.int64]) -> None:
        self.queries = [self.queries[at] for at in chosen.tolist()]
        self.query_rows = self.query_rows[chosen]
        self.__dict__.pop("relevance", None)
        self.__dict__.pop("repeats", None)


class CorpusWithout(Corpus):
    """A corpus without the items of some ids."""

    def __init__(self, corpus: Corpus, ids: frozenset[str]) -> None:
        self._corpus, self._ids = corpus, ids
        self.name, self.modality = corpus.name, corpus.modality

    def __iter__(self) -> Iterator[Item]:
        return (item for item in self._corpus if item.id not in self._ids)


def is_document(query: Item, document: Item) -> bool:
    """Whether a query is the document of the same id, as in ArguAna and Quora.

    Many test collections number queries and documents separately. When the id is a number, query and document are the
    same only when one text contains the other.

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


def left_out_note(count: int, reason: str) -> str:
    """Return a sentence: how many queries are left out, and why."""
    return f"{_queries(count)} left out: {reason}."


def _queries(count: int) -> str:
    return f"{counted(count, 'query', 'queries')} {'is' if count == 1 else 'are'}"
