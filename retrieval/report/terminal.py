"""What may be written to a terminal, and how it is said there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def printable(text: str) -> str:
    r"""Return text without what a terminal would obey or cannot show: ids and titles come from anywhere.

    Examples
    --------
    >>> printable("red\x1b[31m\tand tab\nnext line")
    'red?[31m?and tab\nnext line'
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> counted(1, "space"), counted(1797, "item")
    ('1 space', '1,797 items')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@contextmanager
def standard_output() -> Iterator[None]:
    """Name what cannot be written to: the system's error about a stream names no file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, error.filename or "standard output") from error
