"""Numbers as people write them: separators of thousands, a decimal comma, percent, signs of currencies."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

#: The decimal separators between which the whole column decides.
DECIMALS = ("point", "comma")
#: Signs of currencies; they are not converted into each other.
CURRENCIES = "$€£¥₹"
#: Spaces that separate thousands: the usual one, those that do not break, the thin one.
_SPACES = " \u00a0\u202f\u2009"
_MARKED = re.compile(
    rf"(?P<sign>[+\-−]?)(?P<before>[{CURRENCIES}]?)[{_SPACES}]?(?P<inner>[+\-−]?)"
    rf"(?P<body>[0-9.,][0-9.,'’{_SPACES}]*(?:[eE][+-]?[0-9]{{1,3}})?)[{_SPACES}]?(?P<after>[%{CURRENCIES}]?)"
)


def _body(decimal: str, thousands: str) -> re.Pattern[str]:
    grouped = rf"[1-9][0-9]{{0,2}}(?:(?P<mark>[{thousands}'’{_SPACES}])[0-9]{{3}})(?:(?P=mark)[0-9]{{3}})*"
    return re.compile(rf"(?P<whole>{grouped}|[0-9]+)?(?:{decimal}(?P<part>[0-9]*))?(?P<power>[eE][+-]?[0-9]{{1,3}})?")


_BODIES = {"point": _body(r"\.", ","), "comma": _body(",", ".")}
#: The characters that numbers are written with; most texts that are not numbers have others, too.
_CHARACTERS = re.compile(rf"[0-9.,'’{_SPACES}+\-−{CURRENCIES}%eE]*")
#: Infinity, as programs write it.
_INFINITE = re.compile(r"[+\-−]?(?:inf(?:inity)?|∞)", re.IGNORECASE)
#: A whole number with a leading zero, or with more digits than a float holds.
_CODE = re.compile(r"[+-]?(?:0[0-9]+|[0-9]{16,})(?:\.[0-9]*)?")


class WrittenNumber(NamedTuple):
    """A number, and the sign of a currency or of percent that is written with it; or none."""

    value: float
    mark: str


def read_written(text: str, decimal: str = "point") -> WrittenNumber | None:
    """Return the number that a text writes; None for a text that is not a number.

    Parameters
    ----------
    text : str
    decimal : str
        ``point`` (1,234.5) or ``comma`` (1.234,5). Thousands are also separated by spaces and apostrophes, in groups of
        three digits. A number with a percent sign is divided by 100.

    Examples
    --------
    >>> [read_written(text).value for text in ("1,234", "$5", "-€ 1'234.50", "5%", "1e3")]
    [1234.0, 5.0, -1234.5, 0.05, 1000.0]
    >>> read_written("1.234,5", "comma").value, read_written("1,5", "comma").value
    (1234.5, 1.5)
    >>> read_written("1,5"), read_written("12,34,567"), read_written("1.2.3"), read_written("five")
    (None, None, None, None)
    """
    written = _written(text, decimal)
    return None if written is None or not math.isfinite(written.value) else written


def may_be_number(text: str) -> bool:
    """Return whether a text has only characters of numbers; this is fast, as a column may hold a million texts.

    Examples
    --------
    >>> may_be_number("1,234.5"), may_be_number("1.2.3"), may_be_number("a3f9")
    (True, True, False)
    """
    return _CHARACTERS.fullmatch(text) is not None


def _written(text: str, decimal: str) -> WrittenNumber | None:
    """Return the number that a text writes; infinite where it is beyond float64."""
    marked = _MARKED.fullmatch(text)
    if marked is None or (marked["sign"] and marked["inner"]) or (marked["before"] and marked["after"]):
        return None
    body = _BODIES[decimal].fullmatch(marked["body"].rstrip(_SPACES))
    if body is None or not (body["whole"] or body["part"]):
        return None
    whole = re.sub("[^0-9]", "", body["whole"] or "0")
    value = float(f"{whole}.{body['part'] or '0'}{body['power'] or ''}")
    mark = marked["before"] or marked["after"]
    value = value / 100 if mark == "%" else value
    return WrittenNumber(-value if (marked["sign"] or marked["inner"]) in ("-", "−") else value, mark)


def number_in(text: str, decimal: str = "point") -> float:
    """Return the number that a text writes; NaN for a text that is not a number.

    Examples
    --------
    >>> number_in("1,234"), number_in("x")
    (1234.0, nan)
    """
    written = read_written(text, decimal)
    return math.nan if written is None else written.value


def is_infinite(text: str, decimal: str = "point") -> bool:
    """Return whether a text writes infinity, or a number beyond float64.

    Examples
    --------
    >>> [is_infinite(text) for text in ("inf", "-Infinity", "∞", "1e400", "1e300", "many")]
    [True, True, True, True, False, False]
    """
    written = _written(text, decimal)
    return _INFINITE.fullmatch(text) is not None if written is None else math.isinf(written.value)


def is_code(text: str) -> bool:
    """Return whether a text has digits as a code has: a leading zero, or more digits than a float holds.

    Examples
    --------
    >>> is_code("007"), is_code("7"), is_code("0.5"), is_code("12345678901234567")
    (True, False, False, True)
    """
    return _CODE.fullmatch(text) is not None
