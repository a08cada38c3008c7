"""The lines of a text file: what ends one, and what is not part of the first."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from encoders.errors import CorpusError, OptionError
from encoders.numbers import shortened
from retrieval.corpora import size_limits
from retrieval.corpora.base import OnBad, raise_bad
from retrieval.corpora.files import open_bytes

UTF8_MARK = b"\xef\xbb\xbf"
#: The byte-order marks of UTF-16 and UTF-32.
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def numbered_lines(stream: IO[bytes], where: object, on_bad: OnBad = raise_bad) -> Iterator[tuple[int, bytes]]:
    r"""Number the lines of a file from 1 and give each without its end and without a byte-order mark.

    Only ``\n``, ``\r\n`` and ``\r`` end a line; `str.splitlines` would also part one at U+2028, a form feed and
    seven more. A mark stands first in a file, or in the middle of files that were joined.

    Parameters
    ----------
    stream : file
        Open for bytes.
    where : object
        What an error names: the path.
    on_bad : callable
        Called with each line that is too long.

    Raises
    ------
    CorpusError
        For a file in UTF-16.

    Examples
    --------
    >>> from io import BytesIO
    >>> list(numbered_lines(BytesIO(b"\xef\xbb\xbfone\r\n\ntwo\rthree"), "here"))
    [(1, b'one'), (2, b''), (3, b'two'), (4, b'three')]
    """
    number = 0
    for piece in size_limits.pieces_of(stream, where):
        if piece is None:
            number += 1
            on_bad(CorpusError(f"{where}:{number}: the line has more than {size_limits.MAX_TEXT_BYTES:,} bytes"))
            continue
        if number == 0 and piece.startswith(WIDE_MARKS):
            raise CorpusError(f"{where} is stored as UTF-16: save it as UTF-8")
        line = piece.removesuffix(b"\n").removesuffix(b"\r")
        for part in line.split(b"\r") if b"\r" in line else (line,):
            number += 1
            yield number, part.removeprefix(UTF8_MARK)


def read_lines(path: Path) -> Iterator[str]:
    """Read the lines of a UTF-8 file, plain or gzipped: one name each.

    Raises
    ------
    CorpusError
        When the file is missing, damaged, or not UTF-8 (the line is named).
    """
    with open_bytes(path) as stream:
        for number, raw in numbered_lines(stream, path):
            try:
                yield raw.decode("utf-8")
            except UnicodeDecodeError:
                raise CorpusError(f"{path}:{number}: the line is not UTF-8 text") from None


def checked_encoding(name: str) -> str:
    """Return the name of a text encoding as Python's decoders want it; UTF-8 without its byte-order mark.

    Raises
    ------
    OptionError
        For an encoding that Python does not have, or that is none of texts.

    Examples
    --------
    >>> checked_encoding("UTF8"), checked_encoding("latin-1")
    ('utf-8-sig', 'iso8859-1')
    >>> checked_encoding("klingon")
    Traceback (most recent call last):
    encoders.errors.OptionError: unknown encoding 'klingon'; try utf-8 or latin-1
    """
    try:
        known = codecs.lookup(name).name
        "".encode(name)  # refuses what is no encoding of texts, such as base64
    except (LookupError, UnicodeError, ValueError):
        raise OptionError(f"unknown encoding {shortened(name)}; try utf-8 or latin-1") from None
    return "utf-8-sig" if known == "utf-8" else known
