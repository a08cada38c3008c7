"""A collection whose items and codes are in Elasticsearch; its folder holds the encoders, and where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from encoders.base import Encoder
from encoders.batches import chunks
from encoders.codes import Codes
from encoders.errors import CollectionError, IndexGoneError, OptionError
from encoders.progress import ProgressCallback, quiet
from indexers.base import Hit, Index
from indexers.description import parse_description
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.bulk import Bulk, OnRejected, raise_rejected
from indexers.elasticsearch.collection_field import CollectionField
from indexers.elasticsearch.fields import WINDOW
from indexers.elasticsearch.index_admin import Site, write_alias
from indexers.elasticsearch.keys import key_of
from indexers.elasticsearch.ownership import is_numbered_name
from indexers.elasticsearch.query import searched
from retrieval.collection.elasticsearch.bulk_load import CHUNK, Target, load
from retrieval.collection.elasticsearch.items import ServedItems, clauses
from retrieval.collection.elasticsearch.manifest import Meta
from retrieval.collection.elasticsearch.saved_encoders import FittedSpace, field_at
from retrieval.collection.filters import Filter
from retrieval.collection.item_store import Change, ItemStore
from retrieval.collection.local import ITEMS, Collection
from retrieval.corpora.base import Item, item_bytes, raise_bad
from retrieval.corpora.item_record import item_digest
from retrieval.spaces.saved_space import ENCODER, SpaceRecord


@dataclass
class Growing:
    """A `Change` while it happens."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0


