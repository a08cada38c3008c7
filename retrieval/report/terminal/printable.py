"""What may be written to a terminal, and how it is said there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

#: Not printable by Python's rule, yet part of words: they join letters, or keep them apart.
_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    r"""Return text without what a terminal would obey or cannot show: ids and titles come from anywhere.

    Examples
    --------
    >>> printable("red\x1b[31m\tand tab\nnext line")
    'red?[31m?and tab\nnext line'
    """
    return text if text.isprintable() else "".join(letter if _is_harmless(letter) else "?" for letter in text)


def escaped(text: str) -> str:
    r"""Return text with what a terminal would obey written as JSON and Python write it, as in ``\u001b``.

    What is between the quotes of JSON text keeps its meaning.

    Examples
    --------
    >>> print(escaped('{"title": "red\x1b[31m \u202e\x9b"}'))
    {"title": "red\u001b[31m \u202e\u009b"}
    """
    return text if text.isprintable() else "".join(map(_escape, text))


def _is_harmless(letter: str) -> bool:
    return letter.isprintable() or letter == "\n" or letter in _JOINERS or unicodedata.category(letter) == "Zs"


def _escape(letter: str) -> str:
    if _is_harmless(letter):
        return letter
    units = letter.encode("utf-16-be", "surrogatepass").hex()  # JSON writes what is beyond 16 bits in two halves
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


@contextmanager
def standard_output() -> Iterator[None]:
    """Name what cannot be written to: the system's error about a stream names no file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, error.filename or "standard output") from error
