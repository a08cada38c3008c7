"""One file, plain or gzipped, and the errors of files that are missing or damaged."""

from __future__ import annotations

import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from encoders.errors import CorpusError, NearbyError, one_line
from encoders.plain_file import open_plain
from retrieval.corpora.size_limits import buffered, decompressed_limit

#: What Python raises for a compressed file that is truncated or overwritten.
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile)
#: What it raises for damage that its readers of archives and tables do not expect.
UNEXPECTED = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RuntimeError, struct.error)


@contextmanager
def open_bytes(path: Path, max_bytes: int | None = None) -> Iterator[IO[bytes]]:
    """Open a file, decompressing it where its name ends in ``.gz``: to `max_bytes` at most (`decompressed_limit`)."""
    with reading(path), open_plain(path) as file:
        if path.suffix != ".gz":
            yield file
            return
        limit = decompressed_limit(path.stat().st_size, max_bytes)
        with buffered(gzip.GzipFile(fileobj=file), path, limit) as stream:
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
    """Return ``folder/name`` or ``folder/name.gz``, whichever exists; None if neither does."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the system raises for a missing or damaged file into a `CorpusError` that names the file."""
    try:
        yield
    except DAMAGED as error:
        raise CorpusError(f"{path} is damaged or not what its name says: {one_line(error)}") from error
    except FileNotFoundError:
        raise CorpusError(f"{path} does not exist") from None
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {one_line(error.strerror or error)}") from error


@contextmanager
def unexpected_damage(path: Path) -> Iterator[None]:
    """Turn what Python's readers of archives and tables do not catch on a damaged file into a `CorpusError`."""
    try:
        yield
    except NearbyError:
        raise
    except UNEXPECTED as error:
        raise CorpusError(f"{path} is damaged or not what its name says: {one_line(error)}") from error
