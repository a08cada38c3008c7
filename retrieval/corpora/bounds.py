"""How much a reader takes of a file: lines, rows and texts of some megabytes, and no more than a bomb should give."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from encoders.errors import CorpusError, OptionError

#: One text, one line and one row of a table at most: what one item costs must not depend on what a file claims.
MAX_TEXT_BYTES = 16 * 2**20
#: Lines without anything in a row: what a bomb of line ends would cost is time.
MAX_EMPTY_LINES = 2**20
_EMPTY = f"more than {MAX_EMPTY_LINES:,} empty lines follow each other: is it text?"
#: A compressed file at most, once decompressed.
MAX_BYTES = 64 * 2**30
#: And so many times its own size at most, when that is more than `FREE_BYTES`: text seldom shrinks to a hundredth.
MAX_RATIO, FREE_BYTES = 200, 256 * 2**20


def decompressed_limit(size: int, asked: int | None) -> int:
    """Return how many bytes a compressed file of `size` bytes may give, unless the user asked for another number.

    Examples
    --------
    >>> decompressed_limit(10 * 2**20, None) // 2**20, decompressed_limit(10 * 2**20, 1000)
    (2000, 1000)
    """
    return asked if asked is not None else min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * size))


def too_large(path: Path, most: int) -> CorpusError:
    """Return the error of a file that gives more than it may."""
    return CorpusError(
        f"{path} decompresses to more than {most:,} bytes, as a file made to fill memory or disk does: "
        "if you trust it, allow more with ?max-bytes="
    )


class Bounded(io.RawIOBase):
    """A decompressor that gives no more than `most` bytes.

    Raises
    ------
    CorpusError
        When there is more.
    """

    def __init__(self, stream: Any, path: Path, most: int) -> None:
        self._stream, self._path, self._most, self._given = stream, path, most, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, room: Any) -> int:
        """Fill `room`, and count."""
        count = int(self._stream.readinto(room))
        self._given += count
        if self._given > self._most:
            raise too_large(self._path, self._most)
        return count

    def close(self) -> None:
        """Close the decompressor."""
        self._stream.close()
        super().close()


def buffered(stream: Any, path: Path, most: int) -> IO[bytes]:
    """Return a decompressor as a stream of at most `most` bytes, whose lines are read quickly."""
    return io.BufferedReader(Bounded(stream, path, most), 2**17)


def lines_of(stream: IO[bytes], path: Path, on_bad: Callable[[CorpusError], None]) -> Iterator[tuple[int, bytes]]:
    """Read the lines of a stream with their numbers, from 1; one that is too long goes to `on_bad` instead."""
    number = empty = 0
    while line := stream.readline(MAX_TEXT_BYTES + 1):
        number += 1
        empty = empty + 1 if len(line) <= 2 and line.isspace() else 0
        if empty > MAX_EMPTY_LINES:
            raise CorpusError(f"{path}:{number}: {_EMPTY}")
        if len(line) > MAX_TEXT_BYTES:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_TEXT_BYTES)
            on_bad(CorpusError(f"{path}:{number}: the line has more than {MAX_TEXT_BYTES:,} bytes"))
            continue
        yield number, line


class RowLines:
    """The lines of a table for `csv.reader`, decoded; a row may have several, and no more than a text may.

    Parameters
    ----------
    stream : file
        Of bytes.
    encoding : str
        As `text_encoding` returned it.

    Raises
    ------
    csv.Error
        When a row is too long.
    UnicodeError
        When the bytes are not of the encoding, or stand for no text.
    """

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        csv.field_size_limit(MAX_TEXT_BYTES)  # the module's own limit suits small cells; documents are longer than that
        self._text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        self._taken = self._empty = 0
        self._always_text = encoding.startswith("utf-8")

    def start_row(self) -> None:
        """Say that what comes next begins a row."""
        self._taken = 0

    def __iter__(self) -> RowLines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_TEXT_BYTES + 1)
        if not line:
            raise StopIteration
        self._taken += len(line)
        self._empty = self._empty + 1 if len(line) <= 2 and line.isspace() else 0
        if self._empty > MAX_EMPTY_LINES:
            self._empty = 0
            raise csv.Error(_EMPTY)
        if self._taken > MAX_TEXT_BYTES:
            self._taken = 0
            raise csv.Error(f"the row has more than {MAX_TEXT_BYTES:,} letters: is a quotation mark never closed?")
        if not self._always_text:
            require_text(line)
        return line


def require_text(text: str) -> None:
    r"""Refuse half characters, which some decoders let through and nothing can store.

    Raises
    ------
    UnicodeError

    Examples
    --------
    >>> require_text("a\ud800")
    Traceback (most recent call last):
    UnicodeError: it holds half a character (a lone surrogate)
    """
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UnicodeError("it holds half a character (a lone surrogate)") from None


def text_encoding(name: str, what: str) -> str:
    """Return the encoding that a user named, where it is one of texts and reads streams.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> text_encoding("UTF_8", "csv"), text_encoding("latin-1", "csv")
    ('utf-8-sig', 'latin-1')
    """
    try:
        io.TextIOWrapper(io.BytesIO(b""), encoding=name).read()
    except (LookupError, UnicodeError, ValueError, TypeError):
        raise OptionError(f"{what}: unknown encoding {name!r}; try utf-8 or latin-1") from None
    return "utf-8-sig" if name.lower().replace("_", "-") in {"utf-8", "utf8"} else name
