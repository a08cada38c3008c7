"""The items of several segments as one corpus, without the removed ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from encoders.codes import Modality
from retrieval.collection.filter_sql import matching_ids
from retrieval.collection.filters import Filter
from retrieval.collection.item_store import ItemStore
from retrieval.collection.items import CollectionItems
from retrieval.collection.segments import Segment
from retrieval.corpora.base import Item, Qrels
from retrieval.corpora.blocks import Block


def items_of(segments: Sequence[Segment], unjudged: Sequence[str]) -> ItemStore | SegmentedItems:
    """Open the items of segments."""
    if len(segments) == 1 and not segments[0].record.removed:
        return segments[0].store(unjudged)
    return SegmentedItems(segments, unjudged)


class SegmentedItems(CollectionItems):
    """The items of segments in their order; the first segment also holds queries and judgements.

    Parameters
    ----------
    segments : sequence of Segment
    unjudged : sequence of str
        Ids of items whose judgements were removed with them.

    Raises
    ------
    ArtifactError
        When a file is missing, or is not an item store.
    """

    def __init__(self, segments: Sequence[Segment], unjudged: Sequence[str]) -> None:
        self._counts = [segment.record.left for segment in segments]
        self.stores = [segment.store(() if at else unjudged) for at, segment in enumerate(segments)]
        self.name, self.modality = self.stores[0].name, self.stores[0].modality

    def __iter__(self) -> Iterator[Item]:
        return (item for store in self.stores for item in store)

    def blocks(self, rows: int, label_field: str | None = None) -> Iterator[Block]:
        """Read the items in columns; see `Corpus.blocks`."""
        return (block for store in self.stores for block in store.blocks(rows, label_field))

    def queries(self) -> Iterator[Item]:
        """Read the queries, or the items if the corpus had no separate queries."""
        return self.stores[0].queries() if self.stores[0].has_queries else iter(self)

    @property
    def has_queries(self) -> bool:
        """True when the corpus had separate queries."""
        return self.stores[0].has_queries

    def qrels(self) -> Qrels | None:
        """Return the judgements; None if there are none."""
        return self.stores[0].qrels()

    @property
    def queries_are_items(self) -> bool:
        """True when queries are items of the corpus."""
        return self.stores[0].queries_are_items

    @property
    def size(self) -> int:
        """Number of items."""
        return sum(self._counts)

    @property
    def bytes_on_disk(self) -> int:
        """Size of the files of the items, removed ones included."""
        return sum(store.bytes_on_disk for store in self.stores)

    def digest(self) -> str:
        """Return a SHA-256 over the digests of the items in their order; it reads them all."""
        whole = hashlib.sha256()
        for store in self.stores:
            for digest in store.item_digests():
                whole.update(digest)
        return whole.hexdigest()

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return items by id, in the order of `ids`; see `CollectionItems.get`."""
        items = {item.id: item for store in self.stores for item in store.present(ids)}
        self._require_present(ids, items)
        return [items[id] for id in ids]

    def page(self, offset: int, limit: int) -> Iterator[Item]:
        """Read some items in their order, from the one at a position (0 is the first)."""
        for store, count in zip(self.stores, self._counts, strict=True):
            if limit > 0 and offset < count:
                yield from store.page(offset, limit)
            limit -= max(0, min(limit, count - offset))
            offset = max(0, offset - count)

    def require(self, ids: Sequence[str]) -> None:
        """Refuse ids that do not exist; see `CollectionItems.require`."""
        self._require_present(ids, self.digests(ids))

    def digests(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the digests of items by id; ids that do not exist are left out."""
        return {id: digest for store in self.stores for id, digest in store.digests(ids).items()}

    def matching(self, filters: Sequence[Filter]) -> list[str]:
        """Return the ids of the items that satisfy every filter; see `CollectionItems.matching`."""
        return matching_ids([store.read for store in self.stores], filters, self.modality is Modality.ROW)

    def labels_and_fields(self, limit: int) -> Iterator[tuple[str | None, Mapping[str, str]]]:
        """Read the label and the other fields of the first items; see `CollectionItems.labels_and_fields`."""
        return islice((pair for store in self.stores for pair in store.labels_and_fields(limit)), limit)

    def close(self) -> None:
        """Close the files."""
        for store in self.stores:
            store.close()

    def _first_ids(self, limit: int) -> list[str]:
        return list(islice((id for store in self.stores for id in store._first_ids(limit)), limit))
