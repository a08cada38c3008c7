"""The segments of a generation: files of items, and the items that were removed from each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError
from encoders.npy import read_npy
from indexers.base import Index
from indexers.folder import write_array
from indexers.registry import load_index
from indexers.segment_merge import joined
from indexers.segmented import Segmented
from retrieval.collection.item_store import ItemStore
from retrieval.collection.manifest import ITEMS, Manifest
from retrieval.collection.segment_record import REMOVED, SegmentRecord
from retrieval.collection.vector_file import VECTORS
from retrieval.spaces.saved_space import INDEX

SPACES = "spaces"


class Removed(NamedTuple):
    """Removed items of a segment.

    Attributes
    ----------
    rows : ndarray int64 (m,)
        Their rows in the file of items, ascending.
    positions : ndarray int64 (m,)
        Their positions among all items of the segment, which are their rows in its indexes.
    """

    rows: NDArray[np.int64]
    positions: NDArray[np.int64]

    def with_more(self, rows: Sequence[int], store: ItemStore, count: int) -> Removed:
        """Return these and more removed items of a segment with `count` items."""
        every = np.union1d(self.rows, np.asarray(rows, np.int64))
        return Removed(every, store.positions(every, count))


#: Largest number of items in small indexes that are read into one when a collection is opened.
JOINED = 20_000
NONE = Removed(np.empty(0, np.int64), np.empty(0, np.int64))


class Segment(NamedTuple):
    """A segment on disk."""

    record: SegmentRecord
    folder: Path
    removed: Removed

    @property
    def items(self) -> Path:
        """The file of its items."""
        return self.folder / ITEMS

    def store(self, unjudged: Iterable[str] = ()) -> ItemStore:
        """Open its items without the removed ones."""
        return ItemStore(self.items, None, False, self.removed.rows.tolist(), unjudged, self._sums)

    def all_items(self) -> ItemStore:
        """Open its items with the removed ones."""
        return ItemStore(self.items, sums=self._sums)

    @property
    def _sums(self) -> dict[str, dict[str, Any]]:
        """The checksums of the files of items; an older nearby wrote none."""
        return {name: known for name, known in self.record.files.items() if name != REMOVED and known}

    def space_folder(self, name: str) -> Path:
        """Return the folder of the index of a space, given the name of the space's folder."""
        return self.folder / SPACES / Path(name).name


def segments_of(generation: Path, manifest: Manifest) -> list[Segment]:
    """Return the segments of a generation; a collection in one piece is one segment.

    Raises
    ------
    ArtifactError
        When the removed items of a segment cannot be read.
    """
    records = manifest.segments or (SegmentRecord("", manifest.count, manifest.items, files=manifest.files),)
    return [Segment(one, generation / one.folder, _removed_of(generation / one.folder, one)) for one in records]


def _removed_of(folder: Path, record: SegmentRecord) -> Removed:
    if not record.removed:
        return NONE
    path = folder / REMOVED
    try:
        removed = read_npy(path)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ArtifactError(f"{path} is corrupt: {error}") from error
    if removed.dtype != np.int64 or removed.shape != (2, record.removed) or not _ascend(removed, record.count):
        raise ArtifactError(f"{path} is corrupt: expected {record.removed:,} removed items of {record.count:,}")
    return Removed(*removed)


def _ascend(removed: NDArray[np.int64], count: int) -> bool:
    """Return whether rows (from 1) and positions (below `count`) can be those of removed items."""
    rows, positions = removed
    return bool(rows[0] >= 1 and positions[0] >= 0 and positions[-1] < count and (np.diff(removed, axis=1) > 0).all())


def write_removed(folder: Path, removed: Removed) -> None:
    """Write the removed items of a segment; a file that is there may belong to another generation, and stays whole."""
    (folder / REMOVED).unlink(missing_ok=True)
    if len(removed.rows):
        write_array(folder / REMOVED, np.stack(removed))


def removed_positions(segments: Iterable[Segment]) -> NDArray[np.int64]:
    """Return the positions of removed items, counted through all segments."""
    start, positions = 0, [np.empty(0, np.int64)]
    for segment in segments:
        positions.append(segment.removed.positions + start)
        start += segment.record.count
    return np.concatenate(positions)


def opened_index(segments: Sequence[Segment], space: str, first: str, mmap: bool, opened: Index | None = None) -> Index:
    """Open the index of a space over all segments.

    Parameters
    ----------
    segments : sequence of Segment
    space : str
        Name of the folder of the space.
    first : str
        Which index of the first segment: `INDEX`, or the codes beside it.
    mmap : bool
        See `load_index`.
    opened : Index, optional
        The index of the first segment, if it is open.

    Raises
    ------
    ArtifactError
        When an index cannot be read, or holds another number of items than its segment.
    """
    large = loaded(segments[0], space, first, mmap) if opened is None else opened
    parts = [large, *joined([loaded(segment, space, INDEX, mmap) for segment in segments[1:]], JOINED)]
    removed = removed_positions(segments)
    return Segmented(parts, removed) if len(parts) > 1 or len(removed) else parts[0]


def shares_vectors(segment: Segment, space: str, name: str) -> bool:
    """Return whether the codes of an index are a hard link to the file of the items' vectors."""
    vectors = segment.folder / VECTORS
    return vectors.is_file() and any(path.samefile(vectors) for path in (segment.space_folder(space) / name).iterdir())


def loaded(segment: Segment, space: str, name: str = INDEX, mmap: bool = True) -> Index:
    """Open the index of a space in one segment; see `opened_index`."""
    folder = segment.space_folder(space) / name
    index = load_index(folder, mmap)
    if len(index) != segment.record.count:
        raise ArtifactError(
            f"{folder} holds {len(index):,} of {segment.record.count:,} items: index the corpus again in a new folder"
        )
    return index
