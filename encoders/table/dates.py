"""Dates as numbers: seconds since 1970, and the phases of the day and the week."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

_YEAR_FIRST = re.compile(r"(\d{4})[-/](\d{2})[-/](\d{2})(?:[T ](.{1,40}))?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})(?:[T ,]{1,2}(.{1,40}))?", re.ASCII)
_DAY = 86_400.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Seconds of the first and of the last day that a date can have.
FIRST, LAST = -62_135_596_800.0, 253_402_300_799.0


def seconds_of(text: str) -> float:
    """Return a date as seconds since 1970; NaN for a text that is no date.

    Read are ``2026-11-29``, ``2026/11/29`` and ``29.11.2026``, each also with a time of day; a time without a zone is
    taken as UTC.

    Examples
    --------
    >>> seconds_of("1970-01-02"), seconds_of("02.01.1970 01:00"), seconds_of("1970-01-02T01:00:00+01:00")
    (86400.0, 90000.0, 86400.0)
    >>> seconds_of("1970-13-01"), seconds_of("12")
    (nan, nan)
    """
    match = _YEAR_FIRST.fullmatch(text)
    if match is not None:
        year, month, day, time = match.groups()
    elif (match := _DAY_FIRST.fullmatch(text)) is not None:
        day, month, year, time = match.groups()
    else:
        return math.nan
    try:
        found = datetime.fromisoformat(f"{year}-{month}-{day}T{time or '00:00'}")
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return (found - _EPOCH) / timedelta(seconds=1)
    except (ValueError, OverflowError):
        return math.nan


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
