"""The components of a space, as words or as pictures."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.analysis.components import Components, components_of
from retrieval.collection.base import Collection
from retrieval.service.bodies import ComponentsQuery
from retrieval.service.operations import Operation, OperationRequest
from retrieval.service.replies.spaces import ComponentReply, ComponentsReply


def components(collection: Collection, asked: OperationRequest) -> ComponentsReply:
    """Return the first components of a space."""
    given: ComponentsQuery = asked.parameters
    spec = collection.resolve(given.space)
    found = remembered_components(collection, asked, spec)
    if found is None or (found.shape is None and found.vocabulary is None):
        note = f"the codes of '{spec}' are not sums of components that are words or pictures"
        return ComponentsReply(
            space=spec, total=0, clusters=False, ordered=False, signed=False, shape=None, components=[], note=note
        )
    shape = None if found.shape is None else list(found.shape[:2])
    return ComponentsReply(
        space=spec, total=len(found.atoms), clusters=found.clusters, ordered=found.ordered, signed=found.signed,
        shape=shape, components=[_reply(found, at) for at in range(min(given.limit, len(found.atoms)))],
    )  # fmt: skip


def remembered_components(collection: Collection, asked: OperationRequest, spec: str) -> Components | None:
    """Return the components of a space, which are computed once."""
    key = ("components", asked.collection, collection.generation, spec)
    return asked.remembered.get(key, lambda: components_of(collection.space(spec).encoder))


def _reply(found: Components, at: int) -> ComponentReply:
    if found.shape is not None:
        return ComponentReply(picture=_picture(found.atoms[at].reshape(found.shape)), more=[], less=[])
    more, less = found.top_words(at)
    return ComponentReply(picture=None, more=more, less=less)


def _picture(atom: NDArray[Any]) -> str:
    """Return a component as bytes in base64: 127 is nothing, 254 its largest value; of colours, their mean."""
    grey = atom.mean(axis=2) if atom.ndim == 3 else atom
    largest = max(float(np.abs(grey).max()), 1e-12)
    return base64.b64encode(np.rint(127 + 127 * grey / largest).astype(np.uint8).tobytes()).decode("ascii")


OPERATIONS = (
    Operation(
        "components", "GET", "/components", "Get the components of a space", components, ComponentsReply,
        parameters=ComponentsQuery,
    ),
)  # fmt: skip
