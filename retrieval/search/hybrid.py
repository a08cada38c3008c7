"""Hybrid search: the answers of several spaces, fused into one list, as `nearby search --fuse` does."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from encoders.codes import Codes, Metric
from encoders.errors import BadItemError, EndpointError, QueryError, UnknownNameError
from indexers.base import Hit
from retrieval.collection.filters import Filter
from retrieval.search.convex import convex_combination, least_score
from retrieval.search.fusion import Fused, Rank, reciprocal_rank_fusion
from retrieval.search.given_columns import search_spaces
from retrieval.search.option_names import NamedOptionError
from retrieval.search.query import Query
from retrieval.search.result import Answer
from retrieval.search.searcher import (
    MAX_K,
    Searcher,
    SpaceAnswers,
    answers_of,
    query_codes,
    require_valid_k,
    without_query,
)

#: Default number of hits of each space that are fused, unless more answers are requested.
DEPTH = 100
#: The names of fusions on the command line: by reciprocal ranks, or by the weights that are stored with the collection.
RRF, SAVED = "rrf", "saved"


@dataclass(frozen=True)
class FusedAnswers:
    """The fused answers of several spaces.

    Attributes
    ----------
    spaces : list of SpaceAnswers
        The spaces, without their own answers; `note` says why a space has none, `milliseconds` are shared.
    answers : list of Answer
        Best first; score and distance are both the fused score.
    ranks : list of tuple
        The rank of each answer in each space, the mean rank for equal scores; None when it is not among the first
        `depth`.
    depth : int
        Number of hits of each space that are fused, and all others with the score of the last.
    milliseconds : float
        All spaces together.
    weights : dict of str to float
        Spec -> the weight of a space in a convex combination; empty for reciprocal rank fusion.
    """

    spaces: list[SpaceAnswers]
    answers: list[Answer]
    ranks: list[tuple[Rank, ...]]
    depth: int
    milliseconds: float
    weights: dict[str, float] = field(default_factory=dict)


def require_fusible(fuse: str | None, depth: int | None = None) -> None:
    """Refuse an unknown fusion, and options of a fusion that was not requested.

    Raises
    ------
    OptionError, UnknownNameError

    Examples
    --------
    >>> require_fusible(None, depth=50)
    Traceback (most recent call last):
    retrieval.search.option_names.NamedOptionError: --depth is the number of fused hits of each space: add --fuse rrf
    """
    if fuse is None and depth is not None:
        raise NamedOptionError("{depth} is the number of fused hits of each space: add {fuse} {0}", RRF)
    if fuse not in (None, RRF, SAVED):
        raise UnknownNameError("fusion", str(fuse), [RRF, SAVED])


def fusion_depth(depth: int | None, k: int) -> int:
    """The number of hits of each space that are fused.

    Raises
    ------
    OptionError
        When it is smaller than the number of answers.

    Examples
    --------
    >>> fusion_depth(None, 10), fusion_depth(None, 500), fusion_depth(20, 10)
    (100, 500, 20)
    """
    if depth is None:
        return max(k, DEPTH)
    if depth < k:
        raise NamedOptionError("{depth} {0} is smaller than {k} {1}: raise {depth}", depth, k)
    require_valid_k(depth)
    return depth


def fused_search(
    searcher: Searcher,
    query: Query,
    k: int = 10,
    depth: int | None = None,
    filters: Sequence[Filter] = (),
    weights: Mapping[str, float] | None = None,
) -> FusedAnswers:
    """The answers to one query by fusion of the searcher's spaces, all asked at once.

    Parameters
    ----------
    searcher : Searcher
    query : Query
    k : int
    depth : int, optional
        Number of hits of each space that are fused.
    filters : sequence of Filter
    weights : mapping of str to float, optional
        Spec -> weight, for a convex combination of the scores (`retrieval.search.convex`); without, reciprocal rank
        fusion.

    Raises
    ------
    OptionError
        When there are fewer than two spaces, or fewer hits than answers.
    QueryError
        When no space can answer, or no item satisfies the filters.
    """
    require_valid_k(k)
    depth = fusion_depth(depth, k)
    if len(searcher.specs) < 2:
        raise NamedOptionError(
            "{fuse} needs at least two spaces, but only '{0}' is given: add {spaces}", searcher.specs[0]
        )
    for spec in searcher.specs:  # opened before the clock starts, as in any search
        searcher.collection.space(spec)
    begun = time.perf_counter()
    spaces, asked = _encoded(searcher, query)
    if not asked:
        raise QueryError(spaces[0].note or "no space can answer")
    hits = _hits_to_depth(searcher, query, asked, depth, filters)
    fused = _fused(searcher, hits, depth, weights)[:k]
    milliseconds = 1000 * (time.perf_counter() - begun)
    # a fused score is shown as it is, as an inner product is
    answers = answers_of(searcher.collection, query, [Hit(one.id, one.score) for one in fused], Metric.DOT)
    spaces = [replace(space, milliseconds=milliseconds) for space in spaces]
    return FusedAnswers(spaces, answers, [one.ranks for one in fused], depth, milliseconds, dict(weights or {}))


def _fused(
    searcher: Searcher, hits: Mapping[str, list[Hit]], depth: int, weights: Mapping[str, float] | None
) -> list[Fused]:
    lists = [hits.get(spec, []) for spec in searcher.specs]
    if weights is None:
        return reciprocal_rank_fusion(lists)
    opened = [searcher.collection.space(spec) for spec in searcher.specs]
    least = [least_score(one.encoder.space, one.index.positive_only) for one in opened]
    return convex_combination(lists, [weights.get(spec, 0.0) for spec in searcher.specs], least, depth)


def _hits_to_depth(
    searcher: Searcher, query: Query, asked: list[tuple[str, Codes]], depth: int, filters: Sequence[Filter]
) -> dict[str, list[Hit]]:
    """The first `depth` hits of each space, and all others with the score of the last.

    The order of equal hits in an index depends on the order of its rows. When hits behind the last one have the same
    score, the space is searched again, four times as deep each time. When the deepest allowed search does not reach the
    end of these hits, none of them is used.
    """
    hits: dict[str, list[Hit]] = {}
    needed = depth + (query.item_id is not None)
    limit = max(needed, MAX_K)
    pending, width = asked, min(needed + 1, limit)
    while pending:
        answered = search_spaces(searcher.collection, pending, query.content, width, filters)
        deeper = []
        for (spec, codes), space_hits in zip(pending, answered, strict=True):
            listed = without_query(space_hits, query, width)
            last = listed[depth - 1].score if len(listed) >= depth else None
            ends = last is None or listed[-1].score < last
            if ends or len(space_hits) < width:
                hits[spec] = listed if last is None else [hit for hit in listed if hit.score >= last]
            elif width >= limit:
                hits[spec] = [hit for hit in listed if hit.score > listed[-1].score]
            else:
                deeper.append((spec, codes))
        pending, width = deeper, min(4 * width, limit)
    return hits


def _encoded(searcher: Searcher, query: Query) -> tuple[list[SpaceAnswers], list[tuple[str, Codes]]]:
    """Every space, with a note when it cannot answer, and the codes of the query in those that can."""
    spaces: list[SpaceAnswers] = []
    asked: list[tuple[str, Codes]] = []
    for spec in searcher.specs:
        encoder = searcher.collection.space(spec).encoder
        note = None
        try:
            asked.append((spec, query_codes(searcher.collection, spec, query)))
        except (QueryError, BadItemError, EndpointError) as error:
            note = str(error)
        spaces.append(SpaceAnswers(spec, encoder.spec(full=True), str(encoder.space.metric), [], 0.0, note))
    return spaces, asked
