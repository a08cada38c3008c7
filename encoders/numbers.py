"""Numbers that users write, in options, addresses, and files of judgements or ratings; numbers in sentences for them.

Python's own ``int`` and ``float`` also read ``1_000``, `` 1 ``, ``１`` (a full-width digit), ``infinity`` and ``nan``.
Other tools do not, so such a text is more often a mistake than a number: it is refused.
"""

from __future__ import annotations

import math
import re

#: More digits than any count, seed or grade needs; Python's own limit (4,300) raises another error.
MOST_DIGITS = 300
_WHOLE = re.compile(rf"[+-]?[0-9]{{1,{MOST_DIGITS}}}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def read_whole(text: str) -> int:
    """Read a whole number in decimal ASCII digits, with or without a sign.

    Raises
    ------
    ValueError
        For any other text.

    Examples
    --------
    >>> read_whole("-12"), read_whole("+3")
    (-12, 3)
    >>> read_whole("1_000")
    Traceback (most recent call last):
    ValueError: '1_000' is not a whole number
    """
    if _WHOLE.fullmatch(text) is None:
        raise ValueError(f"{shortened(text)} is not a whole number")
    return int(text)


def read_number(text: str) -> float:
    """Read a finite number in ASCII digits: ``12``, ``-0.5``, ``.5``, ``1e-3``.

    Raises
    ------
    ValueError
        For any other text, and for a number outside the range of float64.

    Examples
    --------
    >>> read_number("1e-3"), read_number(".5")
    (0.001, 0.5)
    >>> read_number("infinity")
    Traceback (most recent call last):
    ValueError: 'infinity' is not a number
    """
    number = float(text) if _NUMBER.fullmatch(text) is not None else math.nan
    if not math.isfinite(number):
        raise ValueError(f"{shortened(text)} is not a {'number' if math.isnan(number) else 'number of usual size'}")
    return number


def read_share(text: str) -> float:
    """Read a share: a percentage such as ``1%``, or a number such as ``0.01``.

    Raises
    ------
    ValueError
        For any other text, and for a number outside 0 to 1.

    Examples
    --------
    >>> read_share("1%"), read_share("0.25")
    (0.01, 0.25)
    >>> read_share("5")
    Traceback (most recent call last):
    ValueError: '5' is not from 0 to 1: write 5%?
    """
    number = read_number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= number <= 1:
        hint = f": write {text}%?" if not text.endswith("%") and 1 < number <= 100 else ""
        raise ValueError(f"{shortened(text)} is not from 0 to 1{hint}")
    return number


def is_whole(text: str, lowest: int | None = None, highest: int | None = None) -> bool:
    """Return whether a text is a whole number, in a range.

    Examples
    --------
    >>> is_whole("3", 1, 16), is_whole("17", 1, 16), is_whole("３", 1, 16)
    (True, False, False)
    """
    try:
        number = read_whole(text)
    except ValueError:
        return False
    return (lowest is None or lowest <= number) and (highest is None or number <= highest)


def shortened(value: object, longest: int = 60) -> str:
    r"""Return a value in quotes for an error message, escaped and shortened.

    Examples
    --------
    >>> shortened("1\t2"), shortened([1, 2])
    ("'1\\t2'", '[1, 2]')
    >>> len(shortened("x" * 1000))
    60
    """
    # A text is cut before it is escaped: it may be a whole file.
    text = repr(value[:longest] if isinstance(value, str | bytes) else value)
    complete = len(text) <= longest and not (isinstance(value, str | bytes) and len(value) > longest)
    return text if complete else f"{text[: longest - 3]}..."


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun, by default with an s.

    Examples
    --------
    >>> counted(1, "space"), counted(1797, "item"), counted(2, "query", "queries")
    ('1 space', '1,797 items', '2 queries')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def span(seconds: float) -> str:
    """Return a time span as text.

    Examples
    --------
    >>> span(0.0213), span(7.4), span(95), span(7265)
    ('21 ms', '7.4 s', '1 min 35 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{1000 * seconds:.0f} ms" if 0 < seconds < 0.1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
