"""The columns of a table as numbers of a code, and back: one class for each type of column."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.errors import closest
from encoders.numbers import read_number, shortened
from encoders.progress import say_once
from encoders.row import Value, written_value
from encoders.table.column_survey import (
    Remembered,
    numbers_of,
    require_finite_numbers,
    require_values,
    without_texts,
)
from encoders.table.dates import date_text, phases, seconds_of
from encoders.table.number_text import is_infinite, number_in
from encoders.table.scaling import Scaling, rounded

#: What rare and unseen categories are joined into.
OTHER = "other"
#: Values whose category is remembered.
_REMEMBERED = 100_000
#: Most categories that a new one is compared with, and most of its letters.
_COMPARED = 100


@dataclass
class ColumnCoder:
    """A column of a code.

    Attributes
    ----------
    name : str
        The name of the column.
    missing : bool
        Whether values were missing in the fit: the last component then says that a value is missing.
    """

    type: ClassVar[str]
    name: str
    missing: bool

    @property
    def components(self) -> list[str]:
        """The names of the components."""
        return [*self._components(), *([f"{self.name} missing"] if self.missing else [])]

    def _components(self) -> list[str]:
        return [self.name]

    @property
    def details(self) -> str:
        """How values become numbers, in a few words."""
        return ""

    def encode(self, column: Sequence[Value], codes: NDArray[np.float32]) -> None:
        """Write the codes of a column into float32 (n, width), which holds zeros."""
        raise NotImplementedError

    def decode(self, codes: NDArray[np.float32]) -> list[Value]:
        """Return the values of codes, float32 (n, width)."""
        values = self._decode(np.nan_to_num(np.asarray(codes, np.float64)))
        if not self.missing:
            return values
        missing = (codes[:, -1] > 0.5).tolist()
        return [None if absent else value for value, absent in zip(values, missing, strict=True)]

    def _decode(self, codes: NDArray[np.float64]) -> list[Value]:
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Return what is learnt, as JSON values."""
        return {"name": self.name, "type": self.type, "missing": self.missing}


@dataclass
class NumericColumn(ColumnCoder):
    """Numbers, scaled; a missing one is 0, the median."""

    type: ClassVar[str] = "numeric"
    #: What one of its values is called.
    value_name: ClassVar[str] = "number"
    scaling: Scaling
    whole: bool = False
    #: How texts write numbers: with a decimal point or comma; for dates, what stands first.
    way: str = "point"

    def __post_init__(self) -> None:
        self._texts = Remembered(partial(self._read, way=self.way))

    @staticmethod
    def _read(text: str, way: str) -> float:
        return number_in(text, way)

    @property
    def details(self) -> str:
        """How values become numbers, in a few words."""
        return ", ".join(filter(None, [self._way_details(), "logarithm" if self.scaling.unit else ""]))

    def _way_details(self) -> str:
        return "decimal comma" if self.way == "comma" else ""

    def encode(self, column: Sequence[Value], codes: NDArray[np.float32]) -> None:
        """Write the codes of a column."""
        self._write(column, self._numbers(column), codes)

    def _numbers(self, column: Sequence[Value]) -> NDArray[np.float64]:
        require_values(column, self.name)
        numbers = numbers_of(column, self._texts)
        require_finite_numbers(numbers, self.name)
        return numbers

    def _is_infinite(self, value: Value) -> bool:
        return isinstance(value, str) and is_infinite(value, self.way)

    def unread(self, column: Sequence[Value]) -> Iterator[int]:
        """Give the rows of a column whose value is a text that is not read."""
        if str in set(map(type, column)):
            texts = ((row, value) for row, value in enumerate(column) if isinstance(value, str))
            yield from (row for row, text in texts if math.isnan(self._texts[text]))

    def infinite(self, column: Sequence[Value]) -> Iterator[int]:
        """Give the rows of a column whose value is infinite."""
        yield from (row for row in self.unread(column) if self._is_infinite(column[row]))

    def _say_absent(self, values: Sequence[Value]) -> None:
        """Say that values are read as missing ones, although they are texts, or none was missing in the fit."""
        odd = dict.fromkeys(value for value in values if value is not None and value == value)
        infinite = next((value for value in odd if self._is_infinite(value)), None)
        other = next((value for value in odd if not self._is_infinite(value)), None)
        for value, what in ((other, f"not a {self.value_name}"), (infinite, "infinite")):
            if value is not None:
                say_once(f"{self.name}: {shortened(value)} is {what}, so it counts as missing")
        if not self.missing:
            say_once(f"{self.name}: no value was missing in the fit, so a missing one counts as the median")

    def _write(self, column: Sequence[Value], numbers: NDArray[np.float64], codes: NDArray[np.float32]) -> None:
        absent = np.isnan(numbers)
        scaled = self.scaling.apply(numbers)
        if absent.any():
            self._say_absent([column[row] for row in np.flatnonzero(absent).tolist()])
            scaled[absent] = 0
            if self.missing:
                codes[:, -1] = absent
        codes[:, 0] = scaled

    def _decode(self, codes: NDArray[np.float64]) -> list[Value]:
        numbers = self.scaling.inverse(codes[:, 0])
        values: list[Value] = (np.rint(numbers) + 0.0 if self.whole else rounded(numbers)).tolist()
        return values

    def to_json(self) -> dict[str, Any]:
        """Return what is learnt but for the scaling."""
        return {**super().to_json(), "whole": self.whole, "way": self.way}


