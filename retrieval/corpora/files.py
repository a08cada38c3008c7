"""Reading files: plain or gzipped, one by one or out of a folder, tar or zip; nothing is unpacked to disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import posixpath
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from encoders.errors import CorpusError, NearbyError, one_line
from encoders.plain_file import open_plain, read_plain
from retrieval.corpora.base import OnBad, raise_bad
from retrieval.corpora.bounds import buffered, decompressed_limit, too_large
from retrieval.corpora.skipped import SkippedFiles

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".zip")
#: A single file above this is not read: memory must not depend on what an archive claims.
MAX_FILE_BYTES = 256 * 2**20
_DECOMPRESS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\0": lzma.open,
    b"BZh": bz2.open,
}
#: What reading a cut-off or overwritten compressed file raises.
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile)
#: What they raise, beside, on one that is damaged in a way that they do not foresee.
_SURPRISES = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RuntimeError, struct.error)


class File(NamedTuple):
    """One file of a folder or archive: its name relative to that, with ``/``, and its bytes."""

    name: str
    raw: bytes


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

    Hidden files, links inside archives and devices are passed over; hidden ones are counted in `skipped`. An archive
    may decompress to `max_bytes` (`bounds.decompressed_limit`), one file of it to `largest`, and to `MAX_FILE_BYTES`
    in any case.

    Raises
    ------
    CorpusError
        When the folder or archive is missing or damaged; a single unreadable file goes to `on_bad`.
    """

    most = MAX_FILE_BYTES if largest is None else min(largest, MAX_FILE_BYTES)

    def chosen(name: str, size: int) -> bool:
        if hidden(name):
            if skipped is not None:
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
            yield from _read_folder(path, chosen, on_bad)
        elif path.name.lower().endswith(".zip"):
            yield from _read_zip(path, chosen, on_bad, max_bytes)
        else:
            yield from _read_tar(path, chosen, max_bytes)


def list_names(path: Path, max_bytes: int | None = None) -> Iterator[str]:
    """Name the files of a folder or archive, in the order of `read_files`, without reading their contents."""
    with reading(path):
        if path.is_dir():
            yield from (name for name, _ in _walk(path) if not hidden(name))
        elif path.name.lower().endswith(".zip"):
            with opened_zip(path) as archive:
                names = (posixpath.normpath(info.filename) for info in archive.infolist() if not info.is_dir())
                yield from (name for name in names if not hidden(name))
        else:
            with _open_tar(path, max_bytes) as archive:
                for member in archive:
                    name = posixpath.normpath(member.name)
                    if member.isreg() and not hidden(name):
                        yield name


def hidden(name: str) -> bool:
    """Tell whether a file is one that people do not see: ``.git/config``, ``__MACOSX/...``."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


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


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name every file below a folder, in order; however deep, none is on Python's stack."""
    waiting = [_entries(folder, "")]
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
            continue
        name, entry = found
        if entry.is_dir(follow_symlinks=False):
            waiting.append(_entries(Path(entry.path), f"{name}/"))
        elif entry.is_file():
            yield name, Path(entry.path)


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    yield from ((prefix + entry.name, entry) for entry in entries)


def _read_folder(folder: Path, chosen: Callable[[str, int], bool], on_bad: OnBad) -> Iterator[File]:
    for name, path in _walk(folder):
        try:
            if not chosen(name, path.stat().st_size):
                continue
            raw = read_plain(path)
        except OSError as error:
            on_bad(CorpusError(f"{path} cannot be read: {error.strerror}"))
            continue
        yield File(name, raw)


def _read_zip(path: Path, chosen: Callable[[str, int], bool], on_bad: OnBad, max_bytes: int | None) -> Iterator[File]:
    with opened_zip(path) as archive:
        most, given = decompressed_limit(path.stat().st_size, max_bytes), 0
        for info in archive.infolist():
            name = posixpath.normpath(info.filename)
            if info.is_dir() or not chosen(name, info.file_size):
                continue
            given += info.file_size
            if given > most:
                raise too_large(path, most)
            try:
                raw = archive.read(info)
            except (*DAMAGED, *_SURPRISES) as error:
                on_bad(CorpusError(f"{path}: {name} cannot be read: {one_line(error)}"))
                continue
            yield File(name, raw)


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip, whose every damage is a `CorpusError`."""
    with reading(path), damage_said(path), open_plain(path) as file, zipfile.ZipFile(file) as archive:
        yield archive


def _read_tar(path: Path, chosen: Callable[[str, int], bool], max_bytes: int | None) -> Iterator[File]:
    with _open_tar(path, max_bytes) as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # tarfile would remember every member it has passed
            name = posixpath.normpath(member.name)
            if not member.isreg() or not chosen(name, member.size):
                continue
            stream = archive.extractfile(member)
            if stream is not None:
                yield File(name, stream.read())


@contextmanager
def _open_tar(path: Path, max_bytes: int | None) -> Iterator[tarfile.TarFile]:
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
