"""A corpus and its spaces on disk: items in SQLite, one folder per space; add, update and delete items later."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from encoders.atomic_write import remove_at_once
from encoders.base import Encoder
from encoders.codes import Codes, Modality
from encoders.errors import ArtifactError, CollectionError, DimensionError
from encoders.progress import ProgressCallback, quiet
from indexers.base import Hit, Index
from indexers.registry import create_index, load_index
from retrieval.collection.base import Collection, OpenSpace, T
from retrieval.collection.filters import Filter
from retrieval.collection.folder import SPACES, CollectionFolder
from retrieval.collection.generations import WORK, Generations, link, link_tree
from retrieval.collection.item_store import ItemStore
from retrieval.collection.items import Change
from retrieval.collection.manifest import ITEMS, Manifest
from retrieval.corpora.base import Corpus, Item, OnBad, raise_bad, unique_ids
from retrieval.corpora.item_record import items_digest
from retrieval.spaces.build import Filled, begun, checkpoints, encoded, fill, fitted, planned
from retrieval.spaces.saved_space import (
    CODES,
    ENCODER,
    INDEX,
    SpaceRecord,
    folder_name,
    note_spec,
    save_index,
    save_space,
)


class LocalCollection(Collection):
    """One generation of a collection whose items, codes and indexes are in its folder.

    Parameters
    ----------
    folder : str or Path

    Raises
    ------
    CollectionError, ArtifactError
        When there is no collection, or it is damaged, foreign, or of a newer format.
    """

    items: ItemStore

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._stored = CollectionFolder(self.folder)
        self.manifest = self._stored.manifest
        self.spaces = self.manifest.spaces
        self._open: dict[str, OpenSpace] = {}
        self.items = ItemStore(self._stored.generation / ITEMS)
        self.manifest.check_items(self._stored.generation)

    @classmethod
    def create(cls, folder: str | Path, corpus: Corpus, on_bad: OnBad = raise_bad) -> LocalCollection:
        """Store the items of a corpus; spaces are added afterwards.

        A folder that holds the same corpus already is opened instead, so that an interrupted run can continue.

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
        return self._stored.number

    def _bytes(self) -> int:
        return self._stored.bytes

    def _unfinished(self) -> tuple[str, ...]:
        return self._stored.unfinished

    def space(self, spec: str) -> OpenSpace:
        """Open a space; see `Collection.space`."""
        spec = self.resolve(spec)
        if spec not in self._open:
            self._open[spec] = self._opened(self.spaces[spec], mmap=True)
        return self._open[spec]

    def codes_of(self, spec: str) -> Index:
        """Return the index that holds every code of a space: its own, or the codes stored beside it."""
        opened = self.space(spec)
        if opened.index.holds_codes:
            return opened.index
        codes = load_index(self._stored.space_folder(opened.record) / CODES)
        if len(codes) != len(opened.index):
            raise ArtifactError(
                f"the codes of '{opened.record.spec}' in {self.folder} are {len(codes):,} of {len(opened.index):,}: "
                "index the corpus again in a new folder"
            )
        return codes

    def search(self, queries: Sequence[tuple[str, Codes]], k: int, filters: Sequence[Filter] = ()) -> list[list[Hit]]:
        """Return the best `k` hits in each space; with filters, each item that passes gets its exact score."""
        if not filters:
            return [self.space(spec).index.search(codes, k)[0] for spec, codes in queries]
        ids = self.items.matching(filters)
        return [_hits_among(self.codes_of(spec), codes, ids, k) for spec, codes in queries]

    def read_consistently(self, read: Callable[[], T]) -> T:
        """Return the result of `read`; a generation never changes."""
        return read()

    def _opened(self, record: SpaceRecord, mmap: bool) -> OpenSpace:
        folder = self._stored.space_folder(record)
        self._stored.require_unchanged(record, {ENCODER: record.encoder_digest, INDEX: record.index_digest})
        index = load_index(folder / INDEX, mmap)
        if len(index) != self.manifest.count:
            raise ArtifactError(
                f"the index of '{record.spec}' in {self.folder} holds {len(index):,} of {self.manifest.count:,} "
                "items: index the corpus again in a new folder"
            )
        return OpenSpace(record, Encoder.load(folder / ENCODER), index)

    # -- writing: each write is a new generation ---------------------------------------------------------------

    def add_space(self, spec: str, index: str | None = None, say: ProgressCallback = quiet) -> LocalCollection:
        """Add a space, and return the next generation; see `Collection.add_space`."""
        encoder = planned(spec, index, self.items.modality)
        self._require_new(encoder)
        with self._draft() as draft:
            work = self.folder / WORK / folder_name(str(encoder))
            say(begun(encoder, self.items.size, work))
            if not encoder.__sklearn_is_fitted__():
                encoder.fitted_on = self.items_digest
            try:
                fit_seconds = fitted(encoder, self.items.batches_for(encoder), work)
            except KeyboardInterrupt:
                if checkpoints(work):
                    note_spec(work, str(encoder))
                raise
            create_index(index, encoder.space)  # refused before any encoding
            filled = fill(encoder, self.items, index, self.items.size)
            _require_all(str(encoder), len(filled.index), self.items.size)
            record = save_space(draft / SPACES, encoder, filled, fit_seconds)
            Manifest.of(self.items, [*self.spaces.values(), record]).write(draft)
        made = LocalCollection(self.folder)
        made._clear_work()
        return made

    def put(self, items: Iterable[Item], say: ProgressCallback = quiet) -> tuple[LocalCollection, Change]:
        """Add items and replace changed ones; return the next generation and what changed.

        If nothing changes, no generation is written and this one is returned.
        """
        change = Change([], [], 0)
        try:
            with self._draft(new_items=True) as draft:
                store = ItemStore(draft / ITEMS, writable=True)
                last = store.last_row
                change = store.put(unique_ids(items))
                if not change.added and not change.changed:
                    store.close()
                    raise _NothingChangesError  # takes the draft back
                say(f"adding {len(change.added):,} new and {len(change.changed):,} changed items, space by space")
                records = [
                    self._updated(draft, record, change.changed, store.items_after(last), store.size)
                    for record in self.spaces.values()
                ]
                manifest = Manifest.of(store, records)
                store.close()
                manifest.write(draft)
        except _NothingChangesError:
            return self, change
        return LocalCollection(self.folder), change

    def delete(self, ids: Sequence[str]) -> LocalCollection:
        """Remove items from every space and return the next generation; all or none."""
        self.items.require(ids)
        self._require_some_left(ids)
        with self._draft(new_items=True) as draft:
            store = ItemStore(draft / ITEMS, writable=True)
            store.delete(ids)
            gone = list(set(ids))
            records = [self._updated(draft, record, gone, iter(()), store.size) for record in self.spaces.values()]
            manifest = Manifest.of(store, records)
            store.close()
            manifest.write(draft)
        return LocalCollection(self.folder)

    def close(self) -> None:
        """Release the files of this generation."""
        self.items.close()
        for opened in self._open.values():
            opened.index.close()
        self._open.clear()
        self._stored.close()

    def _clear_work(self) -> None:
        """Remove the checkpoints of finished spaces, including those that a killed process left."""
        work = self.folder / WORK
        with suppress(OSError):  # it holds the checkpoint of another space, or is read-only
            for spec in self.spaces if work.is_dir() else ():
                remove_at_once(work / folder_name(spec))
            work.rmdir()

    @contextmanager
    def _draft(self, new_items: bool = False) -> Iterator[Path]:
        """Yield a draft with all files of this generation: hard links, or a copy of items that will change."""
        with self._stored.generations.draft() as draft:
            if self._stored.generations.current() != self._stored.generation:
                raise CollectionError(f"{self.folder} was changed by another process at the same time: try again")
            self._clear_work()
            if new_items:
                shutil.copy2(self._stored.generation / ITEMS, draft / ITEMS)
            else:
                link(self._stored.generation / ITEMS, draft / ITEMS)
                for record in self.spaces.values():
                    link_tree(self._stored.space_folder(record), draft / SPACES / record.folder)
            yield draft

    def _advised(self, refusal: str) -> str:
        """Return a refusal that advises to resize the pictures, as an existing space cannot be changed."""
        from retrieval.corpora.images import options_like

        if self.items.modality is not Modality.IMAGE:
            return refusal
        asked = options_like(next(iter(self.items)).content)
        return f"{refusal.rpartition('; use ')[0] or refusal}; read the corpus with {asked}"

    def _updated(
        self, draft: Path, record: SpaceRecord, gone: Sequence[str], new: Iterator[Item], count: int
    ) -> SpaceRecord:
        """Write a space without the removed items and with the new ones at the end; the encoder stays."""
        opened = self._opened(record, mmap=False)
        source, target = self._stored.space_folder(record), draft / SPACES / record.folder
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


