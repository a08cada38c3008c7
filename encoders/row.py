"""A row of a table: named values, each a number, a text, or missing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from encoders.errors import BadItemError
from encoders.numbers import shortened

#: A value of a row; None: it is missing.
Value = str | float | None
#: Largest number of columns of a row.
MAX_COLUMNS = 100_000
#: Letters of one value, and of a whole row, as it is shown in one line.
_VALUE, _LINE = 24, 400
_STORED = {float, str, type(None)}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes
    ----------
    names : tuple of str
        The names of the columns; the rows of one table share one tuple.
    values : tuple of str, float or None
        The value of each column; None where it is missing.

    Examples
    --------
    >>> row = Row(("amount", "type"), (12.0, "CASH_OUT"))
    >>> row["type"], str(row)
    ('CASH_OUT', 'amount=12, type=CASH_OUT')
    """

    names: tuple[str, ...]
    values: tuple[Value, ...]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Row:
        """Return a mapping from names to values as a row; NaN is missing, whole numbers become floats.

        Examples
        --------
        >>> Row.of({"amount": 12, "fee": float("nan"), "new": True}).values
        (12.0, None, 'true')
        """
        return cls(tuple(map(str, values)), tuple(map(plain_value, values.values())))

    @classmethod
    def of_stored(cls, names: tuple[str, ...], values: Any) -> Row:
        """Return the row whose values were stored as a JSON array.

        Raises
        ------
        ValueError
            When they are no array of finite numbers, texts and nulls, one for each name.

        Examples
        --------
        >>> Row.of_stored(("amount", "type"), [12.0, None]).values
        (12.0, None)
        """
        if not isinstance(values, list) or len(values) != len(names):
            raise ValueError("a row has not one value for each column")
        if not set(map(type, values)) <= _STORED or any(map(_is_odd, values)):
            raise ValueError("a value of a row is neither a number nor a text")
        return cls(names, tuple(values))

    def __getitem__(self, name: str) -> Value:
        """Return the value of a column; KeyError if there is none of this name."""
        if name not in self.names:
            raise KeyError(name)
        return self.values[self.names.index(name)]

    @property
    def nbytes(self) -> int:
        """About how many bytes its values take."""
        return sum(len(value) if isinstance(value, str) else 8 for value in self.values)

    def to_bytes(self) -> bytes:
        """Return the values as JSON: what a collection stores; the names are stored beside it.

        Raises
        ------
        BadItemError
            For a value that is no finite number, text or None.

        Examples
        --------
        >>> Row(("amount", "type"), (12.0, None)).to_bytes()
        b'[12.0,null]'
        """
        try:
            if not set(map(type, self.values)) <= _STORED and any(map(_is_odd, self.values)):
                raise TypeError
            return json.dumps(self.values, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError):
            raise BadItemError(
                f"a row holds {shortened(next(filter(_is_odd, self.values), self.values))}: its values are finite "
                "numbers, texts, and None where a value is missing"
            ) from None

    def __str__(self) -> str:
        parts, letters = [], 0
        for name, value in zip(self.names, self.values, strict=True):
            if value is not None:
                parts.append(f"{name}={_short(_shown(value))}")
                letters += len(parts[-1]) + 2
                if letters > _LINE:
                    return ", ".join([*parts, "…"])
        return ", ".join(parts)


def plain_value(value: Any) -> Value:
    """Return a value of Python or NumPy as a value of a row.

    Whole numbers of more than 15 digits, which a float cannot hold, become texts, as truth values do.

    Examples
    --------
    >>> plain_value(3), plain_value(False), plain_value(12345678901234567), plain_value("")
    (3.0, 'false', '12345678901234567', None)
    """
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return float(value) if abs(value) < 10**15 else str(value)
    if isinstance(value, float) or hasattr(value, "__float__"):
        number = float(value)
        return None if math.isnan(number) else number
    return str(value)


def written_value(value: Value) -> str:
    """Return a value as it is shown, and as the name of a category: whole numbers without a decimal point.

    Examples
    --------
    Two numbers that differ are never written alike.

    >>> written_value(12.0), written_value(0.1), written_value(1e7), written_value("x"), written_value(None)
    ('12', '0.1', '10000000', 'x', '')
    >>> written_value(0.1 + 0.2)
    '0.30000000000000004'
    """
    if value is None or isinstance(value, str):
        return value or ""
    value = float(value) + 0.0  # -0 is 0
    return f"{value:.0f}" if value.is_integer() and abs(value) < 10**15 else repr(value)


def _is_odd(value: Any) -> bool:
    return not (value is None or isinstance(value, str) or (isinstance(value, float) and math.isfinite(value)))


def names_json(names: tuple[str, ...]) -> str:
    """Return the names of columns as JSON."""
    return _names_json(names)


@lru_cache(maxsize=64)
def _names_json(names: tuple[str, ...]) -> str:
    return json.dumps(names, ensure_ascii=False, separators=(",", ":"))


def _shown(value: Value) -> str:
    """Return a value with at most ten digits."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.10g}"
    return written_value(value)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _VALUE else f"{line[: _VALUE - 1]}…"
