"""What is asked of the whole service: its collections, embeddings for OpenAI's clients, its health and metrics."""

from __future__ import annotations

from encoders.version import version
from retrieval.service.bodies import EmbeddingsBody
from retrieval.service.endpoints.encode import embedding_specs, embeddings
from retrieval.service.metrics import MEDIA_TYPE
from retrieval.service.open_collections import OpenCollections
from retrieval.service.operations import Media, OperationRequest, ServiceOperation, ServiceState
from retrieval.service.problem import Problem
from retrieval.service.replies.collections import Collections, CollectionSummary, Health
from retrieval.service.replies.encode import EmbeddingsReply, Model, Models


def collections(opened: OpenCollections, asked: OperationRequest) -> Collections:
    """Return every collection that is served."""
    return Collections(collections=[_summary(opened, name) for name in opened.names])


def _summary(opened: OpenCollections, name: str) -> CollectionSummary:
    try:
        collection = opened.collection(name)
    except Problem as problem:  # the others are there
        return CollectionSummary(name=name, modality="", items=0, spaces=[], generation=0, error=problem.detail)
    return CollectionSummary(
        name=name, modality=str(collection.items.modality), items=collection.items.size,
        spaces=list(collection.spaces), generation=collection.generation,
    )  # fmt: skip


def embed(opened: OpenCollections, asked: OperationRequest) -> EmbeddingsReply:
    """Return embeddings of texts in the space that a model names."""
    body: EmbeddingsBody = asked.body
    name, spec = _collection_and_space(body.model, opened.names)
    return embeddings(opened.collection(name), body, spec)


def _collection_and_space(model: str, names: tuple[str, ...]) -> tuple[str, str]:
    """Return the collection and the space that a model names: COLLECTION/SPACE, or SPACE if one collection is served.

    Raises
    ------
    Problem
    """
    name, slash, spec = model.partition("/")
    if slash and name in names:
        return name, spec
    if len(names) == 1:
        return names[0], model
    raise Problem(404, f"no model '{model[:200]}': GET /v1/models lists those that there are")


def models(opened: OpenCollections, asked: OperationRequest) -> Models:
    """Return every space that gives embeddings; a collection that cannot be opened has none."""
    entries = [
        Model(id=f"{name}/{spec}", object="model", created=0, owned_by="nearby")
        for name in opened.names
        for spec in _embedding_specs(opened, name)
    ]
    return Models(object="list", data=entries)


def _embedding_specs(opened: OpenCollections, name: str) -> list[str]:
    try:
        return embedding_specs(opened.collection(name))
    except Problem:  # the others are there
        return []


def health(state: ServiceState) -> Health:
    """Return that the service answers."""
    return Health(status="ok", version=version(), collections=len(state.names))


def metrics(state: ServiceState) -> Media:
    """Return the counts of all processes, for Prometheus."""
    return Media(state.metrics.text().encode(), MEDIA_TYPE)


#: In the order of the documentation.
SERVICE_OPERATIONS = (
    ServiceOperation("collections", "GET", "/v1/collections", "List the collections", collections, Collections),
    ServiceOperation(
        "embeddings", "POST", "/v1/embeddings", "Embed texts, as OpenAI's clients ask", embed, EmbeddingsReply,
        body=EmbeddingsBody,
    ),
    ServiceOperation("models", "GET", "/v1/models", "List the spaces, as OpenAI's clients ask", models, Models),
    ServiceOperation("health", "GET", "/health", "Say whether the service lives", None, Health, at_once=health),
    ServiceOperation(
        "metrics", "GET", "/metrics", "Count requests, for Prometheus", None, Media, media=("text/plain",),
        at_once=metrics,
    ),
)  # fmt: skip
