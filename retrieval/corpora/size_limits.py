"""Limits of what is read from a file: the size of a line, row or text, and of a decompressed file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from encoders.errors import CorpusError

#: Largest text, line or row of a table: the cost of one item must not depend on what a file claims.
MAX_TEXT_BYTES = 16 * 2**20
#: Largest number of empty lines in a row: a file of line ends would cost time.
MAX_EMPTY_LINES = 2**20
_EMPTY = f"more than {MAX_EMPTY_LINES:,} empty lines follow each other: is it text?"
#: Largest decompressed size of a compressed file.
MAX_BYTES = 64 * 2**30
#: Largest ratio of decompressed to compressed size, above `FREE_BYTES`: text seldom shrinks to a hundredth.
MAX_RATIO, FREE_BYTES = 200, 256 * 2**20


def decompressed_limit(size: int, asked: int | None) -> int:
    """Return how many bytes a compressed file of `size` bytes may decompress to; `asked` is the user's own limit.

    Examples
    --------
    >>> decompressed_limit(10 * 2**20, None) // 2**20, decompressed_limit(10 * 2**20, 1000)
    (2000, 1000)
    """
    return asked if asked is not None else min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * size))


def too_large(path: Path, limit: int) -> CorpusError:
    """Return the error of a file that decompresses to more than its limit."""
    return CorpusError(
        f"{path} decompresses to more than {limit:,} bytes, as a file made to fill memory or disk does: "
        "if you trust it, allow more with ?max-bytes="
    )


class Bounded(io.RawIOBase):
    """A decompressor that gives no more than `limit` bytes.

    Raises
    ------
    CorpusError
        When there is more.
    """

    def __init__(self, stream: Any, path: Path, limit: int) -> None:
        self._stream, self._path, self._limit, self._total = stream, path, limit, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, and count its bytes."""
        count = int(self._stream.readinto(buffer))
        self._total += count
        if self._total > self._limit:
            raise too_large(self._path, self._limit)
        return count

    def close(self) -> None:
        """Close the decompressor."""
        self._stream.close()
        super().close()


def buffered(stream: Any, path: Path, limit: int) -> IO[bytes]:
    """Return a decompressor as a buffered stream of at most `limit` bytes."""
    return io.BufferedReader(Bounded(stream, path, limit), 2**17)


def pieces_of(stream: IO[bytes], where: object) -> Iterator[bytes | None]:
    """Read a stream line by line, each with its end; None stands for a line that is too long.

    Raises
    ------
    CorpusError
        When more than `MAX_EMPTY_LINES` empty lines follow each other.
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
        When a line is too long, or more than `MAX_EMPTY_LINES` empty lines follow each other.
    UnicodeError
        When the bytes are not of the encoding, or are no text.
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
        with suppress(ValueError):  # it is already closed
            text.detach()  # the caller opened the stream and closes it


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
