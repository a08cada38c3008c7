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
    components = remembered_components(collection, asked, spec)
    if components is None or (components.shape is None and components.vocabulary is None):
        note = f"the codes of '{spec}' are not sums of components that are words or pictures"
        return ComponentsReply(
            space=spec, total=0, clusters=False, ordered=False, signed=False, shape=None, components=[], note=note
        )
    shape = None if components.shape is None else list(components.shape[:2])
    return ComponentsReply(
        space=spec, total=len(components.atoms), clusters=components.clusters, ordered=components.ordered,
        signed=components.signed, shape=shape,
        components=[_reply(components, at) for at in range(min(given.limit, len(components.atoms)))],
    )  # fmt: skip


def remembered_components(collection: Collection, asked: OperationRequest, spec: str) -> Components | None:
    """Return the components of a space, which are computed once."""
    key = ("components", asked.collection, collection.generation, spec)
    return asked.remembered.get(key, lambda: components_of(collection.space(spec).encoder))


def _reply(components: Components, at: int) -> ComponentReply:
    if components.shape is not None:
        return ComponentReply(picture=_picture(components.atoms[at].reshape(components.shape)), more=[], less=[])
    more, less = components.top_words(at)
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
