"""What ``nearby index ... --index elasticsearch:...`` does: fit, load, swap; at once, or in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from encoders.atomic_write import remove_at_once
from encoders.codes import Modality
from encoders.errors import CollectionError, NearbyError, OptionError
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.patience import LONG
from indexers.elasticsearch.site import Site
from indexers.registry import Description, parse_description
from retrieval.collection import ITEMS, SPACES, Say, quiet
from retrieval.corpora.base import Corpus, Item, OnBad, Qrels, raise_bad, unique_ids
from retrieval.filling import begun, fitted, planned
from retrieval.generations import WORK, Generations, link_tree
from retrieval.indexing import require_same_encoder
from retrieval.item_record import Digested
from retrieval.item_store import ItemStore
from retrieval.manifest import Manifest
from retrieval.opening import open_collection
from retrieval.phases import training_seconds
from retrieval.served.building import Build, require_items, require_own
from retrieval.served.collection import ServedCollection
from retrieval.served.loading import Cost, Load, Part
from retrieval.served.meta import Meta
from retrieval.served.spaces import FittedSpace, require_servable, saved_spaces, written
from retrieval.space_folder import ENCODER, folder_name


def index_served(
    folder: Path,
    corpus: Corpus,
    specs: Sequence[str],
    index: str,
    on_bad: OnBad = raise_bad,
    say: Say = quiet,
    rebuild: bool = False,
    resume: bool = False,
) -> ServedCollection:
    """Index a corpus in Elasticsearch, in a new index that takes the place of the one before when it is complete.

    What was interrupted is gone on with: encoders that were fitted, items that were acknowledged.

    Raises
    ------
    NearbyError
        When the spaces, the server or the corpus cannot be had; what was served before still is.
    """
    description = parse_description(index)
    wanted = _wanted(specs, index, corpus.modality)
    site = Site(Address.read(description.backend), LONG)
    before = _before(folder, site)
    total, digest = _counted(corpus, on_bad)
    require_items(total, corpus)
    meta = Meta(corpus.name, corpus.modality, (), digest)
    kept: list[FittedSpace] = []
    if before is not None and not rebuild:
        _require_same(before, meta, index, wanted)
        if wanted.keys() <= before.spaces.keys():
            say(f"{', '.join(before.spaces)}: there already")
            return before
        kept = before.fitted()
    elif rebuild:
        require_own(site)
    else:
        _require_free(site, list(wanted), meta)
    work = folder / WORK
    if resume and not (work.is_dir() or site.behind(site.next)):
        raise OptionError(f"there is nothing to go on with in {folder}: leave --resume out")
    new = [source for spec, source in wanted.items() if spec not in {space.spec for space in kept}]
    spaces = [*kept, *(_fitted(source, index, corpus, digest, total, work, say) for source in new)]
    present = Build.served(site, description, spaces, meta) if resume or not rebuild else None
    if present is not None and (before is None or before.manifest.index != present.index):  # its maker was killed
        say(f"{present.index} is served already")
        return _published(folder, corpus, present, [Cost() for _ in spaces])
    if before is None and not rebuild:
        _require_free(site, [], meta)
    build = Build.begin(site, description, spaces, meta)
    say(f"{'going on with loading' if build.going_on else 'loading'} {total:,} items into {build.index}")
    done = build.load(corpus, unique_ids(corpus, on_bad), on_bad, Part(), total)
    require_items(done.items, corpus)
    say(f"{done.sent:,} items sent; merging and checking {build.index}")
    build.finish(done.items)
    return _published(folder, corpus, build, done.costs)


def index_part(
    corpus: Corpus, specs: Sequence[str], index: str, part: Part, on_bad: OnBad = raise_bad, say: Say = quiet
) -> Load:
    """Encode and load one part of a corpus, from any machine; doing it again changes nothing.

    Raises
    ------
    OptionError
        For a space that is no folder of a fitted encoder.
    """
    description, spaces, site = _for_parts(specs, index)
    for spec in specs:
        planned(spec, index, corpus.modality)
    build = Build.begin(site, description, spaces, Meta(corpus.name, corpus.modality, (), parts=part.of))
    say(f"loading part {part.number} of {part.of} into {build.index}")
    items = Digested(corpus)
    done = build.load(corpus, items, on_bad, part, corpus.size)
    require_items(done.read, corpus)
    build.note_part(part, done, items.digest)
    return done


def finish_parts(
    folder: Path,
    specs: Sequence[str],
    index: str,
    corpus: Corpus | None = None,
    say: Say = quiet,
    rebuild: bool = False,
) -> ServedCollection:
    """Check that all parts are there, serve the index, and write the folder that searches it.

    Raises
    ------
    CollectionError
        When a part or an item is missing, or another collection is served there and `rebuild` was not asked for.
    """
    description, spaces, site = _for_parts(specs, index)
    _before(folder, site)
    name = site.behind(site.next)
    if name is not None:
        build = Build.begin(site, description, spaces, Meta.read(site.meta(name), name))
        records = build.parts()
        if not rebuild:
            _require_free(site, list(build.meta.digests()), replace(build.meta, items=records[0]["digest"]))
        count = sum(int(record["items"]) for record in records)
        say(f"all {len(records)} parts are there; merging and checking {count:,} items")
        build.finish(count)
        build.note_items(records[0]["digest"])
        costs = build.costs(records)
    else:  # put in place by a process that was killed before it had written the folder, or not loaded at all
        build = _served_parts(site, description, spaces)
        costs = [Cost() for _ in spaces]
    build.forget_parts()
    return _published(folder, corpus, replace(build, meta=Meta.read(site.meta(build.index), build.index)), costs)


def _served_parts(site: Site, description: Description, spaces: Sequence[FittedSpace]) -> Build:
    _, meta = require_own(site)
    found = None if meta is None else Build.served(site, description, spaces, meta)
    if found is None:
        raise CollectionError(f"no parts of '{site.address.name}' are loaded: load them with --shard 1/N, 2/N, ...")
    return found


def _for_parts(specs: Sequence[str], index: str) -> tuple[Description, list[FittedSpace], Site]:
    description = parse_description(index)
    if description.name != "elasticsearch":
        raise OptionError(f"parts are loaded into --index elasticsearch:..., not into '{index}'")
    return description, saved_spaces(specs), Site(Address.read(description.backend), LONG)


def _before(folder: Path, site: Site) -> ServedCollection | None:
    """Return the collection that lies in a folder, when it is this one."""
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
    except NearbyError:  # gone from the server: it is made anew
        manifest = Manifest.read(present)
        if manifest.server and Address.read(parse_description(manifest.server).backend).name == site.address.name:
            return None
        raise
    if not isinstance(opened, ServedCollection) or opened.site.address.name != site.address.name:
        where = opened.manifest.server or "itself"
        raise CollectionError(f"{folder} is a collection that lies in {where}: choose a new folder")
    return opened


def _wanted(specs: Sequence[str], index: str, modality: Modality) -> dict[str, str]:
    """Return the spaces as they are written in full, and as they were asked for; refuse those that cannot be had."""
    wanted: dict[str, str] = {}
    for spec in specs:
        encoder = planned(spec, index, modality)
        require_servable(encoder)
        wanted.setdefault(str(encoder), spec)
    return wanted


def _require_same(before: ServedCollection, meta: Meta, index: str, wanted: Mapping[str, str]) -> None:
    """Refuse to leave a collection as it is when another was asked for."""
    before.require_served()
    if before.items_digest != meta.items:
        raise CollectionError(
            f"{before.folder} holds other items than '{meta.corpus}': add them with  nearby add {before.folder} "
            f"{meta.corpus} , or index it anew with --rebuild"
        )
    if parse_description(index) != before.description:
        raise OptionError(
            f"{before.folder} has the index '{before.manifest.server}': for '{index}' index it anew with --rebuild"
        )
    for spec, source in wanted.items():
        if spec in before.spaces:
            require_same_encoder(before, spec, source)


def _require_free(site: Site, specs: Sequence[str], meta: Meta) -> None:
    """Refuse to take the place of another collection unasked: one of other items or spaces than these."""
    _, found = require_own(site)
    if found is not None and (set(found.digests()), found.items) != (set(specs), meta.items):
        raise CollectionError(
            f"'{site.address.name}' at {site.address.hosts[0]} serves another collection already (corpus "
            f"{found.corpus}, spaces {', '.join(found.digests())}): give another name in the address, or put this one "
            "in its place with --rebuild"
        )


def _counted(corpus: Corpus, on_bad: OnBad) -> tuple[int, str]:
    """Return how many items a corpus has, and their digest."""
    items = Digested(unique_ids(corpus, on_bad))
    count = sum(1 for _ in items)
    return count, items.digest


def _fitted(spec: str, index: str, corpus: Corpus, digest: str, total: int, work: Path, say: Say) -> FittedSpace:
    """Fit an encoder and save it, unless that was done before the load was interrupted."""
    encoder = planned(spec, index, corpus.modality)
    if encoder.__sklearn_is_fitted__():
        say(begun(encoder, total, work))
        return FittedSpace.at(Path(spec).expanduser(), training_seconds(encoder))
    saved = work / "fitted" / folder_name(str(encoder))
    if saved.is_dir():
        found = FittedSpace.at(saved)
        if found.encoder.fitted_on == digest:
            return found
        remove_at_once(saved)
    checkpoint = work / folder_name(str(encoder))
    say(begun(encoder, total, checkpoint))
    encoder.fitted_on = digest
    seconds = fitted(encoder, corpus.batches(), checkpoint)
    encoder.save(saved)
    remove_at_once(checkpoint)
    return FittedSpace.at(saved, seconds)


def _published(folder: Path, corpus: Corpus | None, build: Build, costs: Sequence[Cost]) -> ServedCollection:
    """Write the folder: encoders, queries and judgements, and where the items are."""
    generations = Generations(folder)
    with generations.draft() as draft:
        ItemStore.create(draft / ITEMS, AskedOnly(build.meta, corpus)).close()
        described = written(build.description)
        records = [space.record(described, cost) for space, cost in zip(build.spaces, costs, strict=True)]
        for space, record in zip(build.spaces, records, strict=True):
            link_tree(space.folder, draft / SPACES / record.folder / ENCODER)
        Manifest(
            build.meta.corpus,
            build.meta.modality,
            build.site.count(build.index),
            build.meta.items,
            {record.spec: record for record in records},
            described,
            build.index,
        ).write(draft)
    remove_at_once(folder / WORK)
    return ServedCollection(folder)


class AskedOnly(Corpus):
    """The queries and judgements of a corpus, without its items."""

    def __init__(self, meta: Meta, corpus: Corpus | None) -> None:
        self.name, self.modality = meta.corpus, Modality(meta.modality)
        self._corpus = corpus

    def __iter__(self) -> Iterator[Item]:
        return iter(())

    def queries(self) -> Iterator[Item]:
        """Read the queries."""
        return iter(()) if self._corpus is None else self._corpus.queries()

    def qrels(self) -> Qrels | None:
        """Return the judgements."""
        return None if self._corpus is None else self._corpus.qrels()

    @property
    def queries_are_items(self) -> bool:
        """True when queries are items of the corpus, and where nothing is known of it."""
        return self._corpus is None or self._corpus.queries_are_items
