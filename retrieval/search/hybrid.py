"""One query of a collection, answered by several spaces together: what `nearby search --fuse` does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from encoders.codes import Codes, Metric
from encoders.errors import BadItemError, OptionError, QueryError, UnknownNameError
from indexers.base import Hit
from retrieval.collection.filters import Filter
from retrieval.search.fusion import reciprocal_rank_fusion
from retrieval.search.result import Answer
from retrieval.search.searcher import Found, Query, Searcher, answers_of, encode_query, require_moderate, without_own

#: Hits of each space that are fused when nothing is said, unless more answers are asked for.
DEPTH = 100
#: How lists become one; the name stands in the command line.
RRF = "rrf"


@dataclass(frozen=True)
class FusedAnswers:
    """One list made of those of several spaces.

    Attributes
    ----------
    spaces : list of Found
        What was asked, without answers of its own; `note` says why a space gave nothing, `milliseconds` are shared.
    answers : list of Answer
        Best first; score and distance are both the fused score.
    ranks : list of tuple
        Of each answer, its rank in each space; None where it is not among the first `depth`.
    depth : int
        How many hits of each space were fused.
    milliseconds : float
        All spaces together.
    """

    spaces: list[Found]
    answers: list[Answer]
    ranks: list[tuple[int | None, ...]]
    depth: int
    milliseconds: float


def require_fusible(fuse: str | None, depth: int | None = None) -> None:
    """Refuse options of a fusion that is not asked for, or not known.

    Raises
    ------
    OptionError, UnknownNameError

    Examples
    --------
    >>> require_fusible(None, depth=50)
    Traceback (most recent call last):
    encoders.errors.OptionError: --depth says how much of each list is fused: give --fuse rrf too
    """
    if fuse is None and depth is not None:
        raise OptionError(f"--depth says how much of each list is fused: give --fuse {RRF} too")
    if fuse not in (None, RRF):
        raise UnknownNameError("fusion", str(fuse), [RRF])


def depth_of(depth: int | None, k: int) -> int:
    """Return how many hits of each space are fused.

    Raises
    ------
    OptionError
        For fewer than the answers asked for.

    Examples
    --------
    >>> depth_of(None, 10), depth_of(None, 500), depth_of(20, 10)
    (100, 500, 20)
    """
    if depth is None:
        return max(k, DEPTH)
    if depth < k:
        raise OptionError(f"--depth {depth} is smaller than -k {k}: raise --depth")
    require_moderate(depth)
    return depth


def fused_search(
    searcher: Searcher, query: Query, k: int = 10, depth: int | None = None, filters: Sequence[Filter] = ()
) -> FusedAnswers:
    """Answer one query by the reciprocal rank fusion of the searcher's spaces, all asked at once.

    Raises
    ------
    OptionError
        For fewer than two spaces, or hits than answers.
    QueryError
        When no space can answer, or no item satisfies the filters.
    """
    require_moderate(k)
    depth = depth_of(depth, k)
    if len(searcher.specs) < 2:
        raise OptionError(f"--fuse joins the lists of several spaces, and here is one, '{searcher.specs[0]}': add -s")
    for spec in searcher.specs:  # opened before the clock runs, as for any search
        searcher.collection.space(spec)
    begun = time.perf_counter()
    spaces, asked = _encoded(searcher, query)
    if not asked:
        raise QueryError(spaces[0].note or "no space can answer")
    answered = searcher.collection.search(asked, depth + (query.own is not None), filters)
    hits = dict(zip([spec for spec, _ in asked], answered, strict=True))
    fused = reciprocal_rank_fusion([without_own(hits.get(spec, []), query, depth) for spec in searcher.specs])[:k]
    milliseconds = 1000 * (time.perf_counter() - begun)
    # an inner product is shown as it is, and so is a fused score
    answers = answers_of(searcher.collection, query, [Hit(one.id, one.score) for one in fused], Metric.DOT)
    spaces = [replace(space, milliseconds=milliseconds) for space in spaces]
    return FusedAnswers(spaces, answers, [one.ranks for one in fused], depth, milliseconds)


def _encoded(searcher: Searcher, query: Query) -> tuple[list[Found], list[tuple[str, Codes]]]:
    """Return every space, with a note where it cannot answer, and the query's codes in those that can."""
    spaces: list[Found] = []
    asked: list[tuple[str, Codes]] = []
    for spec in searcher.specs:
        encoder = searcher.collection.space(spec).encoder
        note = None
        try:
            asked.append((spec, encode_query(encoder, query.content)))
        except (QueryError, BadItemError) as error:
            note = str(error)
        spaces.append(Found(spec, encoder.spec(full=True), str(encoder.space.metric), [], 0.0, note))
    return spaces, asked
