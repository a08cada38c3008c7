"""What a fit must know of a column: its numbers, its texts, and how often a value is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError
from encoders.numbers import read_number
from encoders.row import Value, written_value
from encoders.table.dates import seconds_of

#: Numbers of a column that are kept: of longer tables every second, fourth ... one.
KEPT = 2**19
#: Different texts of a column that are counted; beyond twice as many, the rarest are forgotten.
COUNTED = 2**17
#: Share of the values of a column that must be numbers, or dates, for the column to be of that type.
MOST = 0.95
#: Different texts that are looked at to tell whether a column holds dates.
_LOOKED_AT = 1000
_NUMBERS = {float, int, type(None)}


def require_values(column: Sequence[Value], name: str) -> bool:
    """Refuse what is no value of a row; return whether there are no texts.

    Raises
    ------
    BadItemError
        Naming the column.
    """
    types = set(map(type, column))
    if types <= _NUMBERS:
        return True
    for other in types - _NUMBERS - {str}:
        raise BadItemError(
            f"the column '{name}' holds a value of the type {other.__name__}: a row holds numbers, texts and None "
            "(Row.of turns other values into them)"
        )
    return False


def numbers_of(column: Sequence[Value], dates: bool = False) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where it holds none; texts are read as numbers, or as dates.

    Examples
    --------
    >>> numbers_of((1.5, None, "2", "many")).tolist()
    [1.5, nan, 2.0, nan]
    >>> numbers_of(("1970-01-02", 3.0), dates=True).tolist()
    [86400.0, 3.0]
    """
    if set(map(type, column)) <= _NUMBERS:
        return np.array(column, np.float64)  # None becomes NaN
    read = seconds_of if dates else _number
    return np.array([read(value) if isinstance(value, str) else value for value in column], np.float64)


def _number(text: str) -> float:
    try:
        return read_number(text)
    except ValueError:
        return np.nan


def require_finite_numbers(numbers: NDArray[np.float64], name: str) -> None:
    """Refuse infinite numbers.

    Raises
    ------
    BadItemError
        Naming the row in the batch, and the column.
    """
    infinite = np.isinf(numbers)
    if infinite.any():
        raise BadItemError(
            f"row {int(np.flatnonzero(infinite)[0])}: the column '{name}' is infinite: give a finite number, or None "
            "where the value is missing"
        )


class NumberSample:
    """All numbers of a column, or a random sample of them: a regular one would miss what repeats regularly.

    Each number draws a key from 0 to 1 and is kept if the key is below a limit, which is halved when too many are
    kept. So the sample does not depend on how the numbers are divided into batches.
    """

    def __init__(self) -> None:
        self.seen, self.stride = 0, 1
        self._parts: list[NDArray[np.float64]] = []  # keys and numbers (2, n)
        self._kept = 0
        self._rng = np.random.default_rng(0)

    def add(self, numbers: NDArray[np.float64]) -> None:
        """Add numbers, none of them NaN."""
        self.seen += len(numbers)
        drawn = np.stack([self._rng.random(len(numbers)), numbers])
        self._parts.append(drawn[:, drawn[0] < 1 / self.stride])
        self._kept += self._parts[-1].shape[1]
        while self._kept > KEPT:
            self.stride *= 2
            whole = np.concatenate(self._parts, axis=1)
            self._parts = [whole[:, whole[0] < 1 / self.stride]]
            self._kept = self._parts[0].shape[1]

    def numbers(self) -> NDArray[np.float64]:
        """Return the numbers that are kept."""
        return np.concatenate(self._parts, axis=1)[1] if self._parts else np.empty(0)


