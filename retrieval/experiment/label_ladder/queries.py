"""The label ladder: what says which answers are relevant, from judgements down to the agreement of the spaces."""

from __future__ import annotations

from collections.abc import Iterator

from retrieval.corpora.base import Corpus, Item
from retrieval.experiment.label_ladder.rung import HIGHEST, Rung
from retrieval.experiment.query_set import NoRelevanceError, QuerySet
from retrieval.search.option_names import NamedOptionError


def queries_on_rung(corpus: Corpus, judged_by: str = HIGHEST, hold_out: bool = False) -> tuple[Corpus, QuerySet]:
    """The corpus to index, and the queries of a rung.

    Parameters
    ----------
    corpus : Corpus
    judged_by : str
        A rung, or ``auto``: judgements or labels where the corpus has them, else known items, else agreement.
    hold_out : bool
        As in `QuerySet.of`.

    Returns
    -------
    corpus : Corpus
        The same corpus, or one without the passages that are queries.
    query_set : QuerySet

    Raises
    ------
    CorpusError
        When the corpus cannot be judged on this rung.
    """
    from retrieval.experiment.label_ladder.known_items import known_item_queries, unjudged_queries

    rung = Rung.read(judged_by)
    if rung is Rung.AGREEMENT:
        return corpus, unjudged_queries(corpus)
    if rung is Rung.KNOWN_ITEM:
        return known_item_queries(corpus)
    if rung is not None:
        require_judgements(corpus, rung)
        return corpus, QuerySet.of(LabelsOnly(corpus) if rung is Rung.LABELS else corpus, hold_out)
    try:
        return corpus, QuerySet.of(corpus, hold_out)
    except NoRelevanceError:
        pass
    try:
        return known_item_queries(corpus)
    except NoRelevanceError as error:
        query_set = unjudged_queries(corpus)
        query_set.remarks.append(f"Known-item search is not possible: {error}.")
        return corpus, query_set


def require_judgements(corpus: Corpus, rung: Rung) -> None:
    """Refuse judgements of a corpus that has none, and labels where no query has one.

    Raises
    ------
    OptionError
    """
    there = corpus.qrels() is not None
    if rung is Rung.LABELS:
        asked = LabelsOnly(corpus)
        there = any(query.label is not None for query in asked.queries())
    if not there:
        what = "labels" if rung is Rung.LABELS else "judgements (qrels)"
        raise NamedOptionError(
            "{judged_by} {0}: the corpus '{1}' has no {2}; {judged_by} {3} needs none",
            rung, corpus.name, what, Rung.KNOWN_ITEM,
        )  # fmt: skip


class LabelsOnly(Corpus):
    """A corpus without its judgements; its items are the queries unless its own queries have labels."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self.name, self.modality = corpus.name, corpus.modality
        has_labelled_queries = not corpus.queries_are_items and any(
            query.label is not None for query in corpus.queries()
        )
        self._items_ask = not has_labelled_queries

    def __iter__(self) -> Iterator[Item]:
        return iter(self._corpus)

    def queries(self) -> Iterator[Item]:
        """Its labelled queries, or its items."""
        return iter(self._corpus) if self._items_ask else self._corpus.queries()

    @property
    def queries_are_items(self) -> bool:
        """Whether its items are the queries."""
        return self._items_ask

    @property
    def size(self) -> int | None:
        """The number of its items; None when it is not known."""
        return self._corpus.size
