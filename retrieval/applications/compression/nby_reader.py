"""Reading of ``.nby`` files: the header is checked against the size of the file before memory is allocated."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.checksums import SUM_BYTES, sum_of
from encoders.errors import ArtifactError
from encoders.numbers import counted
from encoders.plain_file import open_plain
from retrieval.applications.compression.nby_file import (
    END_MAGIC,
    ENTRY_BYTES,
    FOOTER,
    LOST_IDS,
    LOST_ITEMS,
    MAX_DECODED_BYTES,
    OPTIONAL,
    REPAIRABLE,
    DamagedChunkError,
    Section,
)
from retrieval.applications.compression.nby_head import Head, read_head
from retrieval.applications.compression.repair import repair_bytes, repair_data, repaired

_ENTRY = np.dtype([("bytes", "<u4"), ("sum", f"V{SUM_BYTES}")])
assert _ENTRY.itemsize == ENTRY_BYTES  # noqa: S101


class NbyReader:
    """An open ``.nby`` file; sections and chunks are read when they are asked for, and checked.

    Attributes
    ----------
    path : Path
    header : Header
    size : int
        Bytes of the file.
    missing_bytes : int
        How many bytes were cut off its end; the chunks before the cut can be read.
    extra_bytes : int
        How many bytes follow its end, as a copy that fills its last block leaves them; they are not read.
    """

    def __init__(self, file: BufferedReader, path: Path) -> None:
        self.path, self._file = path, file
        self.size = os.fstat(file.fileno()).st_size
        #: A sentence for each damage by which nothing is lost, so far.
        self.repaired: list[str] = []
        head = read_head(file, path, self.size)
        self.header, self._is_repairable = head.header, head.version >= REPAIRABLE
        if head.damage:
            self.repaired.append(head.damage)
        self._section_starts: dict[str, int] = {}
        tables: dict[str, int] = {}
        at = len(head.data)
        for section in self.header.sections:
            self._section_starts[section.name] = at
            at += section.size
        for stream in self.header.streams:
            tables[stream.name] = at
            at += self.header.chunks * ENTRY_BYTES
        if at > self.size:
            raise ArtifactError(
                f"{path} is damaged: it says {self.header.items:,} items in {self.header.chunks:,} chunks, whose table "
                f"would end at byte {at:,}, but the file has {self.size:,} bytes"
            )
        end = at + sum(stream.size for stream in self.header.streams)
        self._repairs, end = self._located_repairs(tables, end)
        if self._is_repairable:
            end = self._require_copy(head, end)
        self.missing_bytes, self.extra_bytes = max(0, end - self.size), max(0, self.size - end)
        self._tables: dict[str, NDArray[Any]] = {}
        self._starts: dict[str, NDArray[np.int64]] = {}
        for stream in self.header.streams:
            table = Section(stream.name, self.header.chunks * ENTRY_BYTES, stream.table)
            entries = np.frombuffer(self._checked(table, tables[stream.name], "the chunk table of"), _ENTRY)
            ends = np.cumsum(entries["bytes"], dtype=np.int64)
            if int(ends[-1] if len(ends) else 0) != stream.size:
                raise ArtifactError(f"{path} is damaged: the chunks of '{stream.name}' do not have the size of all")
            self._tables[stream.name], self._starts[stream.name] = entries, at + ends - entries["bytes"]
            at += stream.size

    def _located_repairs(self, tables: Mapping[str, int], at: int) -> tuple[dict[int, int], int]:
        """Return where the repair data of each part begins, by the start of the part; and where all of it ends."""
        repair_starts: dict[int, int] = {}
        if self._is_repairable:
            sizes = [(self._section_starts[section.name], section.size) for section in self.header.sections]
            sizes += [(start, self.header.chunks * ENTRY_BYTES) for start in tables.values()]
            for start, size in sizes:
                if size:
                    repair_starts[start] = at
                    at += repair_bytes(size)
        return repair_starts, at

    def _require_copy(self, head: Head, at: int) -> int:
        """Note where the copy of the head is damaged; return its end."""
        copy = head.data + FOOTER.pack(len(head.data), END_MAGIC)
        end = at + len(copy)
        if not head.damage and end <= self.size and self._read_at(at, len(copy)) != copy:
            self.repaired.append(f"{self.path} is damaged: the copy of its header has other bytes; nothing is lost")
        return end

    def _read_at(self, start: int, size: int) -> bytes:
        self._file.seek(start)
        # A table may say that a chunk has 4 GiB: no more memory is taken than the file has bytes.
        return self._file.read(max(0, min(size, self.size - start)))

    @property
    def parts(self) -> dict[str, int]:
        """Bytes of each part of the whole file: items and ids, with their chunk tables; each section, with its repair
        data; the header, with its copy and the repair data of the tables.
        """
        table = self.header.chunks * ENTRY_BYTES
        streams = {stream.name: stream.size + table for stream in self.header.streams}
        ids = {"ids": streams.pop("ids")} if "ids" in streams else {}
        sections = {section.name: section.size + self._repair_size(section.size) for section in self.header.sections}
        parts = {"items": sum(streams.values()), **ids, **sections}
        whole = self.size + self.missing_bytes - self.extra_bytes
        return {**parts, "header": whole - sum(parts.values())}

    def _repair_size(self, size: int) -> int:
        return repair_bytes(size) if self._is_repairable else 0

    def has_section(self, name: str) -> bool:
        """Return whether the file has a section."""
        return name in self._section_starts

    def section(self, name: str) -> bytes:
        """Return the bytes of a section.

        Raises
        ------
        ArtifactError
            When it is missing or damaged.
        """
        for section in self.header.sections:
            if section.name == name:
                return self._checked(section, self._section_starts[name], "section")
        raise ArtifactError(f"{self.path} is corrupt: it has no section '{name}'")

    def _checked(self, section: Section, start: int, what: str) -> bytes:
        data = self._read_at(start, section.size)
        repair = self._repair_data(start, section.size)
        if sum_of(data) == section.checksum:
            if repair is not None and repair != repair_data(data):
                self._note(f"the repair data of {what} '{section.name}' have other bytes; nothing is lost")
            return data
        right = None if repair is None else repaired(data, repair)
        if right is None or sum_of(right) != section.checksum:
            raise ArtifactError(
                f"{self.path} is damaged: {what} '{section.name}' does not have the checksum in the header"
            )
        self._note(f"{what} '{section.name}' had other bytes and is repaired; nothing is lost")
        return right

    def _repair_data(self, start: int, size: int) -> bytes | None:
        """Return the repair data of the part at a position; None if the file has none, or they are cut off."""
        at = self._repairs.get(start)
        if at is None or at + repair_bytes(size) > self.size:
            return None
        return self._read_at(at, repair_bytes(size))

    def _note(self, what: str) -> None:
        if (line := f"{self.path} is damaged: {what}") not in self.repaired:
            self.repaired.append(line)

    def chunk(self, stream: str, number: int) -> bytes:
        """Return the bytes of one chunk of a stream; empty where the file has no such stream.

        Raises
        ------
        DamagedChunkError
            Naming the chunk and its items.
        """
        if stream not in self._tables:
            return b""
        entry = self._tables[stream][number]
        data = self._read_at(int(self._starts[stream][number]), int(entry["bytes"]))
        if len(data) == int(entry["bytes"]) and sum_of(data) == entry["sum"].tobytes():
            return data
        raise self.damaged(number, "cut off" if len(data) < int(entry["bytes"]) else "another checksum", stream)

    def require_room(self, chunk: int, bytes_per_item: int) -> None:
        """Refuse a chunk whose items need more memory than those of any file that nearby writes, before it is decoded.

        Parameters
        ----------
        chunk : int
        bytes_per_item : int
            Of an item, or of its code, in memory.

        Raises
        ------
        ArtifactError
        """
        count = len(self.header.items_of(chunk))
        if count * bytes_per_item > MAX_DECODED_BYTES:
            raise ArtifactError(
                f"{self.path} is corrupt: chunk {chunk + 1:,} holds {counted(count, 'item')} of {bytes_per_item:,} "
                "bytes in memory, more than a file of 'nearby compress' has in one chunk"
            )

    def stream_start(self, stream: str) -> int:
        """Return where the chunks of a stream begin."""
        return int(self._starts[stream][0])

    def damaged(self, number: int, why: str, stream: str) -> DamagedChunkError:
        """Return the error for a chunk that cannot be used."""
        return DamagedChunkError(
            number,
            self.header.items_of(number),
            location=(str(self.path), f"of {self.header.chunks:,} of '{stream}'"),
            why=why,
            lost=LOST_IDS if stream in OPTIONAL else LOST_ITEMS,
        )


@contextmanager
def open_reader(path: Path) -> Iterator[NbyReader]:
    """Yield a reader of a ``.nby`` file.

    Raises
    ------
    ArtifactError
        When the file is missing, foreign, of a newer format, or damaged before its first chunk.
    """
    try:
        file = open_plain(path)
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror}") from None
    with file:
        yield NbyReader(file, path)
