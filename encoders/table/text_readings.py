"""The texts of a column as numbers and as dates, each in the two ways in which people write them.

A text alone does not say whether ``1,234`` is 1234 or 1.234, or whether ``05/01/2024`` is in May or in January. The
whole column does: every text is read in both ways, and the way that reads more of them is taken.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from encoders.batches import chunks
from encoders.table.dates import in_both_orders
from encoders.table.number_sample import NumberSample
from encoders.table.number_text import is_code, may_be_number, read_written

_DIGIT = re.compile("[0-9]")
#: Texts of one number that differ in their last zeros are looked for among so many.
_LOOKED_AT = 2**18
#: Texts that are read at once.
_BLOCK = 2**14
_FREE = re.compile("[0-9]{1,2}[/-][0-9]")
_SHORTER = re.compile(r"[+-]?[0-9]+\.[0-9]+0")


class TwoWays:
    """Texts that were read in two ways, such as with a decimal point and with a decimal comma.

    Attributes
    ----------
    ways : tuple of str
        Their names; the first one is taken where both read as many texts.
    differing : str or None
        A text that both ways read, as two different values.
    odd : dict of str to str
        Way -> a text that it cannot read.
    """

    def __init__(self, ways: tuple[str, str]) -> None:
        self.ways = ways
        self.differing: str | None = None
        self.odd: dict[str, str] = {}
        self._both = NumberSample()
        self._alone = {way: NumberSample() for way in ways}

    def add(self, texts: Sequence[str], values: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
        """Add texts that occur `counts` times; `values`, float64 (n, 2), is NaN where a way cannot read a text."""
        read = ~np.isnan(values)
        same = values[:, 0] == values[:, 1]
        self._both.add(np.repeat(values[same, 0], counts[same]))
        for position, way in enumerate(self.ways):
            alone = read[:, position] & ~same
            self._alone[way].add(np.repeat(values[alone, position], counts[alone]))
            if way not in self.odd and not read[:, position].all():
                self.odd[way] = texts[int(np.argmin(read[:, position]))]
        if self.differing is None:
            differ = np.flatnonzero(read.all(axis=1) & ~same)
            self.differing = texts[int(differ[0])] if len(differ) else None

    def count(self, way: str) -> int:
        """Return the number of texts that a way reads; of another name, those that both read alike."""
        return sum(sample.seen for sample in self.samples(way))

    def best(self) -> str:
        """Return the way that reads more texts."""
        return max(self.ways, key=self.count)

    def undecided(self) -> bool:
        """Return whether both ways read as many texts, and some of them differently."""
        first, second = map(self.count, self.ways)
        return first == second and self.differing is not None

    def samples(self, way: str) -> list[NumberSample]:
        """Return what a way has read."""
        return [self._both, *([self._alone[way]] if way in self._alone else [])]


class TextReadings:
    """What the texts of a column are as numbers and as dates; each text is added once, with how often it occurs.

    Attributes
    ----------
    numbers, dates : TwoWays
    codes : int
        Number of texts with digits as a code has, such as a leading zero.
    code : str or None
        One of them.
    marks : Counter
        How often numbers have which sign of percent or of a currency.
    same : tuple of str or None
        Two texts of one number, one of which ends with more zeros: 1.1 and 1.10.
    """

    def __init__(self) -> None:
        self.numbers, self.dates = TwoWays(("point", "comma")), TwoWays(("month", "day"))
        self.codes = 0
        self.code: str | None = None
        self.marks: Counter[str] = Counter()
        self.same: tuple[str, str] | None = None
        #: Whether some date does not say by itself whether its month or its day stands first.
        self.free = False

    def add(self, counts: Mapping[str, int], numbers: frozenset[str] = frozenset()) -> None:
        """Add different texts; `numbers` are the texts of numbers of the column that are no texts."""
        for texts in chunks(counts, _BLOCK):
            times = np.array([counts[text] for text in texts])
            values = np.array([self._read(text, counts[text]) for text in texts], np.float64)
            self.numbers.add(texts, values[:, :2], times)
            self.dates.add(texts, values[:, 2:], times)
        if self.same is None and len(counts) <= _LOOKED_AT:
            self.same = _same_number(counts, numbers)

    def _read(self, text: str, count: int) -> tuple[float, float, float, float]:
        if _DIGIT.search(text) is None:
            return math.nan, math.nan, math.nan, math.nan
        point = comma = None
        if may_be_number(text):
            point, comma = read_written(text, "point"), read_written(text, "comma")
        either = point or comma
        if either is not None:
            self.marks[either.mark] += count
            if is_code(text):
                self.codes += count
                self.code = self.code or text
        month, day = in_both_orders(text)
        self.free = self.free or (_FREE.match(text) is not None and (month == month or day == day))
        return (
            point.value if point is not None else math.nan,
            comma.value if comma is not None else math.nan,
            month,
            day,
        )


def _same_number(counts: Mapping[str, int], numbers: frozenset[str]) -> tuple[str, str] | None:
    for text in counts:
        if _SHORTER.fullmatch(text) is not None:
            shorter = text
            while shorter.endswith("0") and shorter[-2] != ".":
                shorter = shorter[:-1]
                if shorter in counts or shorter in numbers:
                    return shorter, text
    return None
