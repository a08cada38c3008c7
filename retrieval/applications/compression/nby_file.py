r"""The layout of a ``.nby`` file: a container of compressed items that does not depend on the method of compression.

All numbers are little-endian::

    magic        8 bytes  b"\x8fNBY\r\n\x1a\n": not text, and changed by programs that convert line ends (as in PNG)
    version      4 bytes
    header size  4 bytes
    header       JSON in UTF-8: method, items, items per chunk, sections, streams, and what the method writes down
    checksum    16 bytes  of all bytes before it
    sections     one after another: the encoder, the tables of the method, ...
    tables       one for each stream: 20 bytes for each chunk, its size (4) and its checksum (16)
    streams      one after another, each the chunks of a stream: "codes", "ids", ...
    repair data  one for each section and table: what gives back a damaged block of it (see `repair`)
    copy         of all bytes before the sections: magic to checksum
    copy size    4 bytes
    end          8 bytes  b"\n\x1a\n\rYBN\x8f"

Chunk i of every stream holds the items from ``i * items_per_chunk`` on, so that one item is read with one chunk of each
stream. Everything that locates chunks stands before them: a file that is cut gives back the chunks before the cut. What
all items need stands there too, and can be repaired by what stands behind them. Format 1 ends with the streams.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from encoders.checksums import SUM_BYTES
from encoders.codes import whole_number
from encoders.errors import ArtifactError

MAGIC = b"\x8fNBY\r\n\x1a\n"
END_MAGIC = MAGIC[::-1]
FORMAT = 2
#: The first format with repair data and a copy of the head.
REPAIRABLE = 2
KIND = "a compressed corpus"
PREFIX = struct.Struct("<8sII")
FOOTER = struct.Struct("<I8s")
MAX_HEADER_BYTES = 1 << 20
#: A chunk is decoded in memory, so a file cannot ask for more.
MAX_ITEMS_PER_CHUNK = 1 << 16
MAX_ITEMS = 1 << 62
#: Streams that are left out where all their chunks are empty; of every other, the table bounds the number of items.
OPTIONAL = frozenset({"ids"})
ENTRY_BYTES = 4 + SUM_BYTES
MAX_CHUNK_BYTES = (1 << 32) - 1
#: Largest number of bytes of the items of one chunk after decoding.
MAX_DECODED_BYTES = 1 << 30


LOST_ITEMS = "items {} are lost"
LOST_IDS = "the ids of items {} are lost, and their positions stand instead"


class DamagedChunkError(ArtifactError):
    """A chunk is missing or damaged; the other chunks can be read.

    Attributes
    ----------
    chunk : int
        The number of the chunk, from 0.
    items : range
        The items that are lost.
    location : tuple of str
        The file, and which chunks of it.
    why : str
    lost : str
        What is lost of the items ``{}``.
    """

    def __init__(
        self, chunk: int, items: range, *, location: tuple[str, str], why: str, lost: str = LOST_ITEMS
    ) -> None:
        self.chunk, self.items, self.location, self.why, self.lost = chunk, items, location, why, lost
        super().__init__(_damage_line(self, self))

    def is_followed_by(self, other: DamagedChunkError) -> bool:
        """Return whether another chunk is the next one, with the same damage."""
        return (self.chunk + 1, self.location, self.why, self.lost) == (
            other.chunk,
            other.location,
            other.why,
            other.lost,
        )


def damage_lines(errors: Sequence[DamagedChunkError]) -> list[str]:
    r"""Return what is damaged: a sentence for all neighbouring chunks with the same damage.

    Examples
    --------
    >>> location = ("x.nby", "of 9 of 'codes'")
    >>> errors = [
    ...     DamagedChunkError(at, range(4 * at, 4 * at + 4), location=location, why="cut off") for at in (1, 2, 3, 7)
    ... ]
    >>> print(*damage_lines(errors), sep="\n")
    x.nby is damaged in chunks 2 to 4 of 9 of 'codes' (cut off): items 4 to 15 are lost
    x.nby is damaged in chunk 8 of 9 of 'codes' (cut off): items 28 to 31 are lost
    """
    groups: list[list[DamagedChunkError]] = []
    for error in errors:
        if groups and groups[-1][-1].is_followed_by(error):
            groups[-1].append(error)
        else:
            groups.append([error])
    return [_damage_line(group[0], group[-1]) for group in groups]


def _damage_line(first: DamagedChunkError, last: DamagedChunkError) -> str:
    file, where = first.location
    chunks = f"chunk {first.chunk + 1:,}" if first is last else f"chunks {first.chunk + 1:,} to {last.chunk + 1:,}"
    rows = f"{first.items.start:,} to {last.items.stop - 1:,}"
    return f"{file} is damaged in {chunks} {where} ({first.why}): {first.lost.format(rows)}"


@dataclass(frozen=True)
class Section:
    """A part of the file that belongs to all items, or the chunk table of a stream."""

    name: str
    size: int
    checksum: bytes

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"name": self.name, "bytes": self.size, "sum": self.checksum.hex()}

    @classmethod
    def from_json(cls, value: Any) -> Section:
        """Read what `to_json` returned; raises LookupError, TypeError or ValueError."""
        if not isinstance(value["name"], str):
            raise ValueError("the name of a section is not a text")
        known = bytes.fromhex(value["sum"])
        if len(known) != SUM_BYTES:
            raise ValueError(f"the checksum of section {ascii(value['name'])[:40]} has {len(known)} bytes")
        return cls(value["name"], whole_number(value["bytes"], MAX_ITEMS), known)


@dataclass(frozen=True)
class Stream:
    """The chunks of one kind: their number follows from the items, `table` is the checksum of their chunk table."""

    name: str
    size: int
    table: bytes

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return Section(self.name, self.size, self.table).to_json()

    @classmethod
    def from_json(cls, value: Any) -> Stream:
        """Read what `to_json` returned; raises LookupError, TypeError or ValueError."""
        section = Section.from_json(value)
        return cls(section.name, section.size, section.checksum)


@dataclass(frozen=True)
class Header:
    """What a file says about itself.

    Attributes
    ----------
    method : str
        The method of compression, e.g. ``quantized``.
    items, items_per_chunk : int
        Every chunk has `items_per_chunk` items, except the last.
    sections, streams : tuple
        In the order of the file.
    description : dict
        JSON values that the method writes down: spec, shapes, errors.
    """

    method: str
    items: int
    items_per_chunk: int
    sections: tuple[Section, ...] = ()
    streams: tuple[Stream, ...] = ()
    description: dict[str, Any] = field(default_factory=dict)

    @property
    def chunks(self) -> int:
        """Number of chunks of each stream.

        Examples
        --------
        >>> Header("quantized", 513, 256).chunks
        3
        """
        return -(-self.items // self.items_per_chunk)

    def items_of(self, chunk: int) -> range:
        """Return the positions of the items of a chunk."""
        start = chunk * self.items_per_chunk
        return range(start, min(start + self.items_per_chunk, self.items))

    def to_bytes(self) -> bytes:
        """Return the header as the JSON of the file."""
        value = {
            "nearby": KIND,
            "method": self.method,
            "items": self.items,
            "items_per_chunk": self.items_per_chunk,
            "sections": [section.to_json() for section in self.sections],
            "streams": [stream.to_json() for stream in self.streams],
            "description": self.description,
        }
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

    @classmethod
    def from_json(cls, value: Any) -> Header:
        """Read what `to_bytes` wrote, parsed.

        Raises
        ------
        LookupError, TypeError, ValueError
            When it is not a header.
        """
        if value["nearby"] != KIND:
            raise ValueError(f"it says that it is {ascii(value['nearby'])[:40]}")
        header = cls(
            value["method"],
            whole_number(value["items"], MAX_ITEMS),
            whole_number(value["items_per_chunk"], MAX_ITEMS_PER_CHUNK),
            tuple(map(Section.from_json, value["sections"])),
            tuple(map(Stream.from_json, value["streams"])),
            value["description"],
        )
        if not isinstance(header.method, str) or not isinstance(header.description, dict):
            raise ValueError("its method or description has another type")
        if not header.items_per_chunk:
            raise ValueError("its chunks have no items")
        if header.items and all(stream.name in OPTIONAL for stream in header.streams):
            raise ValueError(f"it says {header.items:,} items and has no chunks of them")
        for parts in (header.sections, header.streams):
            if len({part.name for part in parts}) != len(parts):
                raise ValueError("two of its parts have one name")
        return header
