"""The files of a zip or tar, one at a time; nothing is unpacked to disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import posixpath
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from encoders.errors import CorpusError, one_line
from encoders.plain_file import open_plain
from retrieval.corpora.base import OnBad
from retrieval.corpora.files import DAMAGED, UNEXPECTED, reading, unexpected_damage
from retrieval.corpora.links import NO_FILE, Links
from retrieval.corpora.size_limits import buffered, decompressed_limit, too_large
from retrieval.corpora.skipped import SkippedFiles

_DECOMPRESS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\0": lzma.open,
    b"BZh": bz2.open,
}
#: A link in a zip holds its target; a longer content is no path.
_LONGEST_TARGET = 4096
#: Tells by name and size whether a file is read.
Chosen = Callable[[str, int], bool]


class OpenFile(NamedTuple):
    """One file of a folder or archive, open for reading from its beginning; the stream can seek."""

    name: str
    stream: IO[bytes]


def is_zip(path: Path) -> bool:
    """Return whether a path is named like a zip."""
    return path.name.lower().endswith(".zip")


def zip_names(path: Path) -> Iterator[str]:
    """Yield the names of the files of a zip, as they are written there."""
    with opened_zip(path) as archive:
        yield from (posixpath.normpath(info.filename) for info in archive.infolist() if not info.is_dir())


def tar_names(path: Path, max_bytes: int | None) -> Iterator[str]:
    """Yield the names of the regular files of a tar."""
    with _tar_stream(path, max_bytes) as archive:
        yield from (posixpath.normpath(member.name) for member in archive if member.isreg())


def open_zip(
    path: Path, chosen: Chosen, on_bad: OnBad, skipped: SkippedFiles, max_bytes: int | None
) -> Iterator[OpenFile]:
    """Open the chosen files of a zip one after another, also under the names that links give them.

    Raises
    ------
    CorpusError
        When the zip holds more than it may (`size_limits.decompressed_limit`); a damaged file goes to `on_bad`.
    """
    with opened_zip(path) as archive:
        limit, total = decompressed_limit(path.stat().st_size, max_bytes), 0
        present: dict[str, zipfile.ZipInfo] = {}
        links = Links()
        for info in archive.infolist():
            name = posixpath.normpath(info.filename)
            if info.is_dir():
                continue
            total += info.file_size
            if total > limit:
                raise too_large(path, limit)
            if stat.S_ISLNK(info.external_attr >> 16) and info.file_size <= _LONGEST_TARGET:
                links.add(name, os.fsdecode(archive.read(info)))
                continue
            present[name] = info
            if chosen(name, info.file_size):
                yield from _zipped(archive, info, name, path, on_bad)
        for name, target in links.resolved(present, skipped):
            if chosen(name, present[target].file_size):
                yield from _zipped(archive, present[target], name, path, on_bad)


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip, and turn every damage into a `CorpusError`."""
    with reading(path), unexpected_damage(path), open_plain(path) as file, zipfile.ZipFile(file) as archive:
        yield archive


def _zipped(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, path: Path, on_bad: OnBad
) -> Iterator[OpenFile]:
    try:
        raw = archive.read(info)
    except (*DAMAGED, *UNEXPECTED) as error:
        on_bad(CorpusError(f"{path}: {name} cannot be read: {one_line(error)}"))
    else:
        yield OpenFile(name, io.BytesIO(raw))


def open_tar(path: Path, chosen: Chosen, skipped: SkippedFiles, max_bytes: int | None) -> Iterator[OpenFile]:
    """Open the chosen files of a tar one after another, then those that links give further names."""
    links = Links()
    present: dict[str, None] = {}
    for member, name, raw in _members(path, max_bytes):
        if member.issym() or member.islnk():
            folder = posixpath.dirname(name) if member.issym() else ""
            links.add(name, posixpath.join(folder, member.linkname), joined=True)
        elif member.isreg():
            present[name] = None
            if chosen(name, member.size):
                yield OpenFile(name, io.BytesIO(raw()))
        elif not member.isdir():
            skipped.add(NO_FILE, name)
    if not links:
        return
    names_of: dict[str, list[str]] = {}
    for name, target in links.resolved(present, skipped):
        names_of.setdefault(target, []).append(name)
    # A tar is read front to back, so the targets of its links are read in a second pass, which few archives need.
    for member, target, raw in _members(path, max_bytes) if names_of else ():
        if member.isreg():
            for name in names_of.pop(target, ()):
                if chosen(name, member.size):
                    yield OpenFile(name, io.BytesIO(raw()))


def _members(path: Path, max_bytes: int | None) -> Iterator[tuple[tarfile.TarInfo, str, Callable[[], bytes]]]:
    """Yield the members of a tar, their plain names, and a function that reads the content of each."""
    with _tar_stream(path, max_bytes) as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # tarfile would keep every member that it has passed
            yield member, posixpath.normpath(member.name), _Once(archive, member)


class _Once:
    """The content of a member of a tar that is read front to back: read at the first call, then kept."""

    def __init__(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        self._archive, self._member = archive, member
        self._raw: bytes | None = None

    def __call__(self) -> bytes:
        if self._raw is None:
            stream = self._archive.extractfile(self._member)
            self._raw = b"" if stream is None else stream.read()
        return self._raw


@contextmanager
def _tar_stream(path: Path, max_bytes: int | None) -> Iterator[tarfile.TarFile]:
    """Open a tar, compressed or not, to be read front to back: decompressed in each pass, never held as a whole."""
    with unexpected_damage(path), open_plain(path) as file:
        magic = file.read(6)
        file.seek(0)
        opener = next((function for start, function in _DECOMPRESS.items() if magic.startswith(start)), None)
        limit = decompressed_limit(path.stat().st_size, max_bytes)
        stream = file if opener is None else buffered(opener(file), path, limit)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            yield archive
        # A decompressor notices only at the end that the file is truncated.
        while stream.read(2**16):
            pass
