"""Search, by any query, and the neighbours of an item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from encoders.errors import QueryError
from retrieval.collection.base import Collection
from retrieval.report.terminal.listing import search_json
from retrieval.search.pair_rerank import is_cross_encoder
from retrieval.search.query import Query, image_query, item_query, sound_query, text_query, vector_query
from retrieval.search.request import SearchRequest
from retrieval.search.row_query import row_query
from retrieval.service import limits
from retrieval.service.bodies import NeighboursQuery, QueryBody, SearchBody
from retrieval.service.operations import Operation, OperationRequest
from retrieval.service.problem import Problem
from retrieval.service.replies.search import QueryInfo, SearchReply, SearchResult


def query_of(collection: Collection, body: QueryBody) -> Query:
    """Return the query that a client sent; nothing in it is a path.

    Raises
    ------
    Problem
        422 unless exactly one field is given.
    NearbyError
        When the collection cannot take it.
    """
    given = [name for name in QueryBody.__struct_fields__ if getattr(body, name) is not UNSET]
    if len(given) != 1:
        fields = " and ".join(given) or "none of them"
        raise Problem(422, f"a query has exactly one of {', '.join(QueryBody.__struct_fields__)}; got {fields}")
    read: dict[str, Callable[[Collection, Any], Query]] = {
        "text": text_query, "id": item_query, "row": row_query, "vector": vector_query, "image": image_query,
        "sound": sound_query,
    }  # fmt: skip
    return read[given[0]](collection, getattr(body, given[0]))


def search(collection: Collection, asked: OperationRequest) -> SearchReply:
    """Answer one query or several, all in one state of the collection."""
    body: SearchBody = asked.body
    if (body.query is UNSET) == (body.queries is UNSET):
        raise Problem(422, """give either query, or queries for several, as in {"query": {"text": "..."}}""")
    queries = [one for one in ([body.query] if body.queries is UNSET else body.queries) if one is not UNSET]
    return _answered(collection, _request_of(body), queries)


def neighbours(collection: Collection, asked: OperationRequest) -> SearchReply:
    """Return the items nearest to one item."""
    given: NeighboursQuery = asked.parameters
    return _answered(collection, SearchRequest(tuple(given.space), given.k), [QueryBody(id=given.id)])


def _request_of(body: SearchBody) -> SearchRequest:
    if body.rerank is not None and is_cross_encoder(body.rerank):  # no client chooses what is loaded here
        raise Problem(422, "rerank is the name of a space: cross-encoders are for the command line")
    return SearchRequest.read(
        body.spaces, body.k, body.filters, body.fuse, body.depth, body.shortlist, body.rerank, body.candidates,
        body.radius,
    )  # fmt: skip


def _require_bounded(collection: Collection, request: SearchRequest, n_queries: int) -> None:
    """Refuse a search with too many answers, though each of its numbers is allowed."""
    lists = 1 if request.plan else len(request.spaces) or len(collection.spaces)
    longest = max(request.k, request.depth or 0, (request.plan.candidates or 0) if request.plan else 0)
    if n_queries * lists * longest > limits.MAX_ANSWERS:
        raise Problem(
            422,
            f"{n_queries:,} queries x {lists:,} lists x {longest:,} answers are more than {limits.MAX_ANSWERS:,}: "
            "ask for less at a time",
        )


def _answered(collection: Collection, request: SearchRequest, queries: list[QueryBody]) -> SearchReply:
    _require_bounded(collection, request, len(queries))

    def read() -> list[SearchResult]:
        return [_result(collection, request, query, alone=len(queries) == 1) for query in queries]

    return SearchReply(generation=collection.generation, results=collection.read_consistently(read))


def _result(collection: Collection, request: SearchRequest, body: QueryBody, alone: bool) -> SearchResult:
    """Return the answers to one query; one of several that no space can answer has a note instead."""
    query = query_of(collection, body)
    try:
        return msgspec.convert(search_json(request.answer(collection, query)), SearchResult)
    except QueryError as error:
        if alone:
            raise
        shown = QueryInfo(id=query.item_id, title=query.shown.title, label=query.shown.label)
        return SearchResult(query=shown, filters=[], spaces=[], note=str(error))


OPERATIONS = (
    Operation("search", "POST", "/search", "Find the items nearest to queries", search, SearchReply, body=SearchBody),
    Operation(
        "neighbours", "GET", "/neighbours", "Find the items nearest to an item", neighbours, SearchReply,
        parameters=NeighboursQuery,
    ),
)  # fmt: skip
