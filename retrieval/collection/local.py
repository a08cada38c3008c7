"""A corpus and its spaces on disk: items in SQLite, one folder per space; add, update and delete items later."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from encoders.artifact import MANIFEST, digest_of
from encoders.atomic_write import remove_at_once
from encoders.base import Encoder
from encoders.codes import Codes, Modality
from encoders.errors import ArtifactError, CollectionError, DimensionError, OptionError, UnknownNameError
from encoders.progress import ProgressCallback, quiet
from indexers.base import Hit, Index
from indexers.registry import create_index, load_index
from retrieval.collection.filters import Filter
from retrieval.collection.generations import WORK, Generations, files_below, link, link_tree
from retrieval.collection.generations import (
    is_collection as is_collection,  # said of collections, decided by their folder
)
from retrieval.collection.item_store import Change, ItemStore
from retrieval.collection.manifest import ITEMS as ITEMS
from retrieval.collection.manifest import Manifest
from retrieval.corpora.base import Corpus, Item, OnBad, raise_bad, unique_ids
from retrieval.corpora.item_record import items_digest
from retrieval.spaces.build import Filled, begun, encoded, encoder_of, fill, fitted, planned
from retrieval.spaces.saved_space import CODES, ENCODER, INDEX, SpaceRecord, folder_name, save_index, save_space

SPACES = "spaces"


@dataclass
class OpenSpace:
    """A space that can be searched."""

    record: SpaceRecord
    encoder: Encoder
    index: Index


class Collection:
    """One generation of a collection, as it is read.

    Parameters
    ----------
    folder : str or Path
        Where it lies.

    Raises
    ------
    CollectionError, ArtifactError
        When there is none, or it is damaged, foreign, or of a newer format.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._generations = Generations(self.folder)
        pin = self._generations.pinned()
        if pin is None:
            raise CollectionError(self._generations.why_none())
        self._pin, self._present = pin, pin.folder
        self.manifest = Manifest.read(pin.folder)
        self.spaces = self.manifest.spaces
        self._open: dict[str, OpenSpace] = {}
        self._read_items()
        self.manifest.check_items(pin.folder)

    def _read_items(self) -> None:
        self.items = ItemStore(self._present / ITEMS)

    @classmethod
    def create(cls, folder: str | Path, corpus: Corpus, on_bad: OnBad = raise_bad) -> Collection:
        """Store the items of a corpus; spaces are added afterwards.

        A folder that holds the same corpus already is opened instead, so that an interrupted run goes on.

        Raises
        ------
        CollectionError
            When the folder holds something else.
        """
        folder = Path(folder)
        generations = Generations(folder)
        if generations.current() is not None:
            return _same(cls(folder), corpus, on_bad)
        if folder.exists() and not folder.is_dir():
            raise CollectionError(f"{folder} is a file: choose a new folder for the collection")
        if generations.foreign():
            raise CollectionError(f"{folder} holds other files: choose a new folder for the collection")
        with generations.draft() as draft:
            store = ItemStore.create(draft / ITEMS, corpus, on_bad)
            manifest = Manifest.of(store, [])
            store.close()
            manifest.write(draft)
        return cls(folder)

    @property
    def items_digest(self) -> str:
        """Digest of the items in their order."""
        return self.manifest.items

    @property
    def generation(self) -> int:
        """The number of the generation that is read."""
        return int(self._present.name)

    @property
    def bytes(self) -> int:
        """Size of this generation on disk."""
        return sum(path.stat().st_size for path in files_below(self._present))

    def resolve(self, spec: str) -> str:
        """Return a space's spec as it is stored, however its options were written.

        Raises
        ------
        UnknownNameError
            With the closest space that the collection has.
        """
        if spec in self.spaces:
            return spec
        try:
            canonical = str(encoder_of(spec))
        except (UnknownNameError, OptionError):  # whatever it was to be, it is no space of this collection
            canonical = spec
        if canonical in self.spaces:
            return canonical
        starting = [known for known in self.spaces if known.startswith((spec, canonical))]
        if len(starting) == 1:
            return str(starting[0])
        raise UnknownNameError(f"space of {self.folder}", spec, self.spaces)

    def space(self, spec: str, mmap: bool = True) -> OpenSpace:
        """Open a space.

        Raises
        ------
        ArtifactError
            When encoder, index and manifest do not belong together.
        """
        spec = self.resolve(spec)
        if spec not in self._open or not mmap:
            record = self.spaces[spec]
            opened = OpenSpace(record, *self._load(record, mmap))
            if not mmap:
                return opened
            self._open[spec] = opened
        return self._open[spec]

    def codes_of(self, spec: str) -> Index:
        """Return the index that holds every code of a space: its own, or the codes kept beside it.

        Raises
        ------
        ArtifactError
            When the codes do not belong to the index.
        """
        opened = self.space(spec)
        if opened.index.holds_codes:
            return opened.index
        codes = load_index(self._folder_of(opened.record) / CODES)
        if len(codes) != len(opened.index):
            raise ArtifactError(
                f"the codes of '{opened.record.spec}' in {self.folder} are {len(codes):,} of {len(opened.index):,}: "
                "index the corpus again in a new folder"
            )
        return codes

    def hits(self, asked: Sequence[tuple[str, Codes]], k: int, filters: Sequence[Filter] = ()) -> list[list[Hit]]:
        """Return the best `k` hits in each space that is asked, best first.

        Parameters
        ----------
        asked : sequence of (str, codes)
            A space's spec as it is stored, and the code of one query in it.
        k : int
        filters : sequence of Filter, optional
            Only items that satisfy all of them are compared with the query, each by its exact score.

        Raises
        ------
        QueryError
            When no item satisfies the filters.
        """
        if not filters:
            return [self.space(spec).index.search(codes, k)[0] for spec, codes in asked]
        ids = self.items.matching(filters)
        return [_hits_among(self.codes_of(spec), codes, ids, k) for spec, codes in asked]

    def _load(self, record: SpaceRecord, mmap: bool) -> tuple[Encoder, Index]:
        folder = self._folder_of(record)
        self._require_unchanged(record, {ENCODER: record.encoder_digest, INDEX: record.index_digest})
        index = load_index(folder / INDEX, mmap)
        if len(index) != self.manifest.count:
            raise ArtifactError(
                f"the index of '{record.spec}' in {self.folder} holds {len(index):,} of {self.manifest.count:,} "
                "items: index the corpus again in a new folder"
            )
        return Encoder.load(folder / ENCODER), index

    def _require_unchanged(self, record: SpaceRecord, digests: Mapping[str, str]) -> None:
        """Refuse a space whose parts, by the folders they lie in, are not those that it was made of."""
        folder = self._folder_of(record)
        try:
            found = {part: digest_of(folder / part / MANIFEST) for part in digests}
        except OSError as error:
            raise ArtifactError(
                f"the space '{record.spec}' of {self.folder} is incomplete: {error.filename} cannot be read "
                f"({error.strerror}); index the corpus again in a new folder"
            ) from None
        if found != digests:
            raise ArtifactError(f"the space '{record.spec}' of {self.folder} was changed from outside: index it again")

    def _folder_of(self, record: SpaceRecord) -> Path:
        return self._present / SPACES / Path(record.folder).name

    # -- writing: each a new generation ------------------------------------------------------------------------

    def add_space(self, spec: str, index: str | None = None, say: ProgressCallback = quiet) -> Collection:
        """Fit an encoder on the stored items unless it came fitted, index their codes, return the next generation.

        A training that is killed goes on from its checkpoint when the same space is added again.
        """
        encoder = planned(spec, index, self.items.modality)
        with self._draft() as draft:
            work = self.folder / WORK / folder_name(str(encoder))
            say(begun(encoder, self.items.size, work))
            if not encoder.__sklearn_is_fitted__():
                encoder.fitted_on = self.items_digest
            fit_seconds = fitted(encoder, self.items.batches(), work)
            create_index(index, encoder.space)  # refused before any encoding
            filled = fill(encoder, self.items, index, self.items.size)
            _require_all(str(encoder), len(filled.index), self.items.size)
            record = save_space(draft / SPACES, encoder, filled, fit_seconds)
            Manifest.of(self.items, [*self.spaces.values(), record]).write(draft)
        made = Collection(self.folder)
        made._clear_work()
        return made

    def put(self, items: Iterable[Item], say: ProgressCallback = quiet) -> tuple[Collection, Change]:
        """Add items and replace changed ones, in every space; return the next generation and what changed."""
        with self._draft(new_items=True) as draft:
            store = ItemStore(draft / ITEMS, writable=True)
            last = store.last_row
            change = store.put(items)
            if change.added or change.changed:
                say(f"adding {len(change.added):,} new and {len(change.changed):,} changed items, space by space")
            records = [
                self._updated(draft, record, change.changed, store.items_after(last), store.size)
                for record in self.spaces.values()
            ]
            manifest = Manifest.of(store, records)
            store.close()
            manifest.write(draft)
        return Collection(self.folder), change

    def delete(self, ids: Sequence[str]) -> Collection:
        """Remove items from every space and return the next generation; all or none."""
        self.items.require(ids)
        if len(set(ids)) == self.items.size:
            raise CollectionError("this would remove every item: delete the folder instead")
        with self._draft(new_items=True) as draft:
            store = ItemStore(draft / ITEMS, writable=True)
            store.delete(ids)
            gone = list(set(ids))
            records = [self._updated(draft, record, gone, iter(()), store.size) for record in self.spaces.values()]
            manifest = Manifest.of(store, records)
            store.close()
            manifest.write(draft)
        return Collection(self.folder)

    def withdraw(self) -> None:
        """Remove the collection from disk, unless somebody has written to it since it was opened."""
        shutil.rmtree(self.folder / WORK, ignore_errors=True)
        self._generations.withdraw(self._present)

    def _clear_work(self) -> None:
        """Remove the checkpoints of spaces that are there, also what a writer has left that was killed before this."""
        work = self.folder / WORK
        with suppress(OSError):  # another space's checkpoint lies there, or nothing may be changed
            for spec in self.spaces if work.is_dir() else ():
                remove_at_once(work / folder_name(spec))
            work.rmdir()

    @contextmanager
    def _draft(self, new_items: bool = False) -> Iterator[Path]:
        """Yield a draft that has everything of this generation: linked, and items that will change copied."""
        with self._generations.draft() as draft:
            if self._generations.current() != self._present:
                raise CollectionError(f"{self.folder} was changed by another process meanwhile: try again")
            self._clear_work()
            if new_items:
                shutil.copy2(self._present / ITEMS, draft / ITEMS)
            else:
                link(self._present / ITEMS, draft / ITEMS)
                for record in self.spaces.values():
                    link_tree(self._folder_of(record), draft / SPACES / record.folder)
            yield draft

    def _advised(self, refusal: str) -> str:
        """Advise not to make the space otherwise, which is there already, but to bring the pictures to its size."""
        from retrieval.corpora.images import options_like

        if self.items.modality is not Modality.IMAGE:
            return refusal
        asked = options_like(next(iter(self.items)).content)
        return f"{refusal.rpartition('; use ')[0] or refusal}; read the corpus with {asked}"

    def _updated(
        self, draft: Path, record: SpaceRecord, gone: Sequence[str], new: Iterator[Item], count: int
    ) -> SpaceRecord:
        """Write a space with some items gone and others behind the rest, `count` in all; the encoder stays."""
        opened = self.space(record.spec, mmap=False)
        source, target = self._folder_of(record), draft / SPACES / record.folder
        kept = load_index(source / CODES, mmap=False) if (source / CODES).is_dir() else None
        cost = Filled(opened.index, kept)
        for index in filter(None, (opened.index, kept)):
            index.remove(gone)
        try:
            for ids, codes in encoded(opened.encoder, new, cost):
                for index in filter(None, (opened.index, kept)):
                    index.add(ids, codes)
        except DimensionError as error:
            raise DimensionError(self._advised(str(error))) from error
        _require_all(record.spec, len(opened.index), count)
        link_tree(source / ENCODER, target / ENCODER)
        return save_index(target, record, cost)


def _hits_among(index: Index, codes: Codes, ids: Sequence[str], k: int) -> list[Hit]:
    found = index.search_among(codes, index.rows_of_ids(ids)[None], k)
    rows = found.rows[0][found.rows[0] >= 0]
    return list(map(Hit, index.ids_of_rows(rows), found.scores[0].tolist()))


def _require_all(spec: str, found: int, wanted: int) -> None:
    """Refuse to publish an index that has lost items: what was there before is better."""
    if found != wanted:
        raise CollectionError(f"the index of '{spec}' holds {found:,} of {wanted:,} items: nothing was changed")


def _same(collection: Collection, corpus: Corpus, on_bad: OnBad) -> Collection:
    if items_digest(unique_ids(corpus, on_bad)) != collection.items_digest:
        raise CollectionError(
            f"{collection.folder} holds other items than '{corpus.name}': "
            f"choose another folder, or add them with  nearby add {collection.folder} {corpus.name}"
        )
    collection._clear_work()
    return collection
