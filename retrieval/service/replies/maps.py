"""The map of a space, and what its items are coloured by."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retrieval.service.replies.base import PartialReply, Reply


class MapColour(Reply):
    """What the items of a map are coloured by: the value of item i, in the order of the map."""

    by: Annotated[str, Meta(description="cluster, hubness or score.")]
    name: Annotated[str, Meta(description="What a value is.")]
    unit: str
    values: Annotated[list[float | None], Meta(description="Clusters count from 0, the largest first.")]
    small_is_near: Annotated[bool, Meta(description="Whether values are distances.")] = False
    note: Annotated[str | None, Meta(description="How they were measured, if not from all items.")] = None


class MapReply(PartialReply):
    """The two principal components of a space: item i is at (x[i], y[i])."""

    space: str
    generation: int
    total: Annotated[int, Meta(description="Items of the collection; fewer may be on the map.")]
    ids: list[str]
    labels: list[str | None]
    x: list[float]
    y: list[float]
    colour: MapColour | None = None
