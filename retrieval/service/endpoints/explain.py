"""Why an item answers a query."""

from __future__ import annotations

from retrieval.collection.base import Collection
from retrieval.search.explain import explain
from retrieval.service.bodies import ExplainBody
from retrieval.service.endpoints.search import query_of
from retrieval.service.operations import Operation, OperationRequest
from retrieval.service.replies.search import ExplainReply, SpaceExplanation


def explained(collection: Collection, asked: OperationRequest) -> ExplainReply:
    """Return the rank of an item in each space, and the words that make its score."""
    body: ExplainBody = asked.body
    explanations = explain(collection, query_of(collection, body.query), body.id, tuple(body.spaces))
    return ExplainReply(id=body.id, spaces=[SpaceExplanation(**vars(one)) for one in explanations])


OPERATIONS = (
    Operation(
        "explain", "POST", "/explain", "Say why an item answers a query", explained, ExplainReply, body=ExplainBody
    ),
)
