"""Loading in shards: ``nearby index ... --shard 3/16`` on any machine, then ``--finish``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from encoders.errors import CollectionError, CorpusError, OptionError
from encoders.progress import ProgressCallback, quiet
from indexers.description import Description, parse_description
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.ownership import new_identity
from indexers.elasticsearch.retry import LONG
from retrieval.collection.elasticsearch.bulk_load import Cost, Load, Shard
from retrieval.collection.elasticsearch.collection import ServedCollection
from retrieval.collection.elasticsearch.identity import manifest_identity
from retrieval.collection.elasticsearch.indexing import collection_in, require_free
from retrieval.collection.elasticsearch.manifest import IndexManifest
from retrieval.collection.elasticsearch.publishing import published
from retrieval.collection.elasticsearch.saved_encoders import FittedSpace, saved_spaces
from retrieval.collection.elasticsearch.swap import (
    Build,
    ShardRecord,
    require_all_items,
    require_items,
    require_made_by_nearby,
)
from retrieval.corpora.base import Corpus, OnBad, raise_bad
from retrieval.corpora.item_record import Digested, items_digest
from retrieval.spaces.space_encoder import planned


def index_shard(
    corpus: Corpus,
    specs: Sequence[str],
    index: str,
    shard: Shard,
    on_bad: OnBad = raise_bad,
    say: ProgressCallback = quiet,
) -> Load:
    """Encode and load one shard of a corpus, on any machine; a repeated call changes nothing.

    The corpus is read twice, so that a shard of another corpus is refused before anything is sent.

    Raises
    ------
    OptionError
        For a space that is not the folder of a fitted encoder.
    CollectionError
        When the other shards were read from another corpus.
    """
    description, spaces, admin = _for_shards(specs, index)
    for spec in specs:
        planned(spec, index, corpus.modality)
    digest = items_digest(corpus)
    meta = IndexManifest(corpus.name, corpus.modality, (), digest, shard.of, new_identity())
    build = Build.begin(admin, description, spaces, meta)
    say(f"loading shard {shard.number} of {shard.of} into {build.index}")
    items = Digested(corpus)
    done = build.load(corpus, items, on_bad, shard, corpus.size)
    require_items(done.read, corpus)
    if items.digest != digest:
        raise CorpusError(f"the corpus {corpus.name} changed while it was read: load this shard again")
    build.note_shard(ShardRecord.of_load(shard, done, digest))
    return done


def finish_shards(
    folder: Path,
    specs: Sequence[str],
    index: str,
    corpus: Corpus | None = None,
    say: ProgressCallback = quiet,
    rebuild: bool = False,
) -> ServedCollection:
    """Check that all shards are loaded, serve the index, and write the folder of the collection.

    Raises
    ------
    CollectionError
        When a shard or an item is missing, or another collection is served and `rebuild` is False.
    """
    description, spaces, admin = _for_shards(specs, index)
    collection_in(folder, admin)
    name = admin.behind(admin.next)
    if name is not None:
        meta = IndexManifest.read(admin.meta(name), name)
        if not meta.shards:
            raise _no_shards(admin)
        build = Build.begin(admin, description, spaces, meta)
        records = build.shards()
        if not rebuild:
            require_free(admin, list(build.meta.digests()), build.meta)
        say(f"all {len(records)} shards are loaded; merging and checking {sum(one.items for one in records):,} items")
        build = build.finish(records, manifest_identity(folder) or meta.identity or new_identity())
        costs = build.costs(records)
    else:  # served by a process that was killed before it wrote the folder, or never loaded
        build = _served_shards(admin, description, spaces)
        costs = [Cost() for _ in spaces]
    build.forget_shards()
    return published(folder, corpus, build, costs)


def _served_shards(admin: IndexAdmin, description: Description, spaces: Sequence[FittedSpace]) -> Build:
    _, meta = require_made_by_nearby(admin)
    build = None if meta is None else Build.served(admin, description, spaces, meta)
    if build is None:
        raise _no_shards(admin)
    require_all_items(admin, build.index, build.meta)
    admin.require_alive(build.index)
    return build


def _no_shards(admin: IndexAdmin) -> CollectionError:
    return CollectionError(f"no shards of '{admin.address.name}' are loaded: load them with --shard 1/N, 2/N, ...")


def _for_shards(specs: Sequence[str], index: str) -> tuple[Description, list[FittedSpace], IndexAdmin]:
    description = parse_description(index)
    if description.name != "elasticsearch":
        raise OptionError(f"shards are loaded into --index elasticsearch:..., not into '{index}'")
    return description, saved_spaces(specs), IndexAdmin.named(Address.read(description.backend), LONG)
