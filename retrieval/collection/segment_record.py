"""The record of a segment in the manifest of a collection: a segment holds some of its items and their codes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from retrieval.spaces.saved_space import checked_name

#: Folder of a segment inside a generation; the first segment is in the generation itself.
SEGMENTS = "segments"
#: File of the removed items of a segment.
REMOVED = "removed.npy"
_FOLDER = re.compile(r"|segments/[0-9]{1,12}")
_MAX_ITEMS = 2**62


@dataclass(frozen=True)
class SegmentRecord:
    """The record of a segment.

    Attributes
    ----------
    folder : str
        Inside the generation; empty for the first segment.
    count : int
        Number of items in its files, removed ones included.
    items : str
        SHA-256 of the digests of all these items, in their order.
    removed : int
        Number of removed items.
    files : dict
        Checksums of the files of items and of removed items, by name; see `encoders.checksums.file_sums`.
    indexes : dict of str to str
        The digest of the index of each space, by its spec; the records of the spaces hold those of the first segment.
    """

    folder: str
    count: int
    items: str
    removed: int = 0
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """Number of items that were not removed."""
        return self.count - self.removed

    @classmethod
    def from_json(cls, value: Any) -> SegmentRecord:
        """Read the record of a segment from a manifest.

        Raises
        ------
        TypeError, ValueError
            When a field is missing, unknown, or cannot be.
        """
        if not isinstance(value, dict) or value.keys() != {one.name for one in fields(cls)}:
            raise TypeError("the record of a segment has other fields than nearby writes")
        record = cls(**value)
        if not isinstance(record.folder, str) or not _FOLDER.fullmatch(record.folder):
            raise ValueError("the folder of a segment is not one that nearby makes")
        for number, limit in ((record.count, _MAX_ITEMS), (record.removed, record.count)):
            if type(number) is not int or not 0 <= number <= limit:
                raise ValueError("a segment holds an impossible number of items")
        if not isinstance(record.items, str):
            raise TypeError("the digest of a segment is not a text")
        for texts in (record.files, record.indexes):
            if not isinstance(texts, dict):
                raise TypeError("the files of a segment are not named")
        for name in record.files:
            checked_name(name)
        return record


def segments_from_json(values: Iterable[Any], count: int) -> tuple[SegmentRecord, ...]:
    """Read the records of all segments from a manifest that says how many items they have together.

    Raises
    ------
    TypeError, ValueError
        When a record cannot be, or they cannot be the segments of one collection.
    """
    records = tuple(map(SegmentRecord.from_json, values))
    folders = [one.folder for one in records]
    if records and (folders[0] or "" in folders[1:] or len(set(folders)) < len(folders)):
        raise ValueError("two segments are in one folder, or none is the first")
    if records and sum(one.left for one in records) != count:
        raise ValueError("the segments do not have as many items as the collection")
    return records


def segments_digest(segments: Iterable[SegmentRecord]) -> str:
    """Return a digest that differs when items were added to, or removed from, these segments.

    It costs nothing per item, unlike a digest over the items in their order.
    """
    whole = hashlib.sha256()
    for one in segments:
        removed = one.files.get(REMOVED, {}).get("blocks", "")
        whole.update(f"{one.items} {one.removed} {removed}\n".encode())
    return whole.hexdigest()
