"""Notes on a row that is a query: its categories that the space does not know."""

from __future__ import annotations

from encoders.base import Encoder
from encoders.progress import say_once
from encoders.row import Row
from retrieval.search.query import Query


def say_new_categories(encoder: Encoder, query: Query) -> None:
    """Say which categories of a row count as others in a space; an item of the collection is taken as it is."""
    from encoders.table.columns import Columns

    first = encoder.parts[0]
    if query.item_id is None and isinstance(query.content, Row) and isinstance(first, Columns):
        for line in first.new_categories(query.content):
            say_once(line)
