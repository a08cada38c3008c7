"""The options of `nearby search`: answers of each space, one fused list, or a re-ranked shortlist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieval.collection.filters import Filter
from retrieval.search.option_names import NamedOptionError

if TYPE_CHECKING:
    from retrieval.collection.base import Collection
    from retrieval.search.hybrid import FusedAnswers
    from retrieval.search.query import Query
    from retrieval.search.rerank import Plan, Reranked
    from retrieval.search.searcher import SpaceAnswers


@dataclass(frozen=True)
class SearchRequest:
    """The options of one search, whatever the query is.

    Attributes
    ----------
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
    """

    spaces: tuple[str, ...] = ()
    k: int = 10
    filters: tuple[Filter, ...] = ()
    fuse: str | None = None
    depth: int | None = None
    plan: Plan | None = None

    @classmethod
    def read(
        cls,
        spaces: Sequence[str],
        k: int,
        filters: Sequence[str],
        fuse: str | None,
        depth: int | None,
        shortlist: str | None,
        rerank: str | None,
        candidates: int | None,
        radius: int | None,
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

            others = [name for name, given in (("fuse", fuse), ("filters", filters)) if given]
            plan = plan_of(shortlist, rerank, candidates, radius, spaces, others)
        if (fuse, depth) != (None, None):
            from retrieval.search.hybrid import SAVED, require_fusible

            require_fusible(fuse, depth)
            if fuse == SAVED and spaces:
                raise NamedOptionError(
                    "{fuse} {0} asks the spaces that its weights were chosen for: leave {spaces} out", SAVED
                )
        wanted = tuple(Filter.read(one) for one in filters)
        return cls(tuple(spaces), k, wanted, fuse, depth, plan)

    def answer(self, collection: Collection, query: Query) -> SearchAnswer:
        """Search a collection.

        Raises
        ------
        OptionError, UnknownNameError
            When the collection does not have the spaces, or they do not support the search.
        QueryError
            When no space can answer.
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

            again = rerank_pairs if is_cross_encoder(self.plan.rerank) else rerank
            return SearchAnswer(query, self.filters, again(collection, self.plan, query, self.k))
        searcher = Searcher(collection, list(weights) if weights else self.spaces)
        if self.fuse is not None:
            from retrieval.search.hybrid import fused_search

            fused = fused_search(searcher, query, self.k, depth, self.filters, weights)
            return SearchAnswer(query, self.filters, fused)
        return SearchAnswer(query, self.filters, searcher.search(query, self.k, self.filters))


@dataclass(frozen=True)
class SearchAnswer:
    """A query and its answers: a list for each space, one fused list, or one re-ranked list."""

    query: Query
    filters: tuple[Filter, ...]
    found: list[SpaceAnswers] | FusedAnswers | Reranked
