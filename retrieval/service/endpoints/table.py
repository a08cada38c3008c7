"""All operations: on a collection, and on the service as a whole."""

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
from retrieval.service.endpoints.whole_service import SERVICE_OPERATIONS as SERVICE_OPERATIONS

#: Path of a collection; those of its operations follow it.
BELOW = "/v1/collections/{collection}"
#: Those on a collection, in the order of the documentation.
OPERATIONS = (
    *search.OPERATIONS, *explain.OPERATIONS, *items.OPERATIONS, *encode.OPERATIONS, *maps.OPERATIONS,
    *compare.OPERATIONS, *space_health.OPERATIONS, *components.OPERATIONS,
    *decode.OPERATIONS, *training.OPERATIONS,
)  # fmt: skip
