"""The options of `nearby search`: answers of each space, one fused list, or a re-ranked shortlist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from encoders.errors import OptionError
from retrieval.collection.filters import Filter

if TYPE_CHECKING:
    from retrieval.collection.base import Collection
    from retrieval.search.hybrid import FusedAnswers
    from retrieval.search.query import Query
    from retrieval.search.rerank import Plan, Reranked
    from retrieval.search.searcher import SpaceAnswers


@dataclass(frozen=True)
class SearchRequest:
    """One search: the text of the query, and the options of the search.

    Attributes
    ----------
    text : str
    spaces : tuple of str
        All spaces of the collection when empty.
    k : int
        Number of answers, for each space or in the one list.
    filters : tuple of Filter
    fuse : str or None
        Method that joins the lists of the spaces; None leaves them separate.
    depth : int or None
        Hits of each space that are fused.
    plan : Plan or None
        The shortlist and the space that re-ranks it.
    vector : Path or None
        File with the embedding of the query, for spaces of embeddings that were computed elsewhere.
    """

    text: str
    spaces: tuple[str, ...] = ()
    k: int = 10
    filters: tuple[Filter, ...] = ()
    fuse: str | None = None
    depth: int | None = None
    plan: Plan | None = None
    vector: Path | None = None

    @classmethod
    def read(
        cls,
        text: str,
        space: Sequence[str],
        k: int,
        filters: Sequence[str],
        fuse: str | None,
        depth: int | None,
        shortlist: str | None,
        rerank: str | None,
        candidates: int | None,
        radius: int | None,
        vector: Path | None = None,
    ) -> SearchRequest:
        """Read the options of `nearby search` before anything is opened.

        Raises
        ------
        OptionError, UnknownNameError
            When an option cannot be read, or two options cannot be used together.
        """
        plan = None
        if (shortlist, rerank, candidates, radius) != (None, None, None, None):
            from retrieval.search.rerank import plan_of

            others = [name for name, given in (("--fuse", fuse), ("--filter", filters)) if given]
            plan = plan_of(shortlist, rerank, candidates, radius, space, others)
        if (fuse, depth) != (None, None):
            from retrieval.search.hybrid import SAVED, require_fusible

            require_fusible(fuse, depth)
            if fuse == SAVED and space:
                raise OptionError(f"--fuse {SAVED} asks the spaces that its weights were chosen for: leave -s out")
        wanted = tuple(Filter.read(one) for one in filters)
        return cls(text, tuple(space), k, wanted, fuse, depth, plan, vector)

    def _query(self, collection: Collection) -> Query:
        from retrieval.search.query import read_query, with_vector

        if not self.text and self.vector is None:
            raise OptionError(
                "give a query: words, the path of a picture or sound, @id of an item, or --query-vector FILE"
            )
        return (
            read_query(collection, self.text)
            if self.vector is None
            else with_vector(collection, self.text, self.vector)
        )

    def answer(self, collection: Collection, query: Query | None = None) -> SearchAnswer:
        """Search a collection with `query`, by default the one that `text` says.

        Raises
        ------
        OptionError, UnknownNameError
            When the collection does not have the spaces, or they do not support the search.
        QueryError
            When the query cannot be read, or no space can answer.
        """
        from retrieval.search.searcher import Searcher

        weights, depth = None, self.depth
        if self.fuse == "saved":
            from retrieval.search.saved_fusion import SavedFusion

            saved = SavedFusion.load(collection)
            weights, depth = saved.weights, self.depth or max(self.k, saved.depth)
        if self.plan is not None:
            from retrieval.search.pair_rerank import is_cross_encoder, rerank_pairs
            from retrieval.search.rerank import rerank

            asked = query or self._query(collection)
            if is_cross_encoder(self.plan.rerank):
                return SearchAnswer(asked, self.filters, rerank_pairs(collection, self.plan, asked, self.k))
            return SearchAnswer(asked, self.filters, rerank(collection, self.plan, asked, self.k))
        searcher = Searcher(collection, list(weights) if weights else self.spaces)
        asked = query or self._query(collection)
        if self.fuse is not None:
            from retrieval.search.hybrid import fused_search

            fused = fused_search(searcher, asked, self.k, depth, self.filters, weights)
            return SearchAnswer(asked, self.filters, fused)
        return SearchAnswer(asked, self.filters, searcher.search(asked, self.k, self.filters))


@dataclass(frozen=True)
class SearchAnswer:
    """A query and its answers: a list for each space, one fused list, or one re-ranked list."""

    query: Query
    filters: tuple[Filter, ...]
    found: list[SpaceAnswers] | FusedAnswers | Reranked
