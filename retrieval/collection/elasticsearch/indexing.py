"""Indexing in Elasticsearch, ``nearby index ... --index elasticsearch:...``: fit, load, swap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from encoders.atomic_write import remove_at_once
from encoders.codes import Modality
from encoders.errors import CollectionError, NearbyError, OptionError
from encoders.progress import ProgressCallback, quiet
from indexers.description import parse_description
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.retry import LONG
from retrieval.collection.elasticsearch.bulk_load import Cost, Shard
from retrieval.collection.elasticsearch.collection import ServedCollection, require_served
from retrieval.collection.elasticsearch.identity import identity_of, note_identity
from retrieval.collection.elasticsearch.manifest import IndexManifest
from retrieval.collection.elasticsearch.publishing import published
from retrieval.collection.elasticsearch.saved_encoders import FittedSpace, require_servable
from retrieval.collection.elasticsearch.swap import (
    Build,
    ShardRecord,
    require_all_items,
    require_items,
    require_made_by_nearby,
)
from retrieval.collection.generations import WORK, Generations
from retrieval.collection.indexing import require_same_encoder
from retrieval.collection.manifest import Manifest
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Corpus, OnBad, raise_bad, unique_ids
from retrieval.corpora.item_record import Digested
from retrieval.spaces.fit import begun, fitted
from retrieval.spaces.saved_space import ENCODER, folder_name
from retrieval.spaces.space_encoder import planned, require_fields
from retrieval.spaces.training_history import training_seconds


def index_served(
    folder: Path,
    corpus: Corpus,
    specs: Sequence[str],
    index: str,
    on_bad: OnBad = raise_bad,
    say: ProgressCallback = quiet,
    rebuild: bool = False,
    resume: bool = False,
) -> ServedCollection:
    """Index a corpus in Elasticsearch, in a new index that is swapped in when it is complete.

    An interrupted load resumes: fitted encoders and acknowledged items are kept.

    Raises
    ------
    NearbyError
        When a space, the server or the corpus fails; the index that was served stays served.
    """
    description = parse_description(index)
    wanted = _wanted(specs, index, corpus.modality)
    require_fields(corpus, [planned(spec, index, corpus.modality) for spec in specs])
    admin = IndexAdmin.named(Address.read(description.backend), LONG)
    before = collection_in(folder, admin)
    total, digest = _counted(corpus, on_bad)
    require_items(total, corpus)
    meta = IndexManifest(corpus.name, corpus.modality, (), digest)
    kept: list[FittedSpace] = []
    if before is not None and not rebuild:
        _require_same(before, meta, index, wanted)
        require_all_items(before.admin, before.index_name, before.meta)
        if wanted.keys() <= before.spaces.keys():
            say(f"{', '.join(before.spaces)} already indexed")
            return before
        kept = _fitted_spaces(before)
    elif rebuild:
        require_made_by_nearby(admin)
    else:
        require_free(admin, list(wanted), meta)
    work = folder / WORK
    if resume and not (work.is_dir() or admin.behind(admin.next)):
        raise OptionError(f"there is nothing to resume in {folder}: leave --resume out")
    identity = identity_of(folder)
    new = [source for spec, source in wanted.items() if spec not in {space.spec for space in kept}]
    spaces = [*kept, *(_fitted(source, index, corpus, digest, total, work, say) for source in new)]
    present = Build.served(admin, description, spaces, meta) if resume or not rebuild else None
    if present is not None and rebuild and present.meta.identity != identity:
        present = None  # of another collection, to be replaced
    if present is not None and (
        before is None or before.manifest.index != present.index
    ):  # its process was killed after the swap
        require_all_items(admin, present.index, present.meta)
        say(f"{present.index} is already served")
        return published(folder, corpus, present, [Cost() for _ in spaces])
    if before is None and not rebuild:
        require_free(admin, [], meta)
    note_identity(folder, identity)
    build = Build.begin(admin, description, spaces, replace(meta, identity=identity))
    say(f"{'resuming the load of' if build.resuming else 'loading'} {total:,} items into {build.index}")
    done = build.load(corpus, unique_ids(corpus, on_bad), on_bad, Shard(), total)
    require_items(done.items, corpus)
    say(f"{done.sent:,} items sent; merging and checking {build.index}")
    if before is not None and kept:
        _require_same_items(before, digest)
    build = build.finish([ShardRecord.of_load(Shard(), done, digest)], identity)
    if before is not None and kept:  # again: a write that started before the swap is finished now
        try:
            _require_same_items(before, digest)
        except CollectionError:
            admin.swap(before.index_name)
            raise
    return published(folder, corpus, build, done.costs)


def collection_in(folder: Path, admin: IndexAdmin) -> ServedCollection | None:
    """Return the collection in a folder, if it is the one at this address."""
    generations = Generations(folder)
    present = generations.current()
    if present is None:
        if folder.exists() and not folder.is_dir():
            raise CollectionError(f"{folder} is a file: choose a new folder for the collection")
        if generations.foreign():
            raise CollectionError(f"{folder} holds other files: choose a new folder for the collection")
        return None
    try:
        opened = open_collection(folder)
    except NearbyError:  # its index is gone from the server and will be loaded again
        manifest = Manifest.read(present)
        if manifest.server and Address.read(parse_description(manifest.server).backend).name == admin.address.name:
            return None
        raise
    if not isinstance(opened, ServedCollection) or opened.admin.address.name != admin.address.name:
        where = opened.manifest.server or "itself"
        raise CollectionError(f"{folder} is a collection whose items are in {where}: choose a new folder")
    return opened


def _wanted(specs: Sequence[str], index: str, modality: Modality) -> dict[str, str]:
    """Return full spec -> given spec of each space; refuse spaces that a server cannot hold."""
    wanted: dict[str, str] = {}
    for spec in specs:
        encoder = planned(spec, index, modality)
        require_servable(encoder)
        wanted.setdefault(str(encoder), spec)
    return wanted


def _require_same(before: ServedCollection, meta: IndexManifest, index: str, wanted: Mapping[str, str]) -> None:
    """Refuse to keep a collection when the request names other items or another index."""
    require_served(before)
    if before.items_digest != meta.items:
        raise CollectionError(
            f"{before.folder} holds other items than '{meta.corpus}': add them with  nearby add {before.folder} "
            f"{meta.corpus} , or index it again with --rebuild"
        )
    if parse_description(index) != before.description:
        raise OptionError(
            f"{before.folder} has the index '{before.manifest.server}': for '{index}' index it again with --rebuild"
        )
    for spec, source in wanted.items():
        if spec in before.spaces:
            require_same_encoder(before, spec, source)


def _require_same_items(before: ServedCollection, digest: str) -> None:
    """Refuse to serve an index when the served one was changed during the load."""
    if before.items.digest() != digest:
        raise CollectionError(f"{before.folder} was changed by another process at the same time: try again")


def require_free(admin: IndexAdmin, specs: Sequence[str], meta: IndexManifest) -> None:
    """Refuse to replace a collection of other items or spaces without --rebuild."""
    _, served = require_made_by_nearby(admin)
    if served is not None and (set(served.digests()), served.items) != (set(specs), meta.items):
        raise CollectionError(
            f"'{admin.address.name}' at {admin.address.hosts[0]} already serves another collection (corpus "
            f"{served.corpus}, spaces {', '.join(served.digests())}): choose another name in the address, or replace "
            "it with --rebuild"
        )


def _counted(corpus: Corpus, on_bad: OnBad) -> tuple[int, str]:
    """Return the number of items of a corpus, and their digest."""
    items = Digested(unique_ids(corpus, on_bad))
    count = sum(1 for _ in items)
    return count, items.digest


def _fitted(
    spec: str, index: str, corpus: Corpus, digest: str, total: int, work: Path, say: ProgressCallback
) -> FittedSpace:
    """Fit an encoder and save it, unless an interrupted load has done so."""
    encoder = planned(spec, index, corpus.modality)
    if encoder.__sklearn_is_fitted__():
        say(begun(encoder, total, work))
        return FittedSpace.at(Path(spec).expanduser(), training_seconds(encoder))
    saved = work / "fitted" / folder_name(str(encoder))
    if saved.is_dir():
        space = FittedSpace.at(saved)
        if space.encoder.fitted_on == digest:
            return space
        remove_at_once(saved)
    checkpoint = work / folder_name(str(encoder))
    say(begun(encoder, total, checkpoint))
    encoder.fitted_on = digest
    seconds = fitted(encoder, corpus.batches_for(encoder), checkpoint)
    encoder.save(saved)
    remove_at_once(checkpoint)
    return FittedSpace.at(saved, seconds)


def _fitted_spaces(collection: ServedCollection) -> list[FittedSpace]:
    """Return the spaces of a collection for another load, with the same encoders."""
    return [
        FittedSpace.at(collection._stored.space_folder(record) / ENCODER, record.fit_seconds)
        for record in collection.spaces.values()
    ]
