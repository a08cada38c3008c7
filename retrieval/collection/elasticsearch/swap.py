"""Blue-green deployment: a corpus is loaded into a new index, at once or in shards, which is then swapped in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from encoders.errors import CollectionError, CorpusError
from indexers.description import Description
from indexers.elasticsearch.bulk import Bulk
from indexers.elasticsearch.index_admin import IndexAdmin, write_alias
from indexers.elasticsearch.ownership import next_free_name, superseded_indexes
from retrieval.collection.elasticsearch.bulk_load import Cost, Load, Shard, load
from retrieval.collection.elasticsearch.checksum import differing, held_checksums, total
from retrieval.collection.elasticsearch.items import Present
from retrieval.collection.elasticsearch.manifest import IndexManifest
from retrieval.collection.elasticsearch.saved_encoders import FittedSpace, mapping_of, targets_of
from retrieval.corpora.base import Corpus, OnBad

#: The beginning of the key of a shard's record; no item has such a key.
SHARD_KEY = "~part"
#: Number of names that are tried, as another process may take a free name at the same moment.
_TRIES = 20


@dataclass(frozen=True)
class ShardRecord:
    """The record of a loaded shard on the server: the number of its items, and their checksum."""

    number: int
    of: int
    read: int
    items: int
    checksum: str
    digest: str
    costs: tuple[Cost, ...]

    @classmethod
    def of_load(cls, shard: Shard, done: Load, digest: str) -> Self:
        """Return the record of a shard of a corpus with this digest."""
        return cls(*shard, done.read, done.items, done.checksum.value, digest, tuple(done.costs))

    @classmethod
    def read_from(cls, value: dict[str, Any], name: str) -> Self:
        """Read a record.

        Raises
        ------
        CollectionError
            When it is damaged, or written by an older nearby.
        """
        try:
            costs = tuple(Cost(**cost) for cost in value["costs"])
            number, of, read, items = (int(value[key]) for key in ("number", "of", "read", "items"))
            return cls(number, of, read, items, str(value["checksum"]), str(value["digest"]), costs)
        except (KeyError, TypeError, ValueError) as error:
            raise CollectionError(
                f"the record of a shard of '{name}' is damaged or written by an older nearby ({error}): remove the "
                "load with  nearby info elasticsearch:URL/NAME --clean --yes , and load its shards again"
            ) from None


@dataclass(frozen=True)
class Build:
    """An index that is being loaded."""

    admin: IndexAdmin
    description: Description
    index: str
    meta: IndexManifest
    spaces: tuple[FittedSpace, ...]
    resuming: bool

    @classmethod
    def begin(
        cls, admin: IndexAdmin, description: Description, spaces: Sequence[FittedSpace], meta: IndexManifest
    ) -> Build:
        """Create the index, or resume an unfinished load of the same corpus and spaces.

        A load of another collection is not touched; all shards of one load belong to one collection.

        Raises
        ------
        CollectionError
            When another load of this name is unfinished.
        """
        mapping, records = mapping_of(spaces, admin, description)
        wanted = replace(meta, spaces=records)
        require_made_by_nearby(admin)
        name, resuming = admin.behind(admin.next), True
        for _ in range(_TRIES):
            if name is not None:
                break
            fresh = next_free_name(admin)
            resuming = not admin.create(fresh, admin.next, mapping, wanted.to_json())
            name = admin.behind(admin.next) if resuming else fresh
        if name is None:
            raise CollectionError(
                f"no free name for an index of '{admin.address.name}': choose another name in the address"
            )
        manifest = IndexManifest.read(admin.meta(name), name)
        _require_same_load(manifest, wanted, admin.address.name, str(description))
        if manifest.is_old:
            raise CollectionError(
                f"an older nearby began a load of '{name}' and did not finish it: remove it with  nearby info "
                f"{description} --clean --yes"
            )
        admin.require_alive(name)
        return cls(admin, description, name, manifest, tuple(spaces), resuming)

    @classmethod
    def served(
        cls, admin: IndexAdmin, description: Description, spaces: Sequence[FittedSpace], meta: IndexManifest
    ) -> Build | None:
        """Return this index if it is served already: its process was killed right after the swap."""
        name, served = require_made_by_nearby(admin)
        if name is None or served is None or served.items != meta.items:
            return None
        if served.digests() != {space.spec: space.digest for space in spaces}:
            return None
        return cls(admin, description, name, served, tuple(spaces), True)

    def load(self, corpus: Corpus, items: Any, on_bad: OnBad, shard: Shard, total: int | None) -> Load:
        """Send the items of one shard that the index does not hold yet."""
        present = Present(self.admin, self.index) if self.resuming else None
        targets = targets_of(self.spaces, self.meta.spaces, self.description, self.index)
        return load(items, targets, self._bulk, corpus.modality, on_bad, present, shard, total=total)

    def finish(self, records: Sequence[ShardRecord], identity: str) -> Build:
        """Prepare the index for serving, check every item, and swap it in.

        Parameters
        ----------
        records : sequence of ShardRecord
            The record of each shard, in their order; a load without shards has one.
        identity : str
            Of the collection that owns the index.

        Raises
        ------
        CollectionError
            When an item is missing, doubled or different; the index that was served stays served.
        """
        self.admin.settle(self.index)
        count = sum(record.items for record in records)
        indexed = self.admin.count(self.index)
        held = held_checksums(self.admin, self.index, len(records), Shard.number_at) if indexed == count else []
        wrong = differing([(record.items, record.checksum) for record in records], held) if held else []
        if indexed != count or wrong:
            raise CollectionError(self._why_wrong(indexed, count, wrong))
        done = replace(
            self,
            meta=replace(
                self.meta, identity=identity, count=count, checksum=total(record.checksum for record in records)
            ),
        )
        self.admin.set_meta(self.index, done.meta.to_json())
        self.admin.swap(self.index)
        self.admin.remove(superseded_indexes(self.admin, self.index, identity))
        return done

    def _why_wrong(self, indexed: int, count: int, wrong: Sequence[int]) -> str:
        """Return a sentence that says what is wrong with the items of the index, and what to do."""
        clean = f"remove it with  nearby info {self.description!s} --clean --yes  and load the corpus again"
        again = "load every shard again with --shard" if self.meta.shards else "run the same command again"
        if indexed > count:
            cure = f"it holds items of another load: {clean}"
        elif indexed < count:
            cure = f"{again}; if as many are missing then, two items have the same id: make ids unique"
        else:
            cure = f"some items or positions differ: {clean}"
        where = f" (shard {', '.join(map(str, wrong[:8]))})" if wrong and self.meta.shards else ""
        return f"the new index '{self.index}' holds {indexed:,} of {count:,} items{where}, so it is not served: {cure}"

    def note_shard(self, record: ShardRecord) -> None:
        """Write the record of a loaded shard, with the digest of all items of its corpus."""
        import orjson

        with self._bulk() as bulk:
            bulk.put(f"{SHARD_KEY} {record.number}", orjson.dumps({"part": asdict(record)}))

    def shards(self) -> list[ShardRecord]:
        """Return the records of all shards.

        Raises
        ------
        CollectionError
            When one is missing, or was read from another corpus.
        """
        keys = [f"{SHARD_KEY} {number}" for number in range(1, self.meta.shards + 1)]
        documents = self.admin.documents(self.index, keys, ["part"])
        missing = [number for number, document in enumerate(documents, 1) if not document.get("found")]
        if missing:
            named = ", ".join(f"{number}/{self.meta.shards}" for number in missing[:8])
            raise CollectionError(
                f"{len(missing)} of {self.meta.shards} shards of '{self.admin.address.name}' are not loaded: "
                f"load {named}{', …' if len(missing) > 8 else ''} with --shard"
            )
        name = self.admin.address.name
        records = [ShardRecord.read_from(document["_source"]["part"], name) for document in documents]
        others = [record.number for record in records if record.digest != self.meta.items]
        if others:
            raise CollectionError(
                f"shard {others[0]} of '{name}' was read from another corpus than the other shards: "
                f"load {others[0]}/{self.meta.shards} again with --shard, from their corpus"
            )
        return records

    def costs(self, records: Sequence[ShardRecord]) -> list[Cost]:
        """Return the cost of the codes of each space, summed over all shards."""
        return [
            Cost(sum(cost.encode_seconds for cost in costs), sum(cost.code_bytes for cost in costs))
            for costs in zip(*(record.costs for record in records), strict=True)
        ]

    def forget_shards(self) -> None:
        """Remove the records of shards from the served index."""
        with self._bulk() as bulk:
            for number in range(1, self.meta.shards + 1):
                bulk.delete(f"{SHARD_KEY} {number}")

    def _bulk(self, *refused: Any) -> Bulk:
        return Bulk(self.admin.client, self.admin.address.hosts, write_alias(self.index), *refused)


def _require_same_load(begun: IndexManifest, wanted: IndexManifest, name: str, address: str) -> None:
    """Refuse to resume a load of other items, spaces or shards, or of another collection."""
    same_encoders = begun.digests() == wanted.digests()
    sharded = wanted.shards > 0 and begun.shards == wanted.shards
    if same_encoders and sharded and begun.items and wanted.items and begun.items != wanted.items:
        raise CollectionError(
            f"the corpus {wanted.corpus} is not the one that the shards of '{name}' are read from (corpus "
            f"{begun.corpus}): give --shard the same corpus, or remove what is loaded with  nearby info {address} "
            "--clean --yes"
        )
    same = same_encoders and begun.items == wanted.items and begun.shards == wanted.shards
    if not (same and (sharded or (begun.identity and begun.identity == wanted.identity))):
        raise CollectionError(
            f"another load of '{name}' is unfinished (corpus {begun.corpus}, spaces {', '.join(begun.digests())}): "
            f"finish it, or remove it with  nearby info {address} --clean --yes"
        )


def require_made_by_nearby(admin: IndexAdmin) -> tuple[str | None, IndexManifest | None]:
    """Return the served index and its manifest; None for both if nothing is served.

    Raises
    ------
    ServerError
        When nearby did not make it, or it is not a collection.
    """
    name = admin.behind(admin.address.name)
    return (None, None) if name is None else (name, IndexManifest.read(admin.meta(name), name))


def require_items(items: int, corpus: Corpus) -> None:
    """Refuse a corpus without items.

    Raises
    ------
    CorpusError
    """
    if not items:
        raise CorpusError(f"the corpus {corpus.name} holds no items")


def require_all_items(admin: IndexAdmin, index: str, meta: IndexManifest) -> None:
    """Refuse a collection whose items were changed on the server by another program.

    Raises
    ------
    CollectionError
    """
    if meta.count < 0:
        return
    count = admin.count(index)
    if count == meta.count and held_checksums(admin, index, 1, Shard.number_at)[0].value == meta.checksum:
        return
    what = f"{count:,} of the {meta.count:,} items" if count != meta.count else "other items than those"
    raise CollectionError(
        f"'{index}' holds {what} that were loaded into it: another program changed it; index the corpus again "
        "with --rebuild"
    )
