"""The health of spaces, as `nearby health` measures it."""

from __future__ import annotations

from retrieval.collection.base import Collection
from retrieval.experiment.health.health import health
from retrieval.report.health_json import health_json
from retrieval.report.json import plain
from retrieval.service.bodies import SpaceHealthQuery
from retrieval.service.operations import Operation, OperationRequest
from retrieval.service.replies.base import Document


def space_health(collection: Collection, asked: OperationRequest) -> Document:
    """Return what is wrong with each space, and what to try."""
    given: SpaceHealthQuery = asked.parameters
    names = tuple(dict.fromkeys(collection.resolve(spec) for spec in given.space))
    key = ("health", asked.collection, collection.generation, collection.items_digest, names)

    def make() -> Document:
        encoders = [collection.space(name).encoder for name in names or collection.spaces]
        return Document(document=plain(health_json(health(collection.items, encoders))))

    document: Document = asked.remembered.get(key, make)
    return document


OPERATIONS = (
    Operation(
        "spaceHealth", "GET", "/health", "Measure what is wrong with spaces", space_health, Document,
        parameters=SpaceHealthQuery, long=True,
    ),
)  # fmt: skip
