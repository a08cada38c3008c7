"""How much a reader takes of a file: lines, rows and texts of some megabytes, and no more than a bomb should give."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from encoders.errors import CorpusError

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


def pieces_of(stream: IO[bytes], where: object) -> Iterator[bytes | None]:
    """Read a stream up to each line end; None stands for a piece that is too long.

    Raises
    ------
    CorpusError
        When nothing but line ends comes for very long.
    """
    number = empty = 0
    while piece := stream.readline(MAX_TEXT_BYTES + 1):
        number += 1
        empty = empty + 1 if len(piece) <= 2 and piece.isspace() else 0
        if empty > MAX_EMPTY_LINES:
            raise CorpusError(f"{where}:{number}: {_EMPTY}")
        if len(piece) <= MAX_TEXT_BYTES:
            yield piece
            continue
        while piece and not piece.endswith(b"\n"):
            piece = stream.readline(MAX_TEXT_BYTES)
        yield None


def text_lines(stream: IO[bytes], encoding: str, where: object) -> Iterator[str]:
    """Decode the lines of a stream, with their ends.

    Raises
    ------
    CorpusError
        When a line is too long, or nothing but line ends comes for very long.
    UnicodeError
        When the bytes are not of the encoding, or stand for no text.
    """
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    number = empty = 0
    try:
        while line := text.readline(MAX_TEXT_BYTES + 1):
            number += 1
            empty = empty + 1 if len(line) <= 2 and line.isspace() else 0
            if empty > MAX_EMPTY_LINES:
                raise CorpusError(f"{where}:{number}: {_EMPTY}")
            if len(line) > MAX_TEXT_BYTES:
                raise CorpusError(f"{where}:{number}: the line has more than {MAX_TEXT_BYTES:,} letters")
            if not encoding.startswith("utf-8"):
                require_text(line)
            yield line
    finally:
        with suppress(ValueError):  # it is closed already
            text.detach()  # whoever has opened the stream closes it


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