class ColumnSurvey:
    """One column, batch by batch.

    Parameters
    ----------
    name : str
    role : str or None
        The type that the user gave: ``numeric``, ``categorical`` or ``date``.

    Attributes
    ----------
    rows, texts : int
        Number of rows, and of texts.
    counts : Counter
        How often each text occurs.
    different : int
        Number of different texts.
    unread : int
        Texts that are no number in a numeric column, or no date in a column of dates.
    whole : bool
        All numbers are whole.
    times : bool
        Some date has a time of day.
    """

    def __init__(self, name: str, role: str | None) -> None:
        self.name, self.role = name, role
        self.rows = self.texts = self.different = self.unread = 0
        self.counts: Counter[str] = Counter()
        self.sample = NumberSample()
        self.whole, self.times = True, False
        self._as_dates = role == "date"
        #: Whether rare texts were forgotten: `different` may then count one twice.
        self.forgot = False
        #: A text that could not be read as a number, or as a date.
        self.odd: str | None = None

    @property
    def dated(self) -> bool:
        """Whether the texts are read as dates."""
        return self._as_dates

    @property
    def present(self) -> int:
        """Number of values that are not missing."""
        return self.sample.seen + self.texts + self.unread

    @property
    def missing(self) -> int:
        """Number of values that are missing."""
        return self.rows - self.present

    def add(self, column: Sequence[Value]) -> None:
        """Add the values of a batch.

        Raises
        ------
        BadItemError
            For an infinite number, or a value that is neither a number nor a text.
        """
        self.rows += len(column)
        if require_values(column, self.name):
            numbers = numbers_of(column)
        elif self.role == "numeric" or self._as_dates:
            numbers = numbers_of(column, self._as_dates)
            texts = np.array([isinstance(value, str) and value != "" for value in column])
            odd = np.flatnonzero(np.isnan(numbers) & texts)
            self.unread += len(odd)
            self.odd = str(column[odd[0]]) if len(odd) and self.odd is None else self.odd
        else:
            self._count([value for value in column if isinstance(value, str) and value])
            numbers = numbers_of([value for value in column if not isinstance(value, str)])
        require_finite_numbers(numbers, self.name)
        self._take(numbers)

    def _take(self, numbers: NDArray[np.float64]) -> None:
        known = numbers[~np.isnan(numbers)]
        if self._as_dates:
            self.times = self.times or bool(np.any(known % 86_400))
        else:
            self.whole = self.whole and bool((known == np.floor(known)).all())
        self.sample.add(known)

    def _count(self, texts: list[str]) -> None:
        before = len(self.counts)
        self.counts.update(texts)
        self.different += len(self.counts) - before
        self.texts += len(texts)
        if len(self.counts) > 2 * COUNTED:
            if self.role is None and self.looks_like_dates():
                self.turn_into_dates()
            else:
                self.counts = Counter(dict(self.counts.most_common(COUNTED)))
                self.forgot = True

    def looks_like_dates(self) -> bool:
        """Return whether most texts are dates."""
        looked = list(self.counts)[:_LOOKED_AT]
        return bool(looked) and sum(seconds_of(text) == seconds_of(text) for text in looked) >= MOST * len(looked)

    def turn_into_dates(self) -> None:
        """Read the texts as dates, now and in the batches to come."""
        self._as_dates = True
        self.turn_into_numbers()

    def turn_into_numbers(self) -> None:
        """Read the texts that were counted as numbers, or as dates."""
        counts, self.counts = self.counts, Counter[str]()
        numbers = numbers_of(list(counts), self._as_dates)
        self.unread += self.texts - sum(
            count for count, number in zip(counts.values(), numbers, strict=True) if number == number
        )
        self.texts = 0
        self.odd = next((text for text, number in zip(counts, numbers, strict=True) if number != number), None)
        self._take(np.repeat(numbers, list(counts.values())))

    def categories(self) -> Counter[str]:
        """Return how often each value occurs, of texts and of numbers."""
        counts = Counter(self.counts)
        for number, count in zip(*_unique(self.sample.numbers()), strict=True):
            counts[written_value(number)] += count * self.sample.stride
        return counts


def _unique(numbers: NDArray[np.float64]) -> tuple[list[Any], list[int]]:
    values, counts = np.unique(numbers, return_counts=True)
    return values.tolist(), counts.tolist()
