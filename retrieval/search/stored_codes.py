"""The codes of all items of a space, wherever they are: in an index, or encoded again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from encoders.batches import chunks
from encoders.codes import Codes, stack_codes
from retrieval.collection.base import Collection
from retrieval.corpora.base import item_bytes

#: Codes that are read at once.
_AT_ONCE = 16_384


def stored_codes(collection: Collection, spec: str) -> Iterator[tuple[Sequence[str], Any]]:
    """Give ids and codes of all items, in parts; a server that keeps codes for itself has the items encoded again."""
    held = collection.codes_of(spec)
    if held.holds_codes:
        ids, codes = held.ids, held.codes()
        for start in range(0, len(ids), _AT_ONCE):
            yield ids[start : start + _AT_ONCE], codes[start : start + _AT_ONCE]
        return
    encoder = collection.space(spec).encoder
    for items in chunks(collection.items, _AT_ONCE, item_bytes):
        yield [item.id for item in items], encoder.encode([item.content for item in items])


def all_codes(collection: Collection, spec: str) -> tuple[list[str], Codes]:
    """Return the ids of all items, and their codes in the same order; codes of an index on disk stay mapped."""
    held = collection.codes_of(spec)
    if held.holds_codes:
        return list(held.ids), held.codes()
    parts = list(stored_codes(collection, spec))
    return [id for ids, _ in parts for id in ids], stack_codes([codes for _, codes in parts])
