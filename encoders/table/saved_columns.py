"""The columns of a saved encoder, checked as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.numbers import read_number
from encoders.table.column_coders import CategoricalColumn, ColumnCoder, DateColumn, NumericColumn
from encoders.table.dates import ORDERS
from encoders.table.number_text import DECIMALS
from encoders.table.scaling import Scaling


def scalings_of(coders: Sequence[ColumnCoder]) -> NDArray[np.float64]:
    """Return the scalings of the numeric columns and dates in their order, float64 (n, 3)."""
    rows = [coder.scaling for coder in coders if isinstance(coder, NumericColumn)]
    return np.array(rows, np.float64).reshape(-1, 3)


def coders_from_json(columns: Any, scalings: NDArray[np.float64] | None = None) -> list[ColumnCoder]:
    """Return the coders that `ColumnCoder.to_json` and `scalings_of` wrote; without scalings, numbers are unscaled.

    Raises
    ------
    ValueError, TypeError, KeyError
        When a value is not what was written.
    """
    if not isinstance(columns, list):
        raise TypeError("its columns are not a list")
    numeric = sum(column["type"] != CategoricalColumn.type for column in columns)
    if scalings is None:
        scalings = np.tile([0.0, 1.0, 0.0], (numeric, 1))
    if scalings.shape != (numeric, 3) or scalings.dtype != np.float64 or not np.isfinite(scalings).all():
        raise ValueError(f"its {numeric:,} numeric columns have no scaling that fits")
    if (scalings[:, 1] <= 0).any() or (scalings[:, 2] < 0).any():
        raise ValueError("the scaling of a column is not positive")
    remaining = iter(scalings.tolist())
    return [_coder(column, remaining) for column in columns]


def _coder(column: dict[str, Any], scalings: Any) -> ColumnCoder:
    name, missing = column["name"], _truth(column["missing"])
    if not isinstance(name, str):
        raise TypeError("the name of a column is not a string")
    if column["type"] == NumericColumn.type:
        way = _one_of(column.get("way", "point"), DECIMALS)  # without one: an older nearby
        return NumericColumn(name, missing, Scaling(*next(scalings)), whole=_truth(column["whole"]), way=way)
    if column["type"] == DateColumn.type:
        way = _one_of(column.get("way", "none"), (*ORDERS, "none"))
        whole, times, seconds = (_truth(column.get(key, True)) for key in ("whole", "times", "seconds"))
        return DateColumn(name, missing, Scaling(*next(scalings)), whole, way, times, seconds)
    if column["type"] != CategoricalColumn.type:
        raise ValueError("a column has a type that does not exist")
    categories, numbers = column["categories"], _truth(column["numbers"])
    if not isinstance(categories, list) or not all(isinstance(text, str) and text for text in categories):
        raise TypeError("the categories of a column are not a list of texts")
    if len(set(categories)) < len(categories):
        raise ValueError("a column has a category twice")
    if numbers:
        for text in categories:
            read_number(text)  # ValueError where a category is not the number that it says
    return CategoricalColumn(name, missing, tuple(categories), numbers)


def _one_of(value: Any, known: Sequence[str]) -> str:
    if value not in known:
        raise ValueError("a column is written in a way that does not exist")
    return str(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("what is true or false is neither")
    return value
