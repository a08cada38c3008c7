"""What is served: collections, their spaces and fields, and whether the service answers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retrieval.service.replies.base import PartialReply, Reply


class CollectionSummary(PartialReply):
    """A collection that is served; `error` says why it cannot be opened now."""

    name: str
    modality: str
    items: int
    spaces: list[str]
    generation: Annotated[int, Meta(description="Grows with every change on disk.")]
    error: str | None = None


class Collections(Reply):
    """All collections that are served."""

    collections: list[CollectionSummary]


class SpaceInfo(Reply):
    """A space of a collection, and what it cost."""

    spec: str
    index: str
    dim: int
    kind: str
    metric: str
    fit_seconds: float
    encode_seconds: float
    code_bytes: int
    fitted_on_present_items: Annotated[bool, Meta(description="False when items were added or removed since.")]
    shape: list[int] | None = None


class FilterInfo(Reply):
    """A field that searches can be filtered by, with its most frequent values."""

    field: str
    items: int
    n_values: int
    values: dict[str, int]


class CollectionInfo(Reply):
    """What a collection holds."""

    name: str
    corpus: str
    modality: str
    generation: int
    items: int
    digest: Annotated[str, Meta(description="SHA-256 of the items in their order.")]
    bytes: int
    on_server: Annotated[bool, Meta(description="Whether the items are in Elasticsearch.")]
    columns: Annotated[list[str], Meta(description="Columns of rows; empty for others.")]
    spaces: list[SpaceInfo]
    filters: list[FilterInfo]


class Health(Reply):
    """Whether the service answers."""

    status: str
    version: str
    collections: int
