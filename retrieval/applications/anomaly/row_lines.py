"""Rows of a table from lines of JSON: an object whose keys are the columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from encoders.errors import BadItemError, UnknownNameError
from encoders.row import Row, Value
from retrieval.corpora.records import USUAL_IDS
from retrieval.corpora.rows import CellValues

#: Whole numbers that a float holds; larger ones are codes, as in a file.
_MOST = 10**15
_NUMBERS = {float, int}
#: Names of columns in a message.
_SHOWN = 5


class ReadRow(NamedTuple):
    """A row, the id that its object has beside it, and the columns that the object lacks."""

    row: Row
    id: Any
    lacking: list[str]


class PickedRow(NamedTuple):
    """The values of an object in the order of the columns, and the id that it has beside them."""

    values: tuple[Any, ...]
    id: Any


class RowReader:
    """Reads objects of JSON as rows; values become what they are in a file of the same table.

    A column that an object lacks is missing, as in a query of `search`; a column that the table does not have is an
    error.

    Parameters
    ----------
    names : sequence of str
        The columns of the table.

    Examples
    --------
    >>> reader = RowReader(["amount", "type"])
    >>> reader.read({"type": "CASH_OUT", "amount": 12, "id": 7})
    ReadRow(row=Row(names=('amount', 'type'), values=(12.0, 'CASH_OUT')), id=7, lacking=[])
    >>> reader.read({"amount": "1e3"}).lacking
    ['type']
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._known = frozenset(names)
        #: Keys that hold the id of a row, as in a file; unless a column of the fit has this name.
        self._ids = [key for key in USUAL_IDS if key not in self._known]
        self._cells = CellValues()
        self._pick = _picker(self.names)

    def read(self, given: Any) -> ReadRow:
        """Return an object as a row.

        Raises
        ------
        BadItemError
            When it is no object, or has no column of the table.
        UnknownNameError
            For a column that the table does not have.
        CorpusError
            For a value that no row can hold.
        """
        if not isinstance(given, dict):
            raise BadItemError(f"expected a JSON object with the columns {self._listed(self.names)}")
        id = next((given.pop(key) for key in self._ids if key in given), None)
        lacking: list[str] = []
        try:
            values = self._pick(given)
        except KeyError:
            lacking = [name for name in self.names if name not in given]
            values = tuple(map(given.get, self.names))
        if len(given) + len(lacking) > len(self.names):
            unknown = next(one for one in given if one not in self._known)
            raise UnknownNameError("column", unknown, self.names, where="in the table")
        if len(lacking) == len(self.names):
            raise BadItemError(f"an object with no value for any column: {self._listed(self.names)}")
        return ReadRow(Row(self.names, tuple([self._value(value) for value in values])), id, lacking)

    def picked(self, given: Any) -> PickedRow | None:
        """Return the values of an object that has every column, not yet those of a row; None: `read` must look at it.

        Examples
        --------
        >>> RowReader(["amount", "type"]).picked({"type": "CASH_OUT", "amount": 12, "id": 7})
        PickedRow(values=(12, 'CASH_OUT'), id=7)
        """
        if type(given) is not dict:
            return None
        id, count = None, len(self.names)
        if len(given) != count:
            key = next((key for key in self._ids if key in given), None)
            if key is None or len(given) != count + 1:
                return None
            id = given[key]
        try:
            return PickedRow(self._pick(given), id)
        except KeyError:
            return None

    def rows(self, picked: Sequence[PickedRow]) -> list[Row]:
        """Return picked values as rows: those that `read` returns, converted column by column.

        Raises
        ------
        CorpusError
            For a value that no row can hold, without saying which.
        """
        columns = zip(*[one.values for one in picked], strict=True)
        return [Row(self.names, values) for values in zip(*map(self._column, columns), strict=True)]

    def _column(self, values: tuple[Any, ...]) -> Sequence[Value]:
        kinds = set(map(type, values))
        if kinds == {float}:
            return values
        if kinds <= _NUMBERS and min(values) > -_MOST and max(values) < _MOST:
            return list(map(float, values))
        if kinds == {str}:
            return list(map(self._cells.__getitem__, values))
        return list(map(self._value, values))

    def _value(self, value: Any) -> Value:
        kind = type(value)
        if kind is float:  # always finite: JSON has no other numbers
            number: float = value
            return number
        if kind is int and -_MOST < value < _MOST:
            return float(value)
        return self._cells.of(value)

    @staticmethod
    def _listed(names: Sequence[str]) -> str:
        return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _picker(names: Sequence[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(names) < 2:  # itemgetter returns a tuple for two names or more
        return lambda values: tuple([values[name] for name in names])
    return itemgetter(*names)