class _NothingChangesError(Exception):
    """Ends a draft that would equal its generation."""


def _hits_among(index: Index, codes: Codes, ids: Sequence[str], k: int) -> list[Hit]:
    found = index.search_among(codes, index.rows_of_ids(ids)[None], k)
    rows = found.rows[0][found.rows[0] >= 0]
    return list(map(Hit, index.ids_of_rows(rows), found.scores[0].tolist()))


def _require_all(spec: str, found: int, wanted: int) -> None:
    """Refuse to publish an index that has lost items."""
    if found != wanted:
        raise CollectionError(f"the index of '{spec}' holds {found:,} of {wanted:,} items: nothing was changed")


def _same(collection: LocalCollection, corpus: Corpus, on_bad: OnBad) -> LocalCollection:
    if corpus.modality is not collection.items.modality:
        raise CollectionError(
            f"{collection.folder} holds {collection.items.modality} items, '{corpus.name}' holds {corpus.modality} "
            "items: choose another folder"
        )
    if items_digest(unique_ids(corpus, on_bad)) != collection.items_digest:
        raise CollectionError(
            f"{collection.folder} holds other items than '{corpus.name}': "
            f"choose another folder, or add them with  nearby add {collection.folder} {corpus.name}"
        )
    collection._clear_work()
    return collection
