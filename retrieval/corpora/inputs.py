"""Items and queries in the form that an encoder reads: their contents, or contents with ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.named import Named
from retrieval.corpora.base import Item


def reads_ids(encoder: Encoder) -> bool:
    """Return whether an encoder looks codes up by id, so that it fits a corpus of any modality."""
    return encoder.reads is Modality.ITEM


def inputs_of(encoder: Encoder, items: Iterable[Item]) -> list[Any]:
    """Return items as an encoder reads them.

    Examples
    --------
    >>> from encoders.registry import create
    >>> inputs_of(create("bow"), [Item("7", "a text")])
    ['a text']
    """
    if reads_ids(encoder):
        return [Named(item.content, item_id=item.id) for item in items]
    return [item.content for item in items]


def named_queries(queries: Sequence[Item], are_items: Sequence[bool] | None = None) -> list[Named]:
    """Return queries with their ids; one that is an item of the corpus has the id of that item too."""
    items = [False] * len(queries) if are_items is None else are_items
    return [
        Named(query.content, query.id if is_item else None, query.id)
        for query, is_item in zip(queries, items, strict=True)
    ]


def queries_of(encoder: Encoder, queries: Sequence[Item], are_items: Sequence[bool] | None = None) -> list[Any]:
    """Return queries as an encoder reads them."""
    return named_queries(queries, are_items) if reads_ids(encoder) else [query.content for query in queries]
