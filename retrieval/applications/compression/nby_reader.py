"""Reading of ``.nby`` files: the header is checked against the size of the file before memory is allocated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.checksums import SUM_BYTES, sum_of
from encoders.errors import ArtifactError, one_line
from encoders.json_text import parse_json
from encoders.plain_file import open_plain
from retrieval.applications.compression.nby_file import (
    ENTRY_BYTES,
    FORMAT,
    LOST_IDS,
    LOST_ITEMS,
    MAGIC,
    MAX_HEADER_BYTES,
    OPTIONAL,
    PREFIX,
    DamagedChunkError,
    Header,
    Section,
)

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
        self.header = self._read_header()
        self._section_starts: dict[str, int] = {}
        tables: dict[str, int] = {}
        at = file.tell()
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

    def _read_header(self) -> Header:
        start = self._file.read(PREFIX.size)
        if not start:
            raise ArtifactError(f"{self.path} is empty: it was not written by 'nearby compress', or all of it was lost")
        if not start.startswith(MAGIC):
            raise ArtifactError(f"{self.path} was not written by 'nearby compress': it begins with other bytes")
        if len(start) < PREFIX.size:
            raise ArtifactError(f"{self.path} is cut: it has {self.size:,} bytes, not even a header")
        _, version, length = PREFIX.unpack(start)
        if version > FORMAT:
            raise ArtifactError(
                f"{self.path} has format {version}, this nearby reads up to {FORMAT}: install a newer nearby"
            )
        if length > MAX_HEADER_BYTES or PREFIX.size + length + SUM_BYTES > self.size:
            raise ArtifactError(
                f"{self.path} is cut or damaged: its header would have {length:,} bytes, the file has {self.size:,}"
            )
        text = self._file.read(length)
        if self._file.read(SUM_BYTES) != sum_of(start + text):
            raise ArtifactError(f"{self.path} is damaged: its header does not have the checksum behind it")
        try:
            return Header.from_json(parse_json(text))
        except (LookupError, TypeError, ValueError) as error:
            raise ArtifactError(f"{self.path} is corrupt: its header cannot be read, {one_line(error)}") from None

    @property
    def parts(self) -> dict[str, int]:
        """Bytes of each part of the whole file: items and ids, with their chunk tables, each section, the header."""
        table = self.header.chunks * ENTRY_BYTES
        streams = {stream.name: stream.size + table for stream in self.header.streams}
        ids = {"ids": streams.pop("ids")} if "ids" in streams else {}
        sections = {section.name: section.size for section in self.header.sections}
        parts = {"items": sum(streams.values()), **ids, **sections}
        whole = self.size + self.missing_bytes - self.extra_bytes
        return {**parts, "header": whole - sum(parts.values())}

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
        self._file.seek(start)
        data = self._file.read(section.size)
        if sum_of(data) != section.checksum:
            raise ArtifactError(
                f"{self.path} is damaged: {what} '{section.name}' does not have the checksum in the header"
            )
        return data

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
        self._file.seek(int(self._starts[stream][number]))
        data = self._file.read(int(entry["bytes"]))
        if len(data) == int(entry["bytes"]) and sum_of(data) == entry["sum"].tobytes():
            return data
        raise self.damaged(number, "cut off" if len(data) < int(entry["bytes"]) else "another checksum", stream)

    def damaged(self, number: int, why: str, stream: str) -> DamagedChunkError:
        """Return the error for a chunk that cannot be used."""
        return DamagedChunkError(
            number,
            self.header.items_of(number),
            place=(str(self.path), f"of {self.header.chunks:,} of '{stream}'"),
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