@dataclass
class DateColumn(NumericColumn):
    """Dates, scaled as numbers; dates with times of day also have the phases of the day and of the week."""

    type: ClassVar[str] = "date"
    value_name: ClassVar[str] = "date"
    #: ``month`` or ``day`` stands first where a text does not say it; ``none``: such a text is no date.
    way: str = "none"
    times: bool = False
    #: Whether numbers are seconds since 1970; otherwise they are not dates.
    seconds: bool = True

    @staticmethod
    def _read(text: str, way: str) -> float:
        return seconds_of(text, way)

    def _is_infinite(self, value: Value) -> bool:
        return False

    def unread(self, column: Sequence[Value]) -> Iterator[int]:
        """Give the rows of a column whose value is no date."""
        if not self.seconds:
            yield from (row for row, value in enumerate(column) if isinstance(value, float | int) and value == value)
        yield from super().unread(column)

    def _components(self) -> list[str]:
        waves = [f"{self.name} {what} {wave}" for what in ("hour", "weekday") for wave in ("sin", "cos")]
        return [self.name, *(waves if self.times else [])]

    @property
    def details(self) -> str:
        """How values become numbers, in a few words."""
        return ", ".join(filter(None, [self._way_details(), "hour and weekday" if self.times else ""]))

    def _way_details(self) -> str:
        return "" if self.way == "none" else f"{self.way} first"

    def encode(self, column: Sequence[Value], codes: NDArray[np.float32]) -> None:
        """Write the codes of a column."""
        seconds = self._numbers(column)
        if not self.seconds:
            seconds[[isinstance(value, float | int) for value in column]] = np.nan
        self._write(column, seconds, codes)
        if self.times:
            codes[:, 1:5] = phases(seconds)

    def _decode(self, codes: NDArray[np.float64]) -> list[Value]:
        return [date_text(seconds, self.times) for seconds in self.scaling.inverse(codes[:, 0]).tolist()]

    def to_json(self) -> dict[str, Any]:
        """Return what is learnt but for the scaling."""
        return {**super().to_json(), "times": self.times, "seconds": self.seconds}


@dataclass
class CategoricalColumn(ColumnCoder):
    """Categories: 1 in the component of the category, else 0; a missing one has zeros.

    The last category is `OTHER`: rare categories, those that the fit has not seen, and a missing value where none was
    missing in the fit.
    """

    type: ClassVar[str] = "categorical"
    categories: tuple[str, ...] = ()
    numbers: bool = False

    def __post_init__(self) -> None:
        self._positions = _Positions(self.categories, None if self.missing else len(self.categories))

    def _components(self) -> list[str]:
        return [*(f"{self.name}={category}" for category in self.categories), f"{self.name} {OTHER}"]

    @property
    def details(self) -> str:
        """How values become numbers, in a few words."""
        return f"{len(self.categories):,} and others"

    def encode(self, column: Sequence[Value], codes: NDArray[np.float32]) -> None:
        """Write the codes of a column."""
        require_values(column, self.name)
        if math.inf in column or -math.inf in column:
            require_finite_numbers(without_texts(column), self.name)
        positions = np.fromiter(map(self._positions.__getitem__, column), np.int64, len(column))
        codes[np.arange(len(column)), positions] = 1

    def why_other(self, value: Value) -> str | None:
        """Return why a value counts as `OTHER`; None where it has a component of its own."""
        if self._positions[value] != len(self.categories):
            return None
        text = written_value(None if value != value else value)  # NaN
        if not text:
            return f"{self.name}: no value was missing in the fit, so a missing one counts as '{OTHER}'"
        near = closest(text[:_COMPARED], self.categories) if len(self.categories) <= _COMPARED else None
        hint = f"; did you mean '{near}'?" if near else ""
        return f"{self.name}: {shortened(value)} is a new or rare category, so it counts as '{OTHER}'{hint}"

    def _decode(self, codes: NDArray[np.float64]) -> list[Value]:
        values: list[Value] = [read_number(one) if self.numbers else one for one in self.categories]
        values.append(OTHER)
        best = np.argmax(codes[:, : len(values)], axis=1)
        return [values[position] for position in best.tolist()]

    def to_json(self) -> dict[str, Any]:
        """Return what is learnt."""
        return {**super().to_json(), "categories": list(self.categories), "numbers": self.numbers}


class _Positions(dict[Any, int]):
    """Value -> the component of its category; `missing` is that of a missing value, by default the one after all."""

    def __init__(self, categories: Sequence[str], missing: int | None) -> None:
        super().__init__((category, position) for position, category in enumerate(categories))
        self._known, self._other = dict(self), len(categories)
        self._missing = len(categories) + 1 if missing is None else missing

    def __missing__(self, value: Value) -> int:
        text = written_value(None if value != value else value)  # NaN
        position = self._known.get(text, self._other) if text else self._missing
        if len(self) < _REMEMBERED and value == value:
            self[value] = position
        return position
