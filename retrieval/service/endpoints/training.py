"""How a space was trained: its losses by epoch."""

from __future__ import annotations

from retrieval.collection.base import Collection
from retrieval.service.bodies import TrainingQuery
from retrieval.service.operations import Operation, OperationRequest
from retrieval.service.replies.spaces import TrainingPhase, TrainingReply
from retrieval.spaces.training_history import phases_of


def training(collection: Collection, asked: OperationRequest) -> TrainingReply:
    """Return the losses of every phase of a training; no phase for a space that is not trained by epochs."""
    given: TrainingQuery = asked.parameters
    spec = collection.resolve(given.space)
    phases = [TrainingPhase(**phase.to_json()) for phase in phases_of(collection.space(spec).encoder)]
    return TrainingReply(space=spec, phases=phases)


OPERATIONS = (
    Operation(
        "training", "GET", "/training", "Get the losses of a training by epoch", training, TrainingReply,
        parameters=TrainingQuery,
    ),
)  # fmt: skip
