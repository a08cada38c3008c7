"""Answers to queries, equal to what ``nearby search --json`` prints, and why an item answers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from retrieval.service.replies.base import Cell, Notes, PartialReply, Reply


class QueryInfo(Reply):
    """The query as it was understood; its id is that of the item that it is, if it is one."""

    id: str | None
    title: str | None
    label: str | None


class AppliedFilter(Reply):
    """A filter as it was understood."""

    field: str
    value: str
    operator: str


class Hit(PartialReply):
    """An answer: the larger its score, the better; its distance is in the metric of the space, if it has one."""

    id: str
    score: float
    distance: float | None = None
    label: str | None = None
    title: str | None = None
    snippet: str | None = None
    seconds: Annotated[float | None, Meta(description="Length of a sound.")] = None
    row: dict[str, Cell] | None = None
    ranks: Annotated[list[float | None] | None, Meta(description="Of a fused answer, in the order of the spaces.")] = (
        None
    )


class SpaceAnswers(PartialReply):
    """The answers of one space, best first; the note says why there are none."""

    spec: str
    options: Annotated[str, Meta(description="The spec with every option.")]
    metric: str
    note: str | None = None
    milliseconds: float | None = None
    hits: list[Hit] | None = None


class Fusion(PartialReply):
    """How the lists of the spaces were joined."""

    method: str
    depth: int
    milliseconds: float
    constant: float | None = None
    weights: dict[str, float] | None = None


class Shortlist(PartialReply):
    """The candidates that were re-ranked."""

    spec: str
    options: str
    held: int
    items: int
    share: float
    milliseconds: dict[str, float]
    candidates: int | None = None
    radius: int | None = None


class SearchResult(PartialReply):
    """The answers to one query: of every space; or one fused list, `hits`; or the re-ranked list of one space."""

    query: QueryInfo
    filters: list[AppliedFilter]
    spaces: list[SpaceAnswers]
    hits: list[Hit] | None = None
    fusion: Fusion | None = None
    shortlist: Shortlist | None = None
    note: Annotated[str | None, Meta(description="Why one of several queries has no answer.")] = None


class SearchReply(Reply):
    """One result for each query, in their order, all of one generation of the collection."""

    generation: int
    results: list[SearchResult]
    notes: Notes = field(default_factory=list)


class SpaceExplanation(PartialReply):
    """Why an item answers a query in one space; the note says why it does not."""

    spec: str
    score: float | None = None
    distance: float | None = None
    rank: Annotated[int | None, Meta(description="Rank among the answers, from 1; left out beyond 1,000.")] = None
    words: Annotated[dict[str, float], Meta(description="Shared words and their parts of the score.")] = field(
        default_factory=dict
    )
    note: str | None = None


class ExplainReply(Reply):
    """Why an item answers a query, in each space."""

    id: str
    spaces: list[SpaceExplanation]
    notes: Notes = field(default_factory=list)
