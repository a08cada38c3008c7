"""What a fit must know of a column: its numbers, its texts, and how often a value is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError
from encoders.row import Value, written_value
from encoders.table.number_sample import NumberSample
from encoders.table.text_readings import TextReadings, TwoWays

#: Different texts of a column that are counted; beyond twice as many, the rarest are forgotten as categories.
COUNTED = 2**17
#: Share of the values of a column that must be numbers, or dates, for the column to be of that type.
MOST = 0.95
#: Texts whose number is remembered.
_REMEMBERED = 100_000
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


class Remembered(dict[str, float]):
    """Text -> its number; the texts of a column often repeat."""

    def __init__(self, read: Callable[[str], float]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> float:
        number = self._read(text)
        if len(self) < _REMEMBERED:
            self[text] = number
        return number


def numbers_of(column: Sequence[Value], read: Remembered) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where it holds none.

    Examples
    --------
    >>> from encoders.table.number_text import number_in
    >>> numbers_of((1.5, None, "2", "many"), Remembered(number_in)).tolist()
    [1.5, nan, 2.0, nan]
    """
    if set(map(type, column)) <= _NUMBERS:
        return np.array(column, np.float64)  # None becomes NaN
    return np.array([read[value] if isinstance(value, str) else value for value in column], np.float64)


def without_texts(column: Sequence[Value]) -> NDArray[np.float64]:
    """Return the numbers of a column, NaN where it holds a text or nothing."""
    return np.array([None if isinstance(value, str) else value for value in column], np.float64)


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


class ReadColumn(NamedTuple):
    """A column as numbers.

    Attributes
    ----------
    sample : NumberSample
    unread : int
        Number of values that are not a number, or no date.
    odd : str or None
        One of them.
    """

    sample: NumberSample
    unread: int
    odd: str | None


class ColumnSurvey:
    """One column, batch by batch: all rows count for its type, however many there are.

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
    numbers : NumberSample
        The values that are numbers, not texts.
    """

    def __init__(self, name: str, role: str | None) -> None:
        self.name, self.role = name, role
        self.rows = self.texts = self.different = 0
        self.counts: Counter[str] = Counter()
        self.numbers = NumberSample()
        #: Whether rare texts were forgotten: `different` may then count one twice.
        self.forgot = False
        self._readings = TextReadings()
        #: Texts of `counts` that `_readings` has not seen: how often each occurs.
        self._unread: Counter[str] | None = None
        self._read_texts = 0

    @property
    def present(self) -> int:
        """Number of values that are not missing."""
        return self.numbers.seen + self.texts

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
        if not require_values(column, self.name):
            self._count([value for value in column if isinstance(value, str) and value])
        numbers = without_texts(column)
        require_finite_numbers(numbers, self.name)
        self.numbers.add(numbers[~np.isnan(numbers)])

    def _count(self, texts: list[str]) -> None:
        before = len(self.counts)
        self.counts.update(texts)
        if self._unread is not None:
            self._unread.update(texts)
        self.different += len(self.counts) - before
        self.texts += len(texts)
        if len(self.counts) > 2 * COUNTED:
            # Each occurrence of a text is read once: from now on, what follows is counted beside.
            self._readings.add(self.counts if self._unread is None else self._unread)
            self._unread = Counter()
            self.counts = Counter(dict(self.counts.most_common(COUNTED)))
            self.forgot = True

    @property
    def readings(self) -> TextReadings:
        """All texts up to now as numbers and dates."""
        waiting = self.counts if self._unread is None else self._unread
        if self.texts > self._read_texts:
            floats = frozenset(written_value(one) for one in np.unique(self.numbers.numbers())[:COUNTED].tolist())
            self._readings.add(waiting, floats)
            self._unread, self._read_texts = Counter(), self.texts
        return self._readings

    def read(self, ways: TwoWays, way: str, with_numbers: bool) -> ReadColumn:
        """Return the column as numbers: its texts as a way reads them, and the values that are numbers."""
        samples = [*ways.samples(way), *([self.numbers] if with_numbers else [])]
        sample = NumberSample.of(samples)
        unread = self.present - sample.seen
        odd = ways.odd.get(way)
        if odd is None and not with_numbers and self.numbers.seen:
            odd = written_value(float(self.numbers.numbers()[0]))
        return ReadColumn(sample, unread, odd)

    def categories(self) -> Counter[str]:
        """Return how often each value occurs, of texts and of numbers."""
        counts = Counter(self.counts)
        for number, count in zip(*_unique(self.numbers.numbers()), strict=True):
            counts[written_value(number)] += count * self.numbers.stride
        return counts


def _unique(numbers: NDArray[np.float64]) -> tuple[list[Any], list[int]]:
    values, counts = np.unique(numbers, return_counts=True)
    return values.tolist(), counts.tolist()
