"""The base of every table of columns (CSV, JSON lines, Parquet): which columns are the row, and the values of cells."""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from operator import itemgetter
from typing import Any, ClassVar, NamedTuple

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.options import option
from encoders.row import MAX_COLUMNS, Row, Value, plain_value, written_value
from retrieval.corpora.base import Item
from retrieval.corpora.records import USUAL_IDS, Record, column_choice, identifier, lookup, plain
from retrieval.corpora.source import FileSource

#: All columns that hold neither the label nor the id, and are not left out.
EVERY = "*"
#: What stands for a missing value in a cell.
MISSING = frozenset({"", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "Null", "null", "?"})
#: What may be the text of a number.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]+)?(?:e[+-]?[0-9]{1,3})?")
#: What may be thousands, where the decimal separator is a comma.
_GROUPED = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}")
#: Different cells whose values are remembered.
_REMEMBERED = 2**18


class Layout(NamedTuple):
    """Which columns of a table are the row, the label, and further fields.

    Attributes
    ----------
    row : tuple of str
    label : str or None
    fields : tuple of str
        The columns that become metadata.
    """

    row: tuple[str, ...]
    label: str | None
    fields: tuple[str, ...]


@dataclass(eq=False)
class RowTable(FileSource):
    """A table whose rows are the items; a subclass reads the records and says which columns there are."""

    columns: tuple[str, ...] = option(
        (EVERY,), "Columns of a row, joined by commas; with *, all that hold neither the label nor the id."
    )
    without: tuple[str, ...] | None = option(None, "Columns that are left out of the row, joined by commas.")
    label: str | None = option(None, "Column with the class of the row (default: label).")
    id: str | None = option(None, "Column with the id (default: _id or id; without either, the number of line or row).")

    modality = Modality.ROW
    #: Whether all values of records are texts, and no record lacks a column: they are then read faster.
    of_cells: ClassVar[bool] = False

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """Read the records from the beginning."""

    @abstractmethod
    def table_names(self) -> Sequence[str]:
        """Return the names of the columns."""

    def layout(self) -> Layout:
        """Return which columns are the row.

        Raises
        ------
        CorpusError
            For a column that does not exist, or two of one name.
        """
        names = list(self.table_names())
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise CorpusError(f"{self.path} has several columns '{twice}': give each its own name")
        chosen = [name for name in self.columns if name != EVERY]
        named = [("columns", name) for name in chosen] + [("without", name) for name in self.without or ()]
        named += [(key, name) for key, name in (("label", self.label), ("id", self.id)) if name is not None]
        for key, name in named:
            if name not in names:
                raise CorpusError(f"{self.path} has no column '{name}' for {key}=; {column_choice(name, names)}")
        label = self.label or ("label" if "label" in names and "label" not in chosen else None)
        ids = (self.id,) if self.id else USUAL_IDS
        left_out = {label, *ids, *(self.without or ())} - set(chosen)
        row = [name for name in names if name not in left_out] if EVERY in self.columns else list(dict.fromkeys(chosen))
        row = [name for name in row if name not in (self.without or ())]
        if not row:
            raise CorpusError(f"{self.path} has no column left for its rows; its columns: {', '.join(names)}")
        if len(row) > MAX_COLUMNS:
            raise CorpusError(f"{self.path} has {len(row):,} columns; nearby reads up to {MAX_COLUMNS:,}")
        used = {*row, label, *ids}
        return Layout(tuple(row), label, tuple(name for name in names if name not in used))

    def items(self) -> Iterator[Item]:
        """Read the rows from the beginning, as items."""
        layout, cells = self.layout(), CellValues()
        pick = _picker(layout.row)
        for record in self.records():
            try:
                if self.of_cells:
                    values = tuple(map(cells.__getitem__, pick(record.values)))
                else:
                    values = tuple([cells.of(lookup(record.values, name), name) for name in layout.row])
                yield _item(record, Row(layout.row, values), layout, self.id)
            except CorpusError as error:
                self.on_bad(CorpusError(f"{record.where}: {error}"))


def _picker(names: tuple[str, ...]) -> Callable[[dict[str, Any]], Sequence[Any]]:
    """Return what takes the values of some fields out of a record."""
    return itemgetter(*names) if len(names) > 1 else lambda values: (values[names[0]],)


def _item(record: Record, row: Row, layout: Layout, id: str | None) -> Item:
    values = record.values
    label = None if layout.label is None else plain(lookup(values, layout.label), layout.label)
    metadata = {name: text for name in layout.fields if (text := plain(lookup(values, name), name))}
    return Item(identifier(values, id, record.number)[1], row, None, label or None, metadata, record.where)


class CellValues(dict[str, Value]):
    """Text of a cell -> its value; many cells hold the same, so that values are shared."""

    def __missing__(self, text: str) -> Value:
        value = cell_value(text)
        if len(self) < _REMEMBERED:
            self[text] = value
        return value

    def of(self, value: Any, name: str = "") -> Value:
        """Return a value of a record as a value of a row.

        Raises
        ------
        CorpusError
            For bytes that are not UTF-8.
        """
        if type(value) is str:
            return self[value]
        if isinstance(value, date | datetime | time):
            return value.isoformat()
        if isinstance(value, bytes | list | tuple | dict):
            return plain(value, name)
        number = plain_value(value)
        # As the cell `inf` of a .csv, it is no number, and not missing: the encoder says what it makes of it.
        return str(number) if isinstance(number, float) and math.isinf(number) else number


def cell_value(text: str) -> Value:
    """Return the value of a cell: a number, a text, or None where it is missing.

    A cell is a number if the number is written like the cell: so its text is never lost. All others stay texts: 007 and
    1.10, which may be codes or versions, and 1.234, which may be one thousand. Whether they are numbers is decided by
    the whole column (see the encoder `columns`).

    Examples
    --------
    >>> cell_value("1.5"), cell_value(" 12"), cell_value("007"), cell_value("1.10"), cell_value("1.234")
    (1.5, 12.0, '007', '1.10', '1.234')
    >>> cell_value("N/A"), cell_value("inf")
    (None, 'inf')
    """
    text = text.strip()
    if text in MISSING:
        return None
    if _NUMBER.fullmatch(text) is None:
        return text
    number = float(text)
    return number if written_value(number) == text and _GROUPED.fullmatch(text) is None else text
