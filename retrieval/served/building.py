"""A corpus into a new index of Elasticsearch, at once or in parts, and the swap that serves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from encoders.errors import CollectionError, CorpusError
from indexers.elasticsearch.bulk import Bulk
from indexers.elasticsearch.site import Site, write_alias
from indexers.registry import Description
from retrieval.corpora.base import Corpus, OnBad
from retrieval.served.items import Present
from retrieval.served.loading import Cost, Load, Part, load
from retrieval.served.meta import Meta
from retrieval.served.spaces import FittedSpace, layout_of, targets_of, written

#: How a record of a part is called; no item's key begins so.
PART_KEY = "~part"


@dataclass(frozen=True)
class Build:
    """An index that is being loaded."""

    site: Site
    description: Description
    index: str
    meta: Meta
    spaces: tuple[FittedSpace, ...]
    going_on: bool

    @classmethod
    def begin(cls, site: Site, description: Description, spaces: Sequence[FittedSpace], meta: Meta) -> Build:
        """Make the index, or go on with one of the same corpus and spaces that was left.

        Raises
        ------
        CollectionError
            When another load of this name is unfinished.
        """
        layout, records = layout_of(spaces, site, description)
        wanted = Meta(meta.corpus, meta.modality, records, meta.items, meta.parts)
        require_own(site)
        name, going_on = site.behind(site.next), True
        if name is None:
            name = site.fresh_name()
            going_on = not site.create(name, site.next, layout, wanted.to_json())
        found = Meta.read(site.meta(name), name)
        if (found.digests(), found.items, found.parts) != (wanted.digests(), wanted.items, wanted.parts):
            raise CollectionError(
                f"another load of '{site.address.name}' is unfinished (corpus {found.corpus}, spaces "
                f"{', '.join(found.digests())}): finish it, or remove it with  nearby info "
                f"{written(description)} --clean"
            )
        site.require_alive(name)
        return cls(site, description, name, found, tuple(spaces), going_on)

    @classmethod
    def served(cls, site: Site, description: Description, spaces: Sequence[FittedSpace], meta: Meta) -> Build | None:
        """Return the index that is served when it is this one: it was put in place, and its maker killed just then."""
        name, found = require_own(site)
        if name is None or found is None or found.items != meta.items:
            return None
        if found.digests() != {space.spec: space.digest for space in spaces}:
            return None
        return cls(site, description, name, found, tuple(spaces), True)

    def load(self, corpus: Corpus, items: Any, on_bad: OnBad, part: Part, total: int | None) -> Load:
        """Send the items of one part that are not there yet."""
        present = Present(self.site, self.index) if self.going_on else None
        targets = targets_of(self.spaces, self.meta.spaces, self.description, self.index)
        return load(items, targets, self._bulk, corpus.modality, on_bad, present, part, total=total)

    def finish(self, count: int) -> None:
        """Make the index fit to be served, count it, and serve it in the place of the one before.

        Raises
        ------
        CollectionError
            When an item is missing: what was served before still is.
        """
        self.site.settle(self.index)
        found = self.site.count(self.index)
        if found != count:
            raise CollectionError(
                f"the new index '{self.index}' holds {found:,} of {count:,} items, so it was not put in place: "
                "run the same command again (two items of one id count as one)"
            )
        self.site.swap(self.index)
        ours = self.site.ours()
        before = ours[: ours.index(self.index)]
        self.site.remove(before[:-1])  # the last is still searched by whoever opened it before the swap

    def note_part(self, part: Part, done: Load, digest: str) -> None:
        """Write down that a part is there, and the digest of all items of its corpus."""
        import orjson

        record: dict[str, Any] = {"number": part.number, "of": part.of, "read": done.read, "items": done.items}
        record["digest"] = digest
        record["costs"] = [asdict(cost) for cost in done.costs]
        with self._bulk() as bulk:
            bulk.put(f"{PART_KEY} {part.number}", orjson.dumps({"part": record}))

    def parts(self) -> list[dict[str, Any]]:
        """Return the records of the parts that are there.

        Raises
        ------
        CollectionError
            When one is missing, or they were made from different corpora.
        """
        keys = [f"{PART_KEY} {number}" for number in range(1, self.meta.parts + 1)]
        documents = self.site.documents(self.index, keys, ["part"])
        missing = [number for number, document in enumerate(documents, 1) if not document.get("found")]
        if missing:
            named = ", ".join(f"{number}/{self.meta.parts}" for number in missing[:8])
            raise CollectionError(
                f"{len(missing)} of {self.meta.parts} parts of '{self.site.address.name}' are not loaded: "
                f"load {named}{', …' if len(missing) > 8 else ''} with --shard"
            )
        records = [document["_source"]["part"] for document in documents]
        if len({record["read"] for record in records}) > 1:
            counts = ", ".join(f"{record['read']:,} for part {record['number']}" for record in records[:8])
            raise CollectionError(f"the parts were not read from the same corpus: it had {counts} items")
        others = [record["number"] for record in records if record["digest"] != records[0]["digest"]]
        if others:
            raise CollectionError(
                f"part {others[0]} was not read from the same corpus as part 1: its items are others; load it again"
            )
        return records

    def costs(self, records: Sequence[dict[str, Any]]) -> list[Cost]:
        """Return what the codes of each space have cost in all parts together."""
        return [
            Cost(sum(cost["encode_seconds"] for cost in costs), sum(cost["code_bytes"] for cost in costs))
            for costs in zip(*(record["costs"] for record in records), strict=True)
        ]

    def note_items(self, digest: str) -> None:
        """Write down of which items the index is made, which no part alone could say."""
        self.site.set_meta(self.index, replace(self.meta, items=digest).to_json())

    def forget_parts(self) -> None:
        """Remove the records of parts from the index, which is served now: it then holds items alone."""
        with self._bulk() as bulk:
            for number in range(1, self.meta.parts + 1):
                bulk.delete(f"{PART_KEY} {number}")

    def _bulk(self, *refused: Any) -> Bulk:
        return Bulk(self.site.client, self.site.address.hosts, write_alias(self.index), *refused)


def require_own(site: Site) -> tuple[str | None, Meta | None]:
    """Return the index that is served and what it says of itself; neither where the name is free.

    Raises
    ------
    ServerError
        When nearby has not made it, or it is no collection: nothing takes its place.
    """
    name = site.behind(site.address.name)
    return (None, None) if name is None else (name, Meta.read(site.meta(name), name))


def require_items(items: int, corpus: Corpus) -> None:
    """Refuse to serve nothing.

    Raises
    ------
    CorpusError
    """
    if not items:
        raise CorpusError(f"the corpus {corpus.name} holds no items")
