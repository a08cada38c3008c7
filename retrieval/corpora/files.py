"""Reading files: plain or gzipped, one by one or out of a folder, tar or zip; nothing is unpacked to disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import posixpath
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from encoders.errors import CorpusError, NearbyError, one_line
from encoders.plain_file import open_plain
from retrieval.corpora.base import OnBad, raise_bad
from retrieval.corpora.bounds import buffered, decompressed_limit, too_large
from retrieval.corpora.links import NO_FILE, Links, hidden, walk
from retrieval.corpora.skipped import SkippedFiles

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".zip")
#: A single file above this is not read: memory must not depend on what an archive claims.
MAX_FILE_BYTES = 256 * 2**20
_DECOMPRESS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\0": lzma.open,
    b"BZh": bz2.open,
}
#: A link in a zip holds its target; a longer one is no path.
_LONGEST_TARGET = 4096
#: What reading a cut-off or overwritten compressed file raises.
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile)
#: What they raise, beside, on one that is damaged in a way that they do not foresee.
_SURPRISES = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RuntimeError, struct.error)


class File(NamedTuple):
    """One file of a folder or archive: its name relative to that, with ``/``, and its bytes."""

    name: str
    raw: bytes


class OpenFile(NamedTuple):
    """One file of a folder or archive, open for reading from its beginning; the stream can seek."""

    name: str
    stream: IO[bytes]


def is_archive(path: Path) -> bool:
    """Tell whether a path is named like a tar or zip."""
    return path.name.lower().endswith(ARCHIVES)


def read_files(
    path: Path,
    wanted: Callable[[str], bool],
    on_bad: OnBad = raise_bad,
    skipped: SkippedFiles | None = None,
    max_bytes: int | None = None,
    largest: int | None = None,
) -> Iterator[File]:
    """Read the wanted files of a folder (sorted) or archive (in its own order), one at a time.

    Links to files and folders are followed, in archives too. Hidden files, broken links, links that lead back to a
    folder above them, devices and what may not be opened are counted in `skipped`. An archive may decompress to
    `max_bytes` (`bounds.decompressed_limit`), one file of it to `largest`, and to `MAX_FILE_BYTES` in any case.

    Raises
    ------
    CorpusError
        When the folder or archive is missing or damaged; a single unreadable file goes to `on_bad`.
    """
    for name, stream in open_files(path, wanted, on_bad, skipped, max_bytes, largest):
        try:
            raw = stream.read()
        except OSError as error:
            on_bad(CorpusError(f"{path}: {name} cannot be read: {error.strerror or error}"))
            continue
        yield File(name, raw)


def open_files(
    path: Path,
    wanted: Callable[[str], bool],
    on_bad: OnBad = raise_bad,
    skipped: SkippedFiles | None = None,
    max_bytes: int | None = None,
    largest: int | None = None,
) -> Iterator[OpenFile]:
    """Open the wanted files of a folder or archive one after another, as `read_files` does, for what needs no more
    of them than their beginning; each is closed when the next is asked for."""
    skipped = SkippedFiles() if skipped is None else skipped

    most = MAX_FILE_BYTES if largest is None else min(largest, MAX_FILE_BYTES)

    def chosen(name: str, size: int) -> bool:
        if hidden(name):
            skipped.add("hidden", name)
            return False
        if not wanted(name):
            return False
        if size > most:
            on_bad(CorpusError(f"{path}: {name} has {size:,} bytes, more than the {most:,} that are read"))
            return False
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            on_bad(CorpusError(f"{path}: the file name {name!a} is not UTF-8: rename the file"))
            return False
        return True

    with reading(path):
        if path.is_dir():
            yield from _open_folder(path, chosen, skipped)
        elif path.name.lower().endswith(".zip"):
            yield from _open_zip(path, chosen, on_bad, skipped, max_bytes)
        else:
            yield from _open_tar(path, chosen, skipped, max_bytes)


def list_names(path: Path, max_bytes: int | None = None) -> Iterator[str]:
    """Name the files of a folder or archive, in the order of `read_files`, without reading their contents.

    Names that only links inside an archive give are left out.
    """
    with reading(path):
        if path.is_dir():
            yield from (name for name, _ in walk(path, SkippedFiles()))
        elif path.name.lower().endswith(".zip"):
            with opened_zip(path) as archive:
                names = (posixpath.normpath(info.filename) for info in archive.infolist() if not info.is_dir())
                yield from (name for name in names if not hidden(name))
        else:
            with _tar_stream(path, max_bytes) as archive:
                for member in archive:
                    name = posixpath.normpath(member.name)
                    if member.isreg() and not hidden(name):
                        yield name


def folders_of(name: str, archive: Path) -> list[str]:
    """Return the folders that a file lies in, without the archive's own name (``faces/`` in ``faces.tar``).

    Examples
    --------
    >>> folders_of("orl_faces/s1/1.pgm", Path("orl_faces.tar.xz"))
    ['s1']
    """
    folders = name.split("/")[:-1]
    own = bool(folders) and is_archive(archive) and archive.name.startswith(f"{folders[0]}.")
    return folders[1:] if own else folders


def _open_folder(folder: Path, chosen: Callable[[str, int], bool], skipped: SkippedFiles) -> Iterator[OpenFile]:
    for name, path in walk(folder, skipped):
        try:
            if not chosen(name, path.stat().st_size):
                continue
            stream = open_plain(path)
        except OSError as error:
            skipped.add(f"not readable ({(error.strerror or str(error)).lower()})", name)
            continue
        with stream:
            yield OpenFile(name, stream)


def _open_zip(
    path: Path, chosen: Callable[[str, int], bool], on_bad: OnBad, skipped: SkippedFiles, max_bytes: int | None
) -> Iterator[OpenFile]:
    with opened_zip(path) as archive:
        most, given = decompressed_limit(path.stat().st_size, max_bytes), 0
        present: dict[str, zipfile.ZipInfo] = {}
        links = Links()
        for info in archive.infolist():
            name = posixpath.normpath(info.filename)
            if info.is_dir():
                continue
            given += info.file_size
            if given > most:
                raise too_large(path, most)
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
    """Open a zip, whose every damage is a `CorpusError`."""
    with reading(path), damage_said(path), open_plain(path) as file, zipfile.ZipFile(file) as archive:
        yield archive


def _zipped(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, path: Path, on_bad: OnBad
) -> Iterator[OpenFile]:
    try:
        raw = archive.read(info)
    except (*DAMAGED, *_SURPRISES) as error:
        on_bad(CorpusError(f"{path}: {name} cannot be read: {one_line(error)}"))
    else:
        yield OpenFile(name, io.BytesIO(raw))


def _open_tar(
    path: Path, chosen: Callable[[str, int], bool], skipped: SkippedFiles, max_bytes: int | None
) -> Iterator[OpenFile]:
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
    # A tar is read front to back: what its links lead to is met again in a second pass, which few archives need.
    for member, target, raw in _members(path, max_bytes) if names_of else ():
        if member.isreg():
            for name in names_of.pop(target, ()):
                if chosen(name, member.size):
                    yield OpenFile(name, io.BytesIO(raw()))


def _members(path: Path, max_bytes: int | None) -> Iterator[tuple[tarfile.TarInfo, str, Callable[[], bytes]]]:
    """Yield the members of a tar, their plain names, and what reads the content of each."""
    with _tar_stream(path, max_bytes) as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # tarfile would remember every member it has passed
            yield member, posixpath.normpath(member.name), _Once(archive, member)


class _Once:
    """The content of a member of a tar that is read front to back: read when first asked for, then kept."""

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
    """Open a tar, compressed or not, to be read front to back: decompressed once a pass and never held."""
    with damage_said(path), open_plain(path) as file:
        magic = file.read(6)
        file.seek(0)
        opener = next((function for start, function in _DECOMPRESS.items() if magic.startswith(start)), None)
        most = decompressed_limit(path.stat().st_size, max_bytes)
        stream = file if opener is None else buffered(opener(file), path, most)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            yield archive
        # To the very end: only there does a decompressor find out that the file is cut off.
        while stream.read(2**16):
            pass


@contextmanager
def damage_said(path: Path) -> Iterator[None]:
    """Turn what Python's readers of archives and tables let slip on a damaged file into a `CorpusError`."""
    try:
        yield
    except NearbyError:
        raise
    except _SURPRISES as error:
        raise CorpusError(f"{path} is damaged or not what its name says: {one_line(error)}") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the system raises about a missing or damaged file into a `CorpusError` that names it."""
    try:
        yield
    except DAMAGED as error:
        raise CorpusError(f"{path} is damaged or not what its name says: {one_line(error)}") from error
    except FileNotFoundError:
        raise CorpusError(f"{path} does not exist") from None
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {one_line(error.strerror or error)}") from error


@contextmanager
def open_bytes(path: Path, max_bytes: int | None = None) -> Iterator[IO[bytes]]:
    """Open a file, decompressing it where its name ends in ``.gz``: to `max_bytes` at most (`decompressed_limit`)."""
    with reading(path), open_plain(path) as file:
        if path.suffix != ".gz":
            yield file
            return
        most = decompressed_limit(path.stat().st_size, max_bytes)
        with buffered(gzip.GzipFile(fileobj=file), path, most) as stream:
            yield stream


def plain_name(path: Path) -> str:
    """Return the lower-case name without ``.gz``.

    Examples
    --------
    >>> plain_name(Path("Corpus.jsonl.gz"))
    'corpus.jsonl'
    """
    return path.name.lower().removesuffix(".gz")


def existing(folder: Path, name: str) -> Path | None:
    """Return ``folder/name`` or ``folder/name.gz``, whichever is there."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None
