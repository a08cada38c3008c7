"""All operations on a collection."""

from __future__ import annotations

from retrieval.service.endpoints import (
    compare,
    components,
    decode,
    encode,
    explain,
    items,
    maps,
    search,
    space_health,
    training,
)  # fmt: skip

#: In the order of the documentation.
OPERATIONS = (
    *search.OPERATIONS, *explain.OPERATIONS, *items.OPERATIONS, *encode.OPERATIONS, *maps.OPERATIONS,
    *compare.OPERATIONS, *space_health.OPERATIONS, *components.OPERATIONS,
    *decode.OPERATIONS, *training.OPERATIONS,
)  # fmt: skip
