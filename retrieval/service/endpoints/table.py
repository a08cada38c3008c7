"""All operations on a collection."""

from __future__ import annotations

from retrieval.service.endpoints import compare, components, encode, explain, items, maps, search, space_health

#: In the order of the documentation.
OPERATIONS = (
    *search.OPERATIONS, *explain.OPERATIONS, *items.OPERATIONS, *encode.OPERATIONS, *maps.OPERATIONS,
    *compare.OPERATIONS, *space_health.OPERATIONS, *components.OPERATIONS,
)  # fmt: skip
