"""Text that is safe to print on a terminal or to copy into a shell."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

#: Not printable by Python's rule, yet part of words: they join letters, or keep them apart.
_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    r"""Return text without control characters and characters that a terminal cannot show.

    Examples
    --------
    >>> printable("red\x1b[31m\tand tab\nnext line")
    'red?[31m?and tab\nnext line'
    """
    return text if text.isprintable() else "".join(letter if _is_harmless(letter) else "?" for letter in text)


def escaped(text: str) -> str:
    r"""Return text with control characters written as JSON and Python write them, as in ``\u001b``.

    JSON strings keep their meaning.

    Examples
    --------
    >>> print(escaped('{"title": "red\x1b[31m \u202e\x9b"}'))
    {"title": "red\u001b[31m \u202e\u009b"}
    """
    return text if text.isprintable() else "".join(map(_escape, text))


def shell_word(text: str) -> str:
    r"""Return text that a person can copy into a shell, even when a terminal cannot show its letters.

    Examples
    --------
    >>> print(shell_word("heat transfer"), shell_word("soft\u00adhyphen"), shell_word("it's\u2028"))
    'heat transfer' $'soft\u00adhyphen' $'it\'s\u2028'
    """
    if text.isprintable():
        return shlex.quote(text)
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + "".join(letter if letter.isprintable() else _bash_escape(letter) for letter in quoted) + "'"


def shell_line(words: Iterable[str]) -> str:
    """Return a command that a person can copy into a shell."""
    return " ".join(map(shell_word, words))


def table_word(text: str) -> str:
    """Return an id for a table: as it is, or as a shell reads it where a terminal cannot show its letters."""
    return text if text.isprintable() else shell_word(text)


def _bash_escape(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_harmless(letter: str) -> bool:
    return letter.isprintable() or letter == "\n" or letter in _JOINERS or unicodedata.category(letter) == "Zs"


def _escape(letter: str) -> str:
    if _is_harmless(letter):
        return letter
    units = letter.encode("utf-16-be", "surrogatepass").hex()  # JSON writes what is beyond 16 bits in two halves
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


@contextmanager
def standard_output() -> Iterator[None]:
    """Add the name of the stream to a write error: the system does not name it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, error.filename or "standard output") from error
