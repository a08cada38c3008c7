"""The files of a folder, tar or zip, one at a time: which are read, and how large they may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from encoders.errors import CorpusError
from encoders.plain_file import open_plain
from retrieval.corpora.archives import Chosen, OpenFile, is_zip, open_tar, open_zip, tar_names, zip_names
from retrieval.corpora.base import OnBad, raise_bad
from retrieval.corpora.files import reading
from retrieval.corpora.links import hidden, walk
from retrieval.corpora.skipped import SkippedFiles

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".zip")
#: A larger single file is not read: memory must not depend on what an archive claims.
MAX_FILE_BYTES = 256 * 2**20


class File(NamedTuple):
    """One file of a folder or archive: its name relative to that, with ``/``, and its bytes."""

    name: str
    raw: bytes


@dataclass(frozen=True)
class ReadOptions:
    """How the files of a folder or archive are read.

    Attributes
    ----------
    on_bad : callable
        Called with each file that cannot be read.
    skipped : SkippedFiles
        Counts hidden files, broken links, links that lead back to a folder above them, and devices.
    max_bytes : int, optional
        Bytes that an archive may decompress to (`size_limits.decompressed_limit`).
    max_file_bytes : int, optional
        Bytes of one file; never more than `MAX_FILE_BYTES`.
    """

    on_bad: OnBad = raise_bad
    skipped: SkippedFiles = field(default_factory=SkippedFiles)
    max_bytes: int | None = None
    max_file_bytes: int | None = None


def ignore_bad(error: CorpusError) -> None:
    """Ignore a bad file in a survey: it is reported when the items are read."""


def is_archive(path: Path) -> bool:
    """Return whether a path is named like a tar or zip."""
    return path.name.lower().endswith(ARCHIVES)


def read_files(path: Path, wanted: Callable[[str], bool], options: ReadOptions | None = None) -> Iterator[File]:
    """Read the wanted files of a folder (sorted) or archive (in its own order), one at a time.

    Links to files and folders are followed, in archives too. Hidden files are skipped.

    Parameters
    ----------
    path : Path
        A folder, or what `is_archive` calls an archive.
    wanted : callable
        Tells by the name of a file, relative to the folder or archive, whether it is read.
    options : ReadOptions, optional

    Raises
    ------
    CorpusError
        When the folder or archive is missing or damaged; a single file that cannot be read goes to ``on_bad``.
    """
    options = ReadOptions() if options is None else options
    for name, stream in open_files(path, wanted, options):
        try:
            raw = stream.read()
        except OSError as error:
            options.on_bad(CorpusError(f"{path}: {name} cannot be read: {error.strerror or error}"))
            continue
        yield File(name, raw)


def open_files(path: Path, wanted: Callable[[str], bool], options: ReadOptions | None = None) -> Iterator[OpenFile]:
    """Open the files that `read_files` reads, one after another, for a reader that needs only their beginning.

    Each file is closed when the next one is asked for.
    """
    options = ReadOptions() if options is None else options
    chosen = _choice(path, wanted, options)
    with reading(path):
        if path.is_dir():
            yield from _open_folder(path, chosen, options.skipped)
        elif is_zip(path):
            yield from open_zip(path, chosen, options.on_bad, options.skipped, options.max_bytes)
        else:
            yield from open_tar(path, chosen, options.skipped, options.max_bytes)


def list_names(path: Path, max_bytes: int | None = None) -> Iterator[str]:
    """Yield the names of the files of a folder or archive, in the order of `read_files`, without reading the files.

    Names that only links inside an archive give are left out.
    """
    with reading(path):
        if path.is_dir():
            yield from (name for name, _ in walk(path, SkippedFiles()))
        else:
            names = zip_names(path) if is_zip(path) else tar_names(path, max_bytes)
            yield from (name for name in names if not hidden(name))


def folders_of(name: str, archive: Path) -> list[str]:
    """Return the folders that a file is in, without the archive's own name (``faces/`` in ``faces.tar``).

    Examples
    --------
    >>> folders_of("orl_faces/s1/1.pgm", Path("orl_faces.tar.xz"))
    ['s1']
    """
    folders = name.split("/")[:-1]
    named_after_archive = bool(folders) and is_archive(archive) and archive.name.startswith(f"{folders[0]}.")
    return folders[1:] if named_after_archive else folders


def _choice(path: Path, wanted: Callable[[str], bool], options: ReadOptions) -> Chosen:
    """Return what tells by name and size whether a file is read; it counts and reports those that are not."""
    limit = MAX_FILE_BYTES if options.max_file_bytes is None else min(options.max_file_bytes, MAX_FILE_BYTES)

    def chosen(name: str, size: int) -> bool:
        if hidden(name):
            options.skipped.add("hidden", name)
            return False
        if not wanted(name):
            return False
        if size > limit:
            options.on_bad(CorpusError(f"{path}: {name} has {size:,} bytes, more than the {limit:,} that are read"))
            return False
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            options.on_bad(CorpusError(f"{path}: the file name {name!a} is not UTF-8: rename the file"))
            return False
        return True

    return chosen


def _open_folder(folder: Path, chosen: Chosen, skipped: SkippedFiles) -> Iterator[OpenFile]:
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
