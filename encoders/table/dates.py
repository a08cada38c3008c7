"""Dates as numbers: seconds since 1970, and the phases of the day and the week."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: What may stand first in 05/01/2024; the whole column says which.
ORDERS = ("month", "day")
_TIME = r"(?:(?:[T ]|, ?| at )(?P<time>.{1,40}))?"
_SHAPES = [
    re.compile(shape + _TIME, re.ASCII | re.IGNORECASE)
    for shape in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        r"(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4})",
        r"(?:[a-z]{3,9},? )?(?P<day>\d{1,2})(?:st|nd|rd|th)?\.?[ -](?P<name>[a-z]{3,9})\.?,?[ -](?P<year>\d{4})",
        r"(?:[a-z]{3,9},? )?(?P<name>[a-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})",
    )
]
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):(?P<rest>\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(?P<half>[ap]m)? ?"
    r"(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)
_MONTHS = ("january february march april may june july august september october november december").split()
_MONTH_OF = {name[:3]: number for number, name in enumerate(_MONTHS, 1)}
_MONTH_OF |= {name: number for number, name in enumerate(_MONTHS, 1)} | {"sept": 9}
_DAY = 86_400.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Seconds of the first and of the last day that a date can have.
FIRST, LAST = -62_135_596_800.0, 253_402_300_799.0


class _Date(NamedTuple):
    """The parts of a written date; `free`: month and day may stand in the other order."""

    year: int
    month: int
    day: int
    time: str
    free: bool


def seconds_of(text: str, order: str = "month") -> float:
    """Return a date as seconds since 1970; NaN for a text that is no date.

    Read are ``2026-11-29``, ``2026/11/29``, ``2026.11.29``, ``29.11.2026``, ``11/29/2026`` or ``29/11/2026`` (also with
    ``-``), ``29 Nov 2026`` and ``November 29, 2026`` (English names), each also with a time of day; a time without a
    zone is taken as UTC.

    Parameters
    ----------
    text : str
    order : str
        What stands first where the text does not say it, as in ``05/01/2026``: ``month`` or ``day``; with ``none``,
        such a text is no date. With points, the day is always first.

    Examples
    --------
    >>> seconds_of("1970-01-02"), seconds_of("02.01.1970 01:00"), seconds_of("1970-01-02T01:00:00+01:00")
    (86400.0, 90000.0, 86400.0)
    >>> seconds_of("2 Jan 1970"), seconds_of("01/02/1970 1:00 AM"), seconds_of("02/01/1970", "day")
    (86400.0, 90000.0, 86400.0)
    >>> seconds_of("1970-13-01"), seconds_of("13/01/1970"), seconds_of("12")
    (nan, nan, nan)
    """
    parts = _parts(text)
    return math.nan if parts is None else _seconds(parts, order)


def in_both_orders(text: str) -> tuple[float, float]:
    """Return what `seconds_of` returns with the month first, and with the day first; the text is read once.

    Examples
    --------
    >>> in_both_orders("01/02/1970"), in_both_orders("1970-01-02"), in_both_orders("a1")
    ((86400.0, 2678400.0), (86400.0, 86400.0), (nan, nan))
    """
    parts = _parts(text)
    if parts is None:
        return math.nan, math.nan
    first = _seconds(parts, ORDERS[0])
    return first, _seconds(parts, ORDERS[1]) if parts.free else first


def _seconds(parts: _Date, order: str) -> float:
    if parts.free and order not in ORDERS:
        return math.nan
    month, day = (parts.day, parts.month) if parts.free and order == "day" else (parts.month, parts.day)
    try:
        moment = datetime.fromisoformat(f"{parts.year:04d}-{month:02d}-{day:02d}T{parts.time}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) / timedelta(seconds=1)
    except (ValueError, OverflowError):
        return math.nan


def _parts(text: str) -> _Date | None:
    """Return the parts of a date; `month` is what stands first where the order is free."""
    if not 8 <= len(text) <= 80:
        return None
    for shape in _SHAPES:
        match = shape.fullmatch(text)
        if match is not None:
            break
    else:
        return None
    held = match.groupdict()
    year, time = int(held["year"]), _time(held["time"])
    if "first" in held:
        first, second = int(held["first"]), int(held["second"])
        return (
            _Date(year, second, first, time, False) if held["mark"] == "." else _Date(year, first, second, time, True)
        )
    month = _MONTH_OF.get(held["name"].lower(), 0) if "name" in held else int(held["month"])
    return _Date(year, month, int(held["day"]), time, False)


def _time(text: str | None) -> str:
    """Return a time of day as ISO 8601 writes it; a text of another form as it is."""
    if text is None:
        return "00:00"
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return text
    hour, half, zone = int(clock["hour"]), (clock["half"] or "").lower(), clock["zone"] or ""
    if half:
        if not 1 <= hour <= 12:
            return text
        hour = hour % 12 + 12 * (half == "pm")
    return f"{hour:02d}:{clock['rest']}{'Z' if zone.upper() in ('Z', 'UTC', 'GMT') else zone}"


def date_text(seconds: float, times: bool) -> str:
    """Return seconds since 1970 as a date, with its time of day if wanted.

    Examples
    --------
    >>> date_text(90000.2, True), date_text(80000.0, False)
    ('1970-01-02T01:00:00', '1970-01-02')
    """
    unit = 1.0 if times else _DAY
    whole = round(min(max(seconds, FIRST), LAST) / unit) * unit
    moment = _EPOCH + timedelta(seconds=min(whole, LAST))
    return moment.strftime("%Y-%m-%dT%H:%M:%S" if times else "%Y-%m-%d").rjust(19 if times else 10, "0")


def phases(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sine and cosine of the time of day and of the time of the week: float64 (n, 4), 0 where it is missing."""
    waves: list[Any] = []
    for period, shift in ((_DAY, 0.0), (7 * _DAY, 3 * _DAY)):  # 1970 begins on a Thursday; a week begins on Monday
        angle = np.mod(seconds + shift, period) * (2 * np.pi / period)
        waves += [np.sin(angle), np.cos(angle)]
    return np.asarray(np.nan_to_num(np.stack(waves, axis=1), nan=0.0))
