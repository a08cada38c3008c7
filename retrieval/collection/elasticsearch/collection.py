"""A collection whose items and codes are in Elasticsearch; its folder holds the encoders and the address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from encoders.codes import Codes
from encoders.errors import CollectionError, IndexGoneError
from encoders.progress import ProgressCallback, quiet
from indexers.base import Hit, Index
from indexers.description import parse_description
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.bulk import Bulk, OnRejected, raise_rejected
from indexers.elasticsearch.collection_field import CollectionField
from indexers.elasticsearch.fields import WINDOW
from indexers.elasticsearch.index_admin import IndexAdmin, write_alias
from indexers.elasticsearch.keys import key_of
from indexers.elasticsearch.ownership import is_numbered_name
from indexers.elasticsearch.query import run_searches
from retrieval.collection.base import Collection, OpenSpace, T
from retrieval.collection.elasticsearch.bulk_load import Target, load
from retrieval.collection.elasticsearch.changed_items import ChangeSoFar, changed_items
from retrieval.collection.elasticsearch.cleanup import Indexes, indexes_at
from retrieval.collection.elasticsearch.items import ServedItems, clauses
from retrieval.collection.elasticsearch.manifest import IndexManifest
from retrieval.collection.elasticsearch.saved_encoders import field_at
from retrieval.collection.filters import Filter
from retrieval.collection.folder import CollectionFolder
from retrieval.collection.info import CollectionInfo
from retrieval.collection.item_store import ItemStore
from retrieval.collection.items import Change
from retrieval.collection.manifest import ITEMS
from retrieval.corpora.base import Item, raise_bad, unique_ids
from retrieval.spaces.saved_space import ENCODER, SpaceRecord, without_items
from retrieval.spaces.space_encoder import planned


class ServedCollection(Collection):
    """A collection whose items and codes are in Elasticsearch.

    It searches the index that its encoders belong to: the served index or, after a swap, the index before it, which is
    kept until the next one is built.

    Parameters
    ----------
    folder : str or Path
        Holds the encoders.

    Raises
    ------
    CollectionError, ArtifactError
        When there is no collection, or it is damaged.
    ServerError
        When the server cannot be reached, or has no such index.
    """

    items: ServedItems

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._stored = CollectionFolder(self.folder)
        self.manifest = self._stored.manifest
        self.spaces = self.manifest.spaces
        self._open, self._read_before = {}, {}
        self.description = parse_description(self.manifest.server)
        self.admin = IndexAdmin(Address.read(self.description.backend))
        self._queries = ItemStore(self._stored.generation / ITEMS)
        self._attach()
        self.manifest.check_items(self._stored.generation)

    def _attach(self) -> None:
        """Find the index that holds the codes of the encoders in the folder."""
        wanted = {record.spec: record.encoder_digest for record in self.spaces.values()}
        served = self.admin.behind(self.admin.address.name)
        mine = self.manifest.index if is_numbered_name(self.manifest.index, self.admin.address.name) else None
        names = [name for name in dict.fromkeys((served, mine)) if name and self.admin.exists(name)]
        if served is None and not names:
            raise self._gone()
        for name in names:
            meta = IndexManifest.read(self.admin.meta(name), name)
            # without an identity (of an older nearby), the encoders identify the collection
            same_collection = not self.manifest.identity or meta.identity == self.manifest.identity
            if same_collection and meta.digests() == wanted:
                self.index_name, self.meta = name, meta
                manifest = self.manifest
                self.items = ServedItems(
                    self.admin, name, manifest.corpus, manifest.modality, self._queries, meta.is_old
                )
                self._fields = {record.spec: record.field for record in meta.spaces}
                for opened in self._open.values():  # encoders are not read again: the generation may be gone
                    field = self._fields[opened.record.spec]
                    opened.index = field_at(opened.encoder, field, self.description, name)
                return
        if served is None:
            raise self._gone()
        raise CollectionError(
            f"{self._where} was indexed again from another folder than {self.folder}: use that folder, or a copy of it"
        )

    @property
    def _where(self) -> str:
        return f"'{self.admin.address.name}' at {self.admin.address.hosts[0]}"

    def _gone(self) -> IndexGoneError:
        return IndexGoneError(f"the index {self._where} is gone: index the corpus again with --rebuild")

    @property
    def generation(self) -> int:
        """The number of the folder's generation, which a new index increases, but a change of items does not."""
        return self._stored.number

    @property
    def items_digest(self) -> str:
        """SHA-256 of the items in their order: of the corpus, or read from the server after a change."""
        return self.meta.items or self.items.digest()

    def server_indexes(self) -> Indexes:
        """Return the indexes at the address of the collection; see `Collection.server_indexes`."""
        return indexes_at(self.manifest.server, self.manifest.identity)

    def info(self) -> CollectionInfo:
        """Return what the collection holds; new items count with the mean size of the codes that were loaded."""
        info, loaded = super().info(), max(1, self.manifest.count)
        records = tuple(without_items(record, loaded - info.items, loaded) for record in info.spaces)
        return replace(info, spaces=records)

    def _bytes(self) -> int:
        return self._stored.bytes + self.admin.bytes(self.index_name)

    def _unfinished(self) -> tuple[str, ...]:
        return self._stored.unfinished

    def space(self, spec: str) -> OpenSpace:
        """Open a space; see `Collection.space`."""
        spec = self.resolve(spec)
        if spec not in self._open:
            self._open[spec] = self._opened(self.spaces[spec])
        return self._open[spec]

    def codes_of(self, spec: str) -> Index:
        """Return the index of a space, which fetches codes from the server when they are needed."""
        return self.space(spec).index

    def search(self, queries: Sequence[tuple[str, Codes]], k: int, filters: Sequence[Filter] = ()) -> list[list[Hit]]:
        """Return the best `k` hits in each space, all in one request; see `Collection.search`."""
        only = clauses(filters, self.meta.is_old)
        hits = self.read_consistently(lambda: self._hits(queries, k, only))
        if filters and not any(hits) and not self.admin.count(self.index_name, {"bool": {"filter": only}}):
            raise self.items.none_matches(filters)
        return hits

    def read_consistently(self, read: Callable[[], T]) -> T:
        """Return the result of `read`; if the index was removed, `read` is called again on the new one."""
        try:
            return read()
        except IndexGoneError:  # the collection was rebuilt twice since it was opened
            self._attach()
            return read()

    def _hits(self, queries: Sequence[tuple[str, Codes]], k: int, filters: Sequence[dict[str, Any]]) -> list[list[Hit]]:
        fields = [self._field(spec) for spec, _ in queries]
        searches = [one.search_bodies(codes, k, filters)[0] for one, (_, codes) in zip(fields, queries, strict=True)]
        several = self.admin.address.shards > 1 and any(one.stores_counts for one in fields)
        results = run_searches(self.admin, self.index_name, searches, min(k, WINDOW), several)
        return [
            one.hits_of(codes, [answers])[0] for one, (_, codes), answers in zip(fields, queries, results, strict=True)
        ]

    def _field(self, spec: str) -> CollectionField:
        index = self.space(spec).index
        assert isinstance(index, CollectionField)  # noqa: S101
        return index

    def _opened(self, record: SpaceRecord) -> OpenSpace:
        self._stored.require_unchanged(record)
        encoder = self._encoder(record, self._stored.space_folder(record) / ENCODER)
        index = field_at(encoder, self._fields[record.spec], self.description, self.index_name)
        return OpenSpace(record, encoder, index)

    def _kept_index(self, record: SpaceRecord, opened: OpenSpace) -> Index | None:
        return None  # it is a field of an index on the server, which a new generation replaces

    # -- changing ----------------------------------------------------------------------------------------------

    def add_space(self, spec: str, index: str | None = None, say: ProgressCallback = quiet) -> ServedCollection:
        """Add a space: load the items into a new index that has it too, then serve that; see `Collection.add_space`."""
        from retrieval.collection.elasticsearch.indexing import index_served  # which opens collections

        self._require_new(planned(spec, index, self.items.modality))
        served = self.manifest.server
        return index_served(self.folder, self.items, [spec], served if index is None else index, say=say)

    def put(self, items: Iterable[Item], say: ProgressCallback = quiet) -> tuple[ServedCollection, Change]:
        """Add items and replace changed ones; items that were sent before a failure stay."""
        self._require_writable()
        self.meta.require_new()
        targets = [Target(self.space(spec).encoder, self._field(spec)) for spec in self.spaces]
        self.admin.refresh(self.index_name)  # documents that a killed process added count for the last position too
        change = ChangeSoFar()
        first = self.items.last_position + 1
        with self._marked_as_changed() as bulk:
            changed = changed_items(unique_ids(items), self.items, change)
            load(changed, targets, bulk, self.items.modality, raise_bad, first_position=first)
        self._refresh()
        return self, Change(change.added, change.changed, change.unchanged)

    def delete(self, ids: Sequence[str], say: ProgressCallback = quiet) -> ServedCollection:
        """Remove items from the index; see `Collection.delete`."""
        self._require_writable()
        self.items.require(ids)
        self._require_some_left(ids)
        with self._marked_as_changed() as opened, opened() as bulk:
            for id in dict.fromkeys(ids):
                bulk.delete(key_of(id))
        self._refresh()
        return self

    def compact(self, say: ProgressCallback = quiet) -> ServedCollection:
        """Let Elasticsearch merge the segments of the index; see `Collection.compact`."""
        self._require_writable()
        say(f"Elasticsearch merges the segments of {self._where}")
        self.admin.merge(self.index_name)
        return self

    def close(self) -> None:
        """Release the files of the folder; the connection is shared by all collections on the server."""
        self._queries.close()
        self._open.clear()
        self._stored.close()

    @contextmanager
    def _marked_as_changed(self) -> Iterator[Callable[..., Bulk]]:
        """Yield a function that opens a `Bulk`; before it sends anything, the manifest is marked as changed.

        The mark comes first, as the process may be killed. It is removed again if every request was refused.
        """
        before = self.meta
        opened: list[Bulk] = []

        def bulk(on_rejected: OnRejected = raise_rejected) -> Bulk:
            hosts, alias = self.admin.address.hosts, write_alias(self.index_name)
            opened.append(Bulk(self.admin.client, hosts, alias, on_rejected, before_first=self._note_change))
            return opened[-1]

        try:
            yield bulk
        except BaseException:
            if self.meta is not before and not any(one.wrote for one in opened):
                self.meta = before
                self.admin.set_meta(self.index_name, before.to_json())
            raise

    def _require_writable(self) -> None:
        """Refuse to write to an index that is not served, or that has no node."""
        require_served(self)
        self.admin.require_alive(self.index_name)

    def _refresh(self) -> None:
        """Make written items visible, also to open spaces, which hold a list of ids.

        Raises
        ------
        CollectionError
            When another index was swapped in at the same time, which lacks the change.
        """
        self.admin.refresh(self.index_name)
        self._open.clear()
        if self.admin.behind(self.admin.address.name) != self.index_name:
            raise CollectionError(
                f"{self._where} was indexed again while it was changed, and the new index lacks the change: "
                "run the same command again"
            )

    def _note_change(self) -> None:
        """Mark the manifest: the items are no longer those of the corpus."""
        changed = self.meta.changed()
        self.admin.set_meta(self.index_name, changed.to_json())
        self.meta = changed


def require_served(collection: ServedCollection) -> None:
    """Refuse to write to an index that was replaced.

    Raises
    ------
    CollectionError
    """
    collection._attach()
    if collection.admin.behind(collection.admin.address.name) != collection.index_name:
        raise CollectionError(
            f"{collection._where} was indexed again from another folder than {collection.folder}: use that folder, or "
            "index the corpus again with --rebuild"
        )
