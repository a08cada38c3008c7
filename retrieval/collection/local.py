"""A corpus and its spaces on disk: items in SQLite, one folder per space; add, update and delete items later.

Items that are added later are in segments of their own, and removed ones are left out of the answers, until segments
are merged; see `merge_policy`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from encoders.base import Encoder
from encoders.codes import Codes, Modality
from encoders.errors import ArtifactError, CollectionError, DimensionError
from encoders.progress import ProgressCallback, quiet
from indexers.base import Hit, Index
from indexers.registry import create_index
from indexers.segmented import Segmented
from retrieval.collection.base import Collection, OpenSpace, T
from retrieval.collection.filters import Filter
from retrieval.collection.folder import CollectionFolder
from retrieval.collection.generations import ADDED, WORK, Generations
from retrieval.collection.item_draft import ItemDraft
from retrieval.collection.item_store import ItemStore
from retrieval.collection.items import Change
from retrieval.collection.manifest import ITEMS, Manifest
from retrieval.collection.segment_draft import SegmentDraft, require_all
from retrieval.collection.segmented_items import SegmentedItems, items_of
from retrieval.collection.segments import SPACES, opened_index, segments_of
from retrieval.corpora.base import Corpus, Item, OnBad, raise_bad, unique_ids
from retrieval.corpora.item_record import items_digest
from retrieval.spaces.build import fill
from retrieval.spaces.fit import begun, fitted, is_unfinished
from retrieval.spaces.kept_codes import kept_by, said_if_kept
from retrieval.spaces.saved_space import (
    CODES,
    ENCODER,
    INDEX,
    SpaceRecord,
    folder_name,
    note_spec,
    save_space,
)
from retrieval.spaces.space_encoder import planned


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

    items: ItemStore | SegmentedItems

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._stored = CollectionFolder(self.folder)
        self.manifest = self._stored.manifest
        self.spaces = self.manifest.spaces
        self._open, self._read_before = {}, {}
        self.segments = segments_of(self._stored.generation, self.manifest)
        self.items = items_of(self.segments, self.manifest.unjudged)
        self._digest = "" if self.manifest.segments else self.manifest.items
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
            store = ItemDraft.create(draft / ITEMS, corpus, on_bad)
            manifest = Manifest.of(store, [])
            store.close()
            manifest.write(draft)
        return cls(folder)

    @property
    def items_digest(self) -> str:
        """Digest of the items in their order; with several segments, they are read for it."""
        self._digest = self._digest or self.items.digest()
        return self._digest

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
            record = self.spaces[spec]
            encoder = self._encoder_of(record)
            self._open[spec] = OpenSpace(record, encoder, opened_index(self.segments, record.folder, INDEX, mmap=True))
        return self._open[spec]

    def codes_of(self, spec: str) -> Index:
        """Return the index that holds every code of a space: its own, or the codes stored beside it."""
        opened = self.space(spec)
        if opened.index.holds_codes:
            return opened.index
        return opened_index(self.segments, opened.record.folder, CODES, mmap=True)

    def search(self, queries: Sequence[tuple[str, Codes]], k: int, filters: Sequence[Filter] = ()) -> list[list[Hit]]:
        """Return the best `k` hits in each space; with filters, each item that passes gets its exact score."""
        if not filters:
            return [self.space(spec).index.search(codes, k)[0] for spec, codes in queries]
        ids = self.items.matching(filters)
        return [_hits_among(self.codes_of(spec), codes, ids, k) for spec, codes in queries]

    def read_consistently(self, read: Callable[[], T]) -> T:
        """Return the result of `read`; a generation never changes."""
        return read()

    def _encoder_of(self, record: SpaceRecord) -> Encoder:
        """Return the encoder of a space, after comparing the digests of its files and indexes."""
        self._stored.require_unchanged(record, self.segments)
        return self._encoder(record, self._stored.space_folder(record) / ENCODER)

    def _kept_index(self, record: SpaceRecord, opened: OpenSpace) -> Index | None:
        """Return an index with the same first part: the largest one, which takes time to open."""
        if record.index_digest != opened.record.index_digest:
            return None
        first = opened.index.first if isinstance(opened.index, Segmented) else opened.index
        try:
            self._stored.require_unchanged(record, self.segments)
            return opened_index(self.segments, record.folder, INDEX, mmap=True, opened=first)
        except ArtifactError:  # opening the space raises it again; the other spaces can be searched
            return None

    # -- writing: each write is a new generation ---------------------------------------------------------------

    def add_space(self, spec: str, index: str | None = None, say: ProgressCallback = quiet) -> LocalCollection:
        """Add a space, and return the next generation; see `Collection.add_space`."""
        encoder = planned(spec, index, self.items.modality)
        self._require_new(encoder)
        if self.manifest.segments:
            with self.compact(say) as whole:
                return whole.add_space(spec, index, say)
        with self._stored.draft(self.segments, folder_name(str(encoder))) as draft:
            work = self.folder / WORK / folder_name(str(encoder))
            say(begun(encoder, self.items.size, work))
            if not encoder.__sklearn_is_fitted__():
                encoder.fitted_on = self.items_digest
            try:
                fit_seconds = fitted(encoder, self.items.batches_for(encoder), work)
                create_index(index, encoder.space)  # refused before any encoding
                kept = kept_by(encoder, work, self.items_digest)
                filled = fill(encoder, self.items, index, self.items.size, kept)
            except KeyboardInterrupt:
                if is_unfinished(work):
                    note_spec(work, str(encoder))
                raise
            require_all(str(encoder), filled.index, self.items.size)
            record = save_space(draft / SPACES, encoder, filled, fit_seconds)
            self.manifest.with_space(record).write(draft)
        return LocalCollection(self.folder)

    def put(self, items: Iterable[Item], say: ProgressCallback = quiet) -> tuple[LocalCollection, Change]:
        """Add items and replace changed ones; return the next generation and what changed.

        If nothing changes, no generation is written and this one is returned. After a kill, the same call continues
        with the codes that a slow encoder has computed.
        """
        change, work = Change([], [], 0), self.folder / WORK / ADDED
        try:
            with said_if_kept(work, say), self._stored.draft(self.segments, ADDED) as folder:
                draft = self._segment_draft(folder)
                change = draft.put(unique_ids(items))
                if not change.added and not change.changed:
                    raise _NothingChangesError  # takes the draft back
                say(f"adding {len(change.added):,} new and {len(change.changed):,} changed items, space by space")
                for spec, record in self.spaces.items():
                    self._index_new(draft, spec, self._encoder_of(record), work / folder_name(spec))
                draft.merge(say)
                draft.write_manifest()
        except _NothingChangesError:
            return self, change
        return LocalCollection(self.folder), change

    def delete(self, ids: Sequence[str], say: ProgressCallback = quiet) -> LocalCollection:
        """Remove items from every space and return the next generation; all or none."""
        self.items.require(ids)
        self._require_some_left(ids)
        with self._stored.draft(self.segments) as folder:
            draft = self._segment_draft(folder)
            draft.remove(list(dict.fromkeys(ids)))
            draft.merge(say)
            draft.write_manifest()
        return LocalCollection(self.folder)

    def compact(self, say: ProgressCallback = quiet) -> LocalCollection:
        """Merge all segments into one and return the next generation; see `Collection.compact`."""
        if not self.manifest.segments:
            return self
        with self._stored.draft(self.segments) as folder:
            draft = self._segment_draft(folder)
            draft.merge(say, everything=True)
            draft.write_manifest()
        return LocalCollection(self.folder)

    def close(self) -> None:
        """Release the files of this generation."""
        self.items.close()
        for opened in self._open.values():
            opened.index.close()
        self._open.clear()
        self._stored.close()

    def _segment_draft(self, folder: Path) -> SegmentDraft:
        for record in self.spaces.values():
            self._stored.require_unchanged(record, self.segments)
        return SegmentDraft(folder, self.manifest, segments_of(folder, self.manifest))

    def _index_new(self, draft: SegmentDraft, spec: str, encoder: Encoder, work: Path) -> None:
        try:
            draft.index_new(spec, encoder, work)
        except DimensionError as error:
            raise DimensionError(self._advised(str(error))) from error

    def _advised(self, refusal: str) -> str:
        """Return a refusal that advises to resize the pictures, as an existing space cannot be changed."""
        from retrieval.corpora.images import options_like

        if self.items.modality is not Modality.IMAGE:
            return refusal
        asked = options_like(next(iter(self.items)).content)
        return f"{refusal.rpartition('; use ')[0] or refusal}; read the corpus with {asked}"


class _NothingChangesError(Exception):
    """Ends a draft that would equal its generation."""


def _hits_among(index: Index, codes: Codes, ids: Sequence[str], k: int) -> list[Hit]:
    nearest = index.search_among(codes, index.rows_of_ids(ids)[None], k)
    rows = nearest.rows[0][nearest.rows[0] >= 0]
    return list(map(Hit, index.ids_of_rows(rows), nearest.scores[0].tolist()))


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
    # if another process is writing, its work stays
    with suppress(CollectionError, OSError), Generations(collection.folder).locked(wait=False):
        collection._stored.clear_work()
    return collection
