"""The items of a collection."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retrieval.service.replies.base import Cell, PartialReply, Reply


class ItemReply(PartialReply):
    """An item of a collection; `media` is the path of its picture or sound."""

    id: str
    metadata: dict[str, str]
    title: Annotated[str | None, Meta(description="Its title; of a text without one, its beginning.")] = None
    label: str | None = None
    text: str | None = None
    row: dict[str, Cell] | None = None
    vector: list[float] | None = None
    shape: list[int] | None = None
    seconds: float | None = None
    media: str | None = None


class ItemsReply(Reply):
    """A page of the items, in their order."""

    total: int
    offset: int
    items: list[ItemReply]