class ServedCollection(Collection):
    """A collection in Elasticsearch.

    It searches the index that its encoders belong to: the one that is served now or, while another is put in its
    place by somebody, the one from before, which stays until the next is built.

    Parameters
    ----------
    folder : str or Path
        Where the encoders lie.

    Raises
    ------
    CollectionError, ArtifactError
        When there is none, or it is damaged.
    ServerError
        When the server cannot be reached, or has no such index.
    """

    items: ServedItems  # type: ignore[assignment]  # a corpus either way

    def _read_items(self) -> None:
        self.description = parse_description(self.manifest.server)
        self.site = Site(Address.read(self.description.backend))
        self._asked = ItemStore(self._present / ITEMS)
        self._attach()

    def _attach(self) -> None:
        """Find the index that holds the codes of our encoders."""
        wanted = {record.spec: record.encoder_digest for record in self.spaces.values()}
        served = self.site.behind(self.site.address.name)
        mine = self.manifest.index if is_numbered_name(self.manifest.index, self.site.address.name) else None
        names = [name for name in dict.fromkeys((served, mine)) if name and self.site.exists(name)]
        if served is None and not names:
            raise self._gone()
        for name in names:
            meta = Meta.read(self.site.meta(name), name)
            # an older nearby kept no identity: then its encoders are what tells a collection from another
            own = not self.manifest.identity or meta.identity == self.manifest.identity
            if own and meta.digests() == wanted:
                self.index_name, self.meta = name, meta
                manifest = self.manifest
                self.items = ServedItems(self.site, name, manifest.corpus, manifest.modality, self._asked)
                self._fields = {record.spec: record.field for record in meta.spaces}
                for opened in self._open.values():  # not read again: the folder's generation may be gone
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
        return f"'{self.site.address.name}' at {self.site.address.hosts[0]}"

    def _gone(self) -> IndexGoneError:
        return IndexGoneError(f"the index {self._where} is gone: index the corpus again with --rebuild")

    @property
    def items_digest(self) -> str:
        """Digest of the items, empty once they were changed."""
        return self.meta.items

    @property
    def bytes(self) -> int:
        """Size on disk: of the folder, and of one copy of the index."""
        return super().bytes + self.site.bytes(self.index_name)

    def codes_of(self, spec: str) -> Index:
        """Return the index of a space, which fetches the codes that it is asked for."""
        return self.space(spec).index

    def hits(self, asked: Sequence[tuple[str, Codes]], k: int, filters: Sequence[Filter] = ()) -> list[list[Hit]]:
        """Return the best `k` hits in each space, all asked in one round trip; see `Collection.hits`."""
        try:
            found = self._hits(asked, k, clauses(filters))
        except IndexGoneError:
            self._attach()  # it was rebuilt twice since we looked
            found = self._hits(asked, k, clauses(filters))
        if filters and not any(found) and not self.site.count(self.index_name, {"bool": {"filter": clauses(filters)}}):
            raise self.items.none_matches(filters)
        return found

    def _hits(self, asked: Sequence[tuple[str, Codes]], k: int, only: Sequence[dict[str, Any]]) -> list[list[Hit]]:
        fields = [self._field(spec) for spec, _ in asked]
        searches = [one.asking(codes, k, only)[0] for one, (_, codes) in zip(fields, asked, strict=True)]
        several = self.site.address.shards > 1 and any(one.stores_counts for one in fields)
        found = searched(self.site, self.index_name, searches, min(k, WINDOW), several)
        return [one.hits_of(codes, [answers])[0] for one, (_, codes), answers in zip(fields, asked, found, strict=True)]

    def _field(self, spec: str) -> CollectionField:
        index = self.space(spec).index
        assert isinstance(index, CollectionField)  # noqa: S101
        return index

    def _load(self, record: SpaceRecord, mmap: bool) -> tuple[Encoder, Index]:
        self._require_unchanged(record, {ENCODER: record.encoder_digest})
        encoder = Encoder.load(self._folder_of(record) / ENCODER)
        return encoder, field_at(encoder, self._fields[record.spec], self.description, self.index_name)

    # -- writing -----------------------------------------------------------------------------------------------

    def add_space(self, spec: str, index: str | None = None, say: ProgressCallback = quiet) -> Collection:
        """Refuse: an index has its spaces from the beginning."""
        raise OptionError(
            f"'{self.site.address.name}' has its spaces from the beginning: to have '{spec}' too, run  nearby index  "
            "with the corpus, this folder and this space"
        )

    def fitted(self) -> list[FittedSpace]:
        """Return its spaces as a load takes them: the encoders stay as they are."""
        return [
            FittedSpace.at(self._folder_of(record) / ENCODER, record.fit_seconds) for record in self.spaces.values()
        ]

    def put(self, items: Iterable[Item], say: ProgressCallback = quiet) -> tuple[Collection, Change]:
        """Add items and replace changed ones, in every space; what was done when it fails is done."""
        self._require_writable()
        targets = [Target(self.space(spec).encoder, self._field(spec)) for spec in self.spaces]
        self.site.refresh(self.index_name)  # what a killed process has added counts for the last place too
        change = Growing()
        first = self.items.last_position + 1
        with self._noted() as bulk:
            load(self._new(items, change), targets, bulk, self.items.modality, raise_bad, first_position=first)
        self._settled()
        return self, Change(change.added, change.changed, change.unchanged)

    def delete(self, ids: Sequence[str]) -> Collection:
        """Remove items from every space."""
        self._require_writable()
        self.items.require(ids)
        if len(set(ids)) >= self.items.size:
            raise CollectionError("this would remove every item: delete the index and the folder instead")
        with self._noted() as opened, opened() as bulk:
            for id in dict.fromkeys(ids):
                bulk.delete(key_of(id))
        self._settled()
        return self

    def _new(self, items: Iterable[Item], change: Growing) -> Iterator[Item]:
        """Pass on the items that are not there as they are."""
        for chunk in chunks(items, CHUNK, item_bytes):
            known = self.items.present.digests([item.id for item in chunk])
            for item in chunk:
                if known.get(item.id) == item_digest(item).hex():
                    change.unchanged += 1
                    continue
                (change.changed if item.id in known else change.added).append(item.id)
                yield item

    @contextmanager
    def _noted(self) -> Iterator[Callable[..., Bulk]]:
        """Yield what opens a `Bulk`: before it sends anything, the index says that its items are no longer the corpus'.

        It says so before, as we may be killed; when all was refused, and nothing written, it says again what it did.
        """
        before = self.meta
        opened: list[Bulk] = []

        def bulk(on_rejected: OnRejected = raise_rejected) -> Bulk:
            hosts, alias = self.site.address.hosts, write_alias(self.index_name)
            opened.append(Bulk(self.site.client, hosts, alias, on_rejected, before_first=self._note_change))
            return opened[-1]

        try:
            yield bulk
        except BaseException:
            if self.meta is not before and not any(one.wrote for one in opened):
                self.meta = before
                self.site.set_meta(self.index_name, before.to_json())
            raise

    def require_served(self) -> None:
        """Refuse to write to an index that another has taken the place of.

        Raises
        ------
        CollectionError
        """
        self._attach()
        if self.site.behind(self.site.address.name) != self.index_name:
            raise CollectionError(
                f"{self._where} was indexed again from another folder than {self.folder}: use that folder, or index "
                "the corpus again with --rebuild"
            )

    def _require_writable(self) -> None:
        """Refuse to write where nobody would read it, or where the server would try for minutes."""
        self.require_served()
        self.site.require_alive(self.index_name)

    def _settled(self) -> None:
        """Make what was written seen, also by the spaces that are open: they hold a list of ids.

        Raises
        ------
        CollectionError
            When another index was put in the place of this one meanwhile, which does not have it.
        """
        self.site.refresh(self.index_name)
        self._open.clear()
        if self.site.behind(self.site.address.name) != self.index_name:
            raise CollectionError(
                f"{self._where} was indexed again while it was changed, and the new index lacks the change: "
                "run the same command again"
            )

    def _note_change(self) -> None:
        """Its items are no longer those of the corpus it was made of."""
        changed = self.meta.changed()
        self.site.set_meta(self.index_name, changed.to_json())
        self.meta = changed
