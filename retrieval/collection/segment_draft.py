"""The next generation of a local collection as a draft: segments are added and merged, and items removed."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from encoders.base import Encoder
from encoders.checksums import check_file, file_sums
from encoders.errors import CollectionError
from encoders.numbers import counted
from encoders.progress import ProgressCallback, quiet
from indexers.base import Index
from indexers.folder import verify_index
from indexers.registry import create_index
from indexers.segment_merge import merged, over_file, rebuilt, small_description
from retrieval.collection.item_draft import ItemDraft
from retrieval.collection.items import Change
from retrieval.collection.manifest import ITEMS, Manifest, item_sums
from retrieval.collection.merge_policy import Size, next_merge
from retrieval.collection.segment_record import REMOVED, SEGMENTS, SegmentRecord
from retrieval.collection.segmented_items import SegmentedItems
from retrieval.collection.segments import (
    NONE,
    Removed,
    Segment,
    loaded,
    removed_positions,
    shares_vectors,
    write_removed,
)
from retrieval.collection.vector_file import VECTORS
from retrieval.corpora.base import Item
from retrieval.spaces.build import add_items
from retrieval.spaces.filled_index import Filled
from retrieval.spaces.kept_codes import kept_by
from retrieval.spaces.saved_space import CODES, INDEX, SpaceRecord, with_cost, with_index, without_items

#: Items of segments whose merging is worth a message.
_MANY = 10_000


class SegmentDraft:
    """A draft that begins as a copy, by hard links, of a generation.

    Nothing is written in place: a file that changes is replaced, because the generation has it too.

    Parameters
    ----------
    folder : Path
        The draft.
    manifest : Manifest
        Of the generation.
    segments : sequence of Segment
        Those of the generation, whose folders are in the draft.
    """

    def __init__(self, folder: Path, manifest: Manifest, segments: Sequence[Segment]) -> None:
        self.folder, self._manifest, self._segments = folder, manifest, list(segments)
        self._records = dict(manifest.spaces)
        self._unjudged = set(manifest.unjudged)
        self._items = SegmentedItems(self._segments, manifest.unjudged)

    # -- adding ------------------------------------------------------------------------------------------------

    def put(self, items: Iterable[Item]) -> Change:
        """Write new and changed items into a segment of their own, and remove the old versions of changed ones."""
        number = 1 + max([0, *(int(one.record.folder.rpartition("/")[2] or 0) for one in self._segments)])
        name = f"{SEGMENTS}/{number}"
        folder = self.folder / name
        folder.mkdir(parents=True)
        store = ItemDraft.more(folder / ITEMS, self._items.stores[0])
        change = store.put(items, self._items.digests)
        count, digest = len(change.added) + len(change.changed), store.digest()
        store.close()
        self._hide(change.changed)
        if count:
            self._segments.append(Segment(SegmentRecord(name, count, digest), folder, NONE))
        return change

    def index_new(self, spec: str, encoder: Encoder, work: Path) -> None:
        """Index the items of the new segment in a space; codes of a slow encoder are kept in `work`."""
        segment, record = self._segments[-1], self._records[spec]
        index = create_index(small_description(record.index), encoder.space, encoder.lexicon)
        cost = Filled(index, None)
        store = segment.all_items()
        add_items(encoder, store, index, cost, segment.record.count, kept_by(encoder, work, segment.record.items))
        store.close()
        require_all(spec, index, segment.record.count)
        index.save(segment.space_folder(record.folder) / INDEX)
        self._records[spec] = with_cost(record, cost)

    # -- removing ----------------------------------------------------------------------------------------------

    def remove(self, ids: Sequence[str]) -> None:
        """Remove items with their judgements."""
        self._unjudged |= self._items.stores[0].judged(ids)
        self._hide(ids)

    def _hide(self, ids: Sequence[str]) -> None:
        """Leave items out of their segments."""
        before, gone = sum(one.record.left for one in self._segments), 0
        for at, segment in enumerate(self._segments):
            rows = self._items.stores[at].rows(ids)
            if rows:
                store = segment.all_items()
                removed = segment.removed.with_more(list(rows.values()), store, segment.record.count)
                store.close()
                self._segments[at] = _removing(segment, removed)
                gone += len(rows)
        if gone:
            self._records = {spec: without_items(record, gone, before) for spec, record in self._records.items()}

    # -- merging -----------------------------------------------------------------------------------------------

    def merge(self, say: ProgressCallback = quiet, everything: bool = False) -> None:
        """Merge segments as `merge_policy` says, or all into one."""
        while True:
            self._drop_empty()
            sizes = [Size(one.record.left, one.record.removed) for one in self._segments]
            if self._unjudged and not sizes[0].removed:  # judgements of an item that is in no segment any more
                sizes[0] = Size(sizes[0].left, 1)
            chosen = range(len(sizes)) if everything else next_merge(sizes)
            if chosen is None or (len(sizes) == 1 and not sizes[0].removed):
                return
            left = sum(sizes[at].left for at in chosen)
            if left >= _MANY:
                say(f"merging {counted(len(chosen), 'segment')}, {left:,} items")
            self._merge(chosen)

    def _drop_empty(self) -> None:
        """Drop segments, but the first, all of whose items were removed."""
        for segment in self._segments[1:]:
            if not segment.record.left:
                shutil.rmtree(segment.folder)
        self._segments = [one for at, one in enumerate(self._segments) if not at or one.record.left]

    def _merge(self, chosen: range) -> None:
        segments = [self._segments[at] for at in chosen]
        for segment in segments:
            _require_whole(segment)
        target = segments[0].folder
        scratch = target / "merged"
        scratch.mkdir()
        stores = [one.store(() if at else self._unjudged) for at, one in zip(chosen, segments, strict=True)]
        store = ItemDraft.merged(scratch / ITEMS, stores, with_queries=chosen.start == 0)
        count, digest, vectors = store.size, store.digest(), store.vector_file
        for one in (store, *stores):
            one.close()
        left = sum(one.record.left for one in segments)
        if count != left:
            raise CollectionError(f"{count:,} of {left:,} items can be read: nothing was changed")
        for record in self._records.values():
            self._merge_indexes(segments, record, scratch / record.folder, vectors)
        self._replace(chosen, scratch, SegmentRecord(segments[0].record.folder, count, digest))

    def _merge_indexes(
        self, segments: Sequence[Segment], record: SpaceRecord, target: Path, vectors: Path | None
    ) -> None:
        """Write the index of a space, and the codes beside it, over several segments.

        Codes that shared the file of the items' vectors share that of the merged items, `vectors`.
        """
        removed = removed_positions(segments)
        for one in segments[1:]:
            verify_index(one.space_folder(record.folder) / INDEX)  # of a mapped file, only some blocks are compared
        others = [loaded(one, record.folder) for one in segments[1:]]
        codes: Index | None = None
        for name in (CODES, INDEX):
            if not (segments[0].space_folder(record.folder) / name).is_dir():
                continue
            whole: Index | None = None
            if vectors is not None and shares_vectors(segments[0], record.folder, name):
                whole = over_file([loaded(segments[0], record.folder, name), *others], removed, vectors)
            if whole is None:
                first = loaded(segments[0], record.folder, name, mmap=False)
                whole = rebuilt(merged([first, *others], removed), codes)
            require_all(record.spec, whole, sum(one.record.left for one in segments))
            whole.save(target / name)
            codes = whole

    def _replace(self, chosen: range, scratch: Path, record: SegmentRecord) -> None:
        """Put the merged files in the place of the first segment, and drop the others."""
        first = self._segments[chosen.start]
        for name in (ITEMS, VECTORS, REMOVED):
            (first.folder / name).unlink(missing_ok=True)
        for name in (ITEMS, VECTORS):
            if (scratch / name).exists():
                (scratch / name).rename(first.folder / name)
        for space in self._records.values():
            for merged_part in sorted((scratch / space.folder).iterdir()):
                present = first.space_folder(space.folder) / merged_part.name
                shutil.rmtree(present)
                merged_part.rename(present)
        shutil.rmtree(scratch)
        for at in chosen[1:]:
            shutil.rmtree(self._segments[at].folder)
        if chosen.start == 0:
            self._unjudged = set()
            shutil.rmtree(self.folder / SEGMENTS, ignore_errors=True)
        self._segments[chosen.start : chosen.stop] = [Segment(record, first.folder, NONE)]

    # -- writing the manifest ----------------------------------------------------------------------------------

    def write_manifest(self) -> Manifest:
        """Write the manifest with the checksums of all files of items, and the digests of all indexes."""
        self._items.close()
        first = self._segments[0]
        records = [with_index(one, first.space_folder(one.folder)) for one in self._records.values()]
        if len(self._segments) == 1 and not first.record.removed and not self._unjudged:
            store = first.all_items()
            manifest = Manifest.of(store, records)
            store.close()
        else:
            described = [self._described(one) for one in self._segments]
            manifest = self._manifest.in_segments(described, list(self._unjudged), records)
        manifest.write(self.folder)
        return manifest

    def _described(self, segment: Segment) -> SegmentRecord:
        """Return the record of a segment with its files; checksums of unchanged files are not computed again."""
        files = {name: known for name, known in segment.record.files.items() if name != REMOVED}
        files = files or item_sums(segment.folder)
        if segment.record.removed:
            files[REMOVED] = file_sums(segment.folder / REMOVED)
        indexes = {}
        if segment.record.folder:
            for spec, one in self._records.items():
                indexes[spec] = with_index(one, segment.space_folder(one.folder)).index_digest
        return replace(segment.record, files=files, indexes=indexes)


def require_all(spec: str, index: Index, count: int) -> None:
    """Refuse to write an index that has lost items.

    Raises
    ------
    CollectionError
    """
    if len(index) != count:
        raise CollectionError(f"the index of '{spec}' holds {len(index):,} of {count:,} items: nothing was changed")


def _require_whole(segment: Segment) -> None:
    """Refuse to merge damaged items: checksums of the merged file would hide the damage."""
    for name, known in segment.record.files.items():
        if known and name != REMOVED:
            check_file(segment.folder / name, known, whole=True)


def _removing(segment: Segment, removed: Removed) -> Segment:
    write_removed(segment.folder, removed)
    return Segment(replace(segment.record, removed=len(removed.rows)), segment.folder, removed)
