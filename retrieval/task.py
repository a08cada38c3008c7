"""What is asked of every space alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.errors import CorpusError
from retrieval.comparison import Shown
from retrieval.corpora.base import Corpus, Item, Qrels
from retrieval.showing import show

#: Answers kept of each query: what R@100 and AP need.
DEPTH_QRELS, DEPTH_LABELS = 1000, 101


@dataclass
class Task:
    """What is asked of every space alike: items, queries, and what is relevant."""

    ids: list[str]
    shown: list[Shown]
    labels: list[str | None]
    queries: list[Item]
    own: NDArray[np.int64]
    qrels: Qrels | None

    @classmethod
    def of(cls, corpus: Corpus) -> Task:
        """Read a corpus once for what judging and showing need; contents of documents are not kept."""
        ids, shown, labels, contents = [], [], [], []
        keep_items = corpus.queries_are_items and not any(True for _ in corpus.queries())
        for item in corpus:
            ids.append(item.id)
            shown.append(show(item))
            labels.append(item.label)
            if keep_items:
                contents.append(item)
        if not ids:
            raise CorpusError(f"the corpus '{corpus.name}' holds no items")
        queries = contents if keep_items else list(corpus.queries())
        if not queries:
            raise CorpusError(
                f"the corpus '{corpus.name}' has no queries and no labels: spaces cannot be compared on it"
            )
        qrels = corpus.qrels()
        if qrels is None and all(query.label is None for query in queries):
            raise CorpusError(
                f"the corpus '{corpus.name}' has neither labels nor judgements, so that nothing says which answers are "
                "relevant: name the field of its classes with ?label=FIELD, or lay qrels beside it as BEIR does"
            )
        place = {identity: row for row, identity in enumerate(ids)} if corpus.queries_are_items else {}
        own = np.array([place.get(query.id, -1) for query in queries], dtype=np.int64)
        return cls(ids, shown, labels, queries, own, qrels)

    @property
    def depth(self) -> int:
        """How many answers of each query are needed, the query itself counted in."""
        return (DEPTH_LABELS if self.qrels is None else DEPTH_QRELS) + int((self.own >= 0).any())
