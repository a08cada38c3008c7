"""The head of a ``.nby`` file, read from its start or, where that is damaged, from its copy at the end."""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from encoders.checksums import SUM_BYTES, sum_of
from encoders.errors import ArtifactError, one_line
from encoders.json_text import parse_json
from retrieval.applications.compression.nby_file import (
    END_MAGIC,
    FOOTER,
    FORMAT,
    MAGIC,
    MAX_HEADER_BYTES,
    PREFIX,
    Header,
)

#: Number of bytes at the end in which the copy is looked for: other bytes may follow it.
_SEARCHED = 1 << 16


class Head(NamedTuple):
    """A head that was read: prefix, header and checksum.

    Attributes
    ----------
    version : int
        Of the format of the file.
    header : Header
    data : bytes
        As they stand in the file; the sections follow.
    damage : str
        What is wrong with the start of the file, if the copy was read.
    """

    version: int
    header: Header
    data: bytes
    damage: str = ""


def head_bytes(header: bytes) -> bytes:
    """Return a head with a header."""
    head = PREFIX.pack(MAGIC, FORMAT, len(header)) + header
    return head + sum_of(head)


def read_head(file: BufferedReader, path: Path, size: int) -> Head:
    """Return the head of a file of `size` bytes.

    Raises
    ------
    ArtifactError
        When neither the start nor the copy can be read: the file is empty, foreign, newer or damaged. It says what is
        wrong with the start.
    """
    try:
        return _head_at(0, size, file, path, size)
    except ArtifactError:
        copy = _copied_head(file, path, size)
        if copy is None:
            raise
        damage = f"{path} is damaged: its header has other bytes and is read from the copy at the end; nothing is lost"
        return copy._replace(damage=damage)


def _copied_head(file: BufferedReader, path: Path, size: int) -> Head | None:
    start = max(0, size - _SEARCHED)
    file.seek(start)
    at = file.read(_SEARCHED).rfind(END_MAGIC)
    footer = start + at + len(END_MAGIC) - FOOTER.size
    if at < 0 or footer < 0:
        return None
    file.seek(footer)
    length, _ = FOOTER.unpack(file.read(FOOTER.size))
    try:
        return _head_at(footer - length, footer, file, path, size) if length <= footer else None
    except ArtifactError:
        return None


def _head_at(at: int, end: int, file: BufferedReader, path: Path, size: int) -> Head:
    """Return the head that begins at a position and ends before another one."""
    file.seek(at)
    start = file.read(PREFIX.size)
    if not start:
        raise ArtifactError(f"{path} is empty: it was not written by 'nearby compress', or all of it was lost")
    if not start.startswith(MAGIC):
        raise ArtifactError(f"{path} was not written by 'nearby compress': it begins with other bytes")
    if len(start) < PREFIX.size:
        raise ArtifactError(f"{path} is cut: it has {size:,} bytes, not even a header")
    _, version, length = PREFIX.unpack(start)
    if version > FORMAT:
        raise ArtifactError(f"{path} has format {version}, this nearby reads up to {FORMAT}: install a newer nearby")
    if length > MAX_HEADER_BYTES or at + PREFIX.size + length + SUM_BYTES > end:
        raise ArtifactError(f"{path} is cut or damaged: its header would have {length:,} bytes, the file has {size:,}")
    text, known = file.read(length), file.read(SUM_BYTES)
    if known != sum_of(start + text):
        raise ArtifactError(f"{path} is damaged: its header does not have the checksum behind it")
    try:
        return Head(version, Header.from_json(parse_json(text)), start + text + known)
    except (LookupError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path} is corrupt: its header cannot be read, {one_line(error)}") from None
