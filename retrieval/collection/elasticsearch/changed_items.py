"""The items of `put` that are new to a served collection, or differ from its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from encoders.batches import chunks
from retrieval.collection.elasticsearch.bulk_load import CHUNK
from retrieval.collection.elasticsearch.items import ServedItems
from retrieval.corpora.base import Item, item_bytes
from retrieval.corpora.item_record import item_digest, require_modality


@dataclass
class ChangeSoFar:
    """The changes of `put` so far; see `Change`."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0


def changed_items(items: Iterable[Item], served: ServedItems, change: ChangeSoFar) -> Iterator[Item]:
    """Yield the items that are new or changed, and count all of them in `change`."""
    for chunk in chunks(items, CHUNK, item_bytes):
        known = served.present.digests([item.id for item in chunk])
        for item in chunk:
            require_modality(item, served.modality)
            if known.get(item.id) == item_digest(item).hex():
                change.unchanged += 1
                continue
            (change.changed if item.id in known else change.added).append(item.id)
            yield item
