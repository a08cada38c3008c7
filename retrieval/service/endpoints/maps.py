"""The map of a space: the first two principal components of its items, and what they are coloured by."""

from __future__ import annotations

import numpy as np
from msgspec import structs

from encoders.batches import chunks
from retrieval.analysis.maps import principal_map
from retrieval.collection.base import Collection
from retrieval.search.stored_codes import all_codes
from retrieval.service.bodies import MapQuery
from retrieval.service.endpoints.map_colours import map_colour, require_fitting
from retrieval.service.operations import Operation, OperationRequest
from retrieval.service.problem import Problem
from retrieval.service.replies.maps import MapReply

#: Items that are read at a time.
_ITEMS_AT_ONCE = 1_000


def space_map(collection: Collection, asked: OperationRequest) -> MapReply:
    """Return where each item is on the map of a space."""
    given: MapQuery = asked.parameters
    require_fitting(given)
    spec = collection.resolve(given.space)
    key = ("map", asked.collection, collection.generation, collection.items_digest, spec, given.limit)
    reply = asked.remembered.get(key, lambda: _compute_map(collection, spec, given.limit))
    if given.colour is None:
        return reply
    return structs.replace(reply, colour=map_colour(collection, asked, reply, key))


def _compute_map(collection: Collection, spec: str, limit: int) -> MapReply:
    ids, codes = all_codes(collection, spec)
    total, shown = len(ids), ids
    if total > limit:
        rows = np.sort(np.random.default_rng(0).choice(total, limit, replace=False))
        codes, shown = codes[rows], [ids[row] for row in rows.tolist()]
    points = principal_map(codes, collection.space(spec).encoder.space.metric)
    if points is None:
        raise Problem(422, f"the space '{spec}' has too few items or components for a map")
    # some items at a time: their contents may be large, and only the labels are needed
    labels = [item.label for some in chunks(shown, _ITEMS_AT_ONCE) for item in collection.items.get(some)]
    x, y = np.round(points.astype(np.float64), 5).T.tolist()
    return MapReply(
        space=spec, generation=collection.generation, total=total, ids=shown,
        labels=labels, x=x, y=y,
    )  # fmt: skip


OPERATIONS = (
    Operation("map", "GET", "/map", "Get a map of a space", space_map, MapReply, parameters=MapQuery, long=True),
)
