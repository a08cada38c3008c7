"""Rows of a table as vectors: scaled numbers, one component for each category, dates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.codes import MAX_DIM, Batches, Codes, Items, Kind, Metric, Modality, Space
from encoders.errors import BadItemError, OptionError, UnknownNameError
from encoders.numbers import counted, shortened
from encoders.options import option
from encoders.progress import say_once
from encoders.row import MAX_COLUMNS, Row, Value
from encoders.table.column_coders import CategoricalColumn, ColumnCoder, NumericColumn
from encoders.table.column_survey import ColumnSurvey
from encoders.table.column_types import Rules, choose
from encoders.table.dates import ORDERS
from encoders.table.number_text import DECIMALS
from encoders.table.row_columns import LISTED, columns_of, listed, order_of
from encoders.table.saved_columns import coders_from_json, scalings_of

#: Rows that are encoded at once.
_BLOCK = 4096


@dataclass
class Columns(Encoder):
    """The columns of a table as numbers: scaled, or one component for each category.

    Use it when your items are rows of a table: put it before every encoder of vectors, as `pixels` for pictures.

    The type of a column is guessed: ``numeric`` or ``date`` when 95 of 100 values are numbers or dates, else
    ``categorical``; `numeric`, `categorical` and `date` decide otherwise. A column without values, and one whose texts
    differ in most rows, as an identifier has, is left out. ``nearby info DIR -v`` shows the types.

    All rows count for the type. The whole column also decides how texts are read: 1,234.5 or 1.234,5, and whether the
    month or the day stands first in 05/01/2024; where nothing decides, a line says so, and `decimal` and `date-order`
    do. Thousands, percent (5% is 0.05) and signs of currencies are read. Categories are compared as texts: 1.1 is not
    1.10. Values that do not fit the type count as missing, and a line says how many.

    Numbers lose their median and are divided by their interquartile range (where that is 0, by their standard
    deviation); strongly skewed ones get a signed logarithm first. A category is 1 in its own component. Rare
    categories, and those that the fit has not seen, share the component ``other``. Dates are numbers; with times of
    day they also have the phase of the day and of the week. Where values are missing, a component says so, and the
    number is the median. A query may lack columns: they are not compared (in a space that goes on from here, such as
    `columns+pca`, they count as the median and as no category). Codes are decoded to rows; a column that is left out
    is missing in them. Quantiles of tables with more than 524,288 rows are those of an even sample.

    Examples
    --------
    >>> rows = [Row(("amount", "type"), (float(n), "ab"[n % 2])) for n in range(9)]
    >>> encoder = Columns().fit(rows)
    >>> encoder.vocabulary
    ['amount', 'type=a', 'type=b', 'type other']
    >>> encoder.encode([Row(("amount", "type"), (8.0, "new"))]).tolist()
    [[1.0, 0.0, 0.0, 1.0]]
    >>> str(encoder.decode(encoder.encode(rows[:1]))[0])
    'amount=0, type=a'

    References
    ----------
    Huber & Ronchetti, Robust Statistics, 2nd edition, 2009, §5.1 (median and quantile range); Micci-Barreca, A
    preprocessing scheme for high-cardinality categorical attributes, SIGKDD Explorations 3(1), 2001, §2 (one component
    for each category, rare ones joined).
    """

    name: ClassVar[str] = "columns"
    reads: ClassVar[Modality] = Modality.ROW
    rare: float = option(
        0.001, "Categories that are rarer are joined into 'other': a count from 1 up, or a share below 1.", ge=0
    )
    max_categories: int = option(
        100, "Most categories of a column; the others are joined into 'other'.", ge=1, le=10_000
    )
    log: str = option("auto", "With auto, strongly skewed columns get a signed logarithm.", choices=("auto", "none"))
    numeric: tuple[str, ...] | None = option(None, "Columns that are read as numbers, joined by commas.")
    categorical: tuple[str, ...] | None = option(None, "Columns that are read as categories, joined by commas.")
    date: tuple[str, ...] | None = option(
        None, "Columns that are read as dates, joined by commas; a number is seconds since 1970."
    )
    decimal: str = option(
        "auto", "Decimal separator of numbers that are texts: 1,234.5 or 1.234,5.", choices=("auto", *DECIMALS)
    )
    date_order: str = option("auto", "What stands first in a date such as 05/01/2024.", choices=("auto", *ORDERS))

    def __post_init__(self) -> None:
        super().__post_init__()
        #: The names of all columns of the table.
        self.names: tuple[str, ...] = ()
        #: Why a column is left out, by its name.
        self.left_out: dict[str, str] = {}
        self._coders: list[ColumnCoder] = []

    # -- fitting -----------------------------------------------------------------------------------------------

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        self.names, self._coders = (), []
        surveys: list[ColumnSurvey] = []
        for batch in batches:
            if not batch.items:
                continue
            if not surveys:
                surveys = self._surveys(batch.items[0].names)
            for survey, column in zip(surveys, columns_of(batch.items, self.names, self.names), strict=True):
                survey.add(column)
        if not surveys:
            raise BadItemError("there is nothing to fit on: the corpus holds no rows")
        rules = Rules(self.max_categories, self.rare, self.log == "auto", self.decimal, self.date_order)
        choices = {survey.name: choose(survey, rules) for survey in surveys}
        self._coders = [choice.coder for choice in choices.values() if choice.coder is not None]
        self.left_out = {name: choice.reason for name, choice in choices.items() if choice.coder is None}
        if not self._coders:
            why = "; ".join(f"{name}: {reason}" for name, reason in list(self.left_out.items())[:LISTED])
            raise BadItemError(f"{self.name}: no column is left to encode ({why})")
        for line in (self.types_line(), *(choice.note for choice in choices.values() if choice.note)):
            say_once(line)
        return Space(sum(len(coder.components) for coder in self._coders), Kind.DENSE, Metric.EUCLIDEAN)

    def _surveys(self, names: tuple[str, ...]) -> list[ColumnSurvey]:
        if len(set(names)) < len(names) or not 1 <= len(names) <= MAX_COLUMNS:
            raise BadItemError(f"a row has 1 to {MAX_COLUMNS:,} columns with names that differ; got {shortened(names)}")
        roles: dict[str, str] = {}
        for role in ("numeric", "categorical", "date"):
            for name in getattr(self, role) or ():
                if name not in names:
                    raise UnknownNameError("column", name, names, where=f"for {role}=")
                if name in roles:
                    raise OptionError(f"{self.name}: the column '{name}' is given as {roles[name]} and as {role}")
                roles[name] = role
        self.names = names
        return [ColumnSurvey(name, roles.get(name)) for name in names]

    # -- encoding ----------------------------------------------------------------------------------------------

    def _encode(self, items: Any) -> Codes:
        codes = np.zeros((len(items), self.space.dim), dtype=np.float32)
        used = tuple(coder.name for coder in self._coders)
        for start in range(0, len(items), _BLOCK):
            block = items[start : start + _BLOCK]
            position = 0
            for coder, column in zip(self._coders, columns_of(block, used, self.names), strict=True):
                width = len(coder.components)
                coder.encode(column, codes[start : start + len(block), position : position + width])
                position += width
        return codes

    def _encode_queries(self, items: Any) -> Codes:
        """Encode rows that may lack columns: these have zeros, which are the median, and no category."""
        if all(len(row.names) == len(self.names) for row in items):
            return self._encode(items)
        codes = np.zeros((len(items), self.space.dim), dtype=np.float32)
        parts = self.components_of()
        for at, row in enumerate(items):
            used = tuple(coder.name for coder in self._coders if coder.name in row.names)
            order_of(row.names, used, self.names)  # refuses columns that are not known
            if not used:
                raise BadItemError(f"the query gives no column that this space reads: {listed(list(parts))}")
            for coder in self._coders:
                if coder.name in used:
                    coder.encode([row[coder.name]], codes[at : at + 1, parts[coder.name]])
        return codes

    def given_components(self, row: Row) -> NDArray[np.bool_]:
        """Return which components are of columns that a row has, bool (dim,)."""
        given = np.zeros(self.space.dim, bool)
        for name, part in self.components_of().items():
            given[part] = name in row.names
        return given

    def new_categories(self, row: Row) -> list[str]:
        """Return a sentence for each category of a row that has no component of its own."""
        given = (one for one in self._coders if isinstance(one, CategoricalColumn) and one.name in row.names)
        return [line for coder in given if (line := coder.why_other(row[coder.name])) is not None]

    def infinite_columns(self, rows: Sequence[Row]) -> dict[int, list[str]]:
        """Return the columns of numbers in which a row holds an infinite one, by the position of the row.

        A code has no number for it: to `encode`, the value is missing.
        """
        return self._columns_of(rows, NumericColumn.infinite)

    def unread_columns(self, rows: Sequence[Row]) -> dict[int, list[str]]:
        """Return the columns in which a row holds a text that is no number, or no date, by the position of the row."""
        return self._columns_of(rows, NumericColumn.unread)

    def _columns_of(
        self, rows: Sequence[Row], rows_with: Callable[[NumericColumn, Sequence[Value]], Iterator[int]]
    ) -> dict[int, list[str]]:
        numeric = [coder for coder in self._coders if isinstance(coder, NumericColumn)]
        used = tuple(coder.name for coder in numeric)
        names: dict[int, list[str]] = {}
        for start in range(0, len(rows), _BLOCK):
            block = columns_of(rows[start : start + _BLOCK], used, self.names)
            for coder, column in zip(numeric, block, strict=True):
                for row in rows_with(coder, column):
                    names.setdefault(start + row, []).append(coder.name)
        return names

    def _decode(self, codes: Codes) -> Items:
        dense = np.asarray(codes, np.float32)
        columns: dict[str, list[Value]] = {}
        position = 0
        for coder in self._coders:
            width = len(coder.components)
            columns[coder.name] = coder.decode(dense[:, position : position + width])
            position += width
        nothing: list[Value] = [None] * len(dense)
        values = zip(*(columns.get(name, nothing) for name in self.names), strict=True)
        return [Row(self.names, one) for one in values]

    # -- what the columns are ----------------------------------------------------------------------------------

    def column_types(self) -> dict[str, str]:
        """Return the type of every column: ``numeric``, ``categorical`` or ``date``, or why it is left out."""
        types = {coder.name: coder.type for coder in self._coders}
        return {name: types.get(name, f"left out: {self.left_out.get(name, '')}") for name in self.names}

    def components_of(self) -> dict[str, slice]:
        """Return the components of every column that is encoded, as a slice of the code."""
        components, start = {}, 0
        for coder in self._coders:
            stop = start + len(coder.components)
            components[coder.name] = slice(start, stop)
            start = stop
        return components

    def column_details(self) -> dict[str, str]:
        """Return how each encoded column becomes numbers, in a few words."""
        return {
            coder.name: ", ".join(filter(None, [coder.details, "some missing" if coder.missing else ""]))
            for coder in self._coders
        }

    def types_line(self) -> str:
        """Return the types of the columns in one line: ``columns: 1 numeric (fee), 1 date (day)``."""
        parts = []
        for type in ("numeric", "categorical", "date"):
            names = [coder.name for coder in self._coders if coder.type == type]
            if names:
                parts.append(f"{len(names):,} {type} ({listed(names)})")
        out = "".join(f"; {name} is left out: {reason}" for name, reason in list(self.left_out.items())[:LISTED])
        more = len(self.left_out) - LISTED
        return f"columns: {', '.join(parts)}{out}" + (f"; {counted(more, 'other column')} left out" if more > 0 else "")

    @property
    def vocabulary(self) -> list[str] | None:
        """The name of each component, such as ``amount``, ``type=CASH_OUT`` or ``amount missing``."""
        return [name for coder in self._coders for name in coder.components] or None

    @vocabulary.setter
    def vocabulary(self, words: list[str]) -> None:
        if words != self.vocabulary:
            raise ValueError("the names of its components are not those of its columns")

    # -- saving ------------------------------------------------------------------------------------------------

    def learnt_shape(self) -> dict[str, Any]:
        """Return the learnt spaces, the names of all columns, and what is learnt of each."""
        return {
            **super().learnt_shape(),
            "names": list(self.names),
            "left_out": self.left_out,
            "columns": [coder.to_json() for coder in self._coders],
        }

    def restore_shape(self, value: dict[str, Any]) -> None:
        """Restore what `learnt_shape` returned; ValueError or TypeError where that cannot be."""
        super().restore_shape(value)
        names, left_out = value["names"], value["left_out"]
        self._coders = coders_from_json(value["columns"])
        used = [coder.name for coder in self._coders]
        if not isinstance(names, list) or not isinstance(left_out, dict):
            raise TypeError("the names of its columns are not a list")
        if not all(isinstance(text, str) for text in [*names, *left_out.values()]):
            raise TypeError("the name of a column is not a string")
        if len(set(names)) < len(names) or sorted([*used, *left_out]) != sorted(names):
            raise ValueError("its columns are not those of its table")
        if sum(len(coder.components) for coder in self._coders) != self.space.dim or self.space.dim > MAX_DIM:
            raise ValueError("its columns have not as many components as its space")
        self.names, self.left_out = tuple(names), left_out

    def state(self) -> State:
        """Return centre, spread and unit of the logarithm of every numeric column and date, float64 (n, 3)."""
        return {"scalings": scalings_of(self._coders)}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        scalings: NDArray[np.float64] = state["scalings"]
        self._coders = coders_from_json([coder.to_json() for coder in self._coders], scalings)
