"""CSV and TSV tables with named columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from encoders.errors import CorpusError
from encoders.numbers import shortened
from retrieval.corpora.base import OnBad, raise_bad
from retrieval.corpora.csv_dialect import Cells
from retrieval.corpora.csv_dialect import Row as CsvRow
from retrieval.corpora.records import Record
from retrieval.corpora.rows import EVERY, RowTable
from retrieval.corpora.table import Table


@dataclass(eq=False)
class CsvTable(Cells, Table):
    """Texts in a ``.csv`` or ``.tsv`` file, one row each; the first line names the columns.

    The file may be gzipped. Cells may be quoted and hold line ends. The delimiter is the comma (in a ``.tsv`` file the
    tab), unless the first line only gives the needed columns when it is split at another one of ``,`` ``;`` tab ``|``.
    Columns that hold neither text, title, label nor id become metadata.
    """

    def records(self) -> Iterator[Record]:
        """Read the rows from the beginning."""
        text = self.text or "text"
        head, rows = headed(self, lambda columns: text in columns, self.on_bad)
        self.fields.check(head, self.path)
        yield from named_cells(self.path, head, rows, self.on_bad)


@dataclass(eq=False)
class CsvRows(Cells, RowTable):
    """Rows of a ``.csv`` or ``.tsv`` file, where ``columns=`` is given; the first line names the columns.

    Cells that hold a number are numbers; an empty cell, NA, N/A, NaN, NULL and ? are missing values. Numbers with a
    leading zero or more than 15 digits stay texts. Columns that are neither row, label nor id become metadata.
    """

    of_cells = True

    def table_names(self) -> list[str]:
        """Return the names of the columns; one without a name is named by its position."""
        return _filled(headed(self, self._wanted, raise_bad)[0])

    def records(self) -> Iterator[Record]:
        """Read the rows from the beginning."""
        head, rows = headed(self, self._wanted, self.on_bad)
        yield from named_cells(self.path, _filled(head), rows, self.on_bad)

    def _wanted(self, columns: list[str]) -> bool:
        named = {*self.columns, *(self.without or ()), *filter(None, (self.label, self.id))} - {EVERY}
        return len(columns) > 1 and named <= set(columns)


def headed(file: Cells, wanted: Callable[[list[str]], bool], on_bad: OnBad) -> tuple[list[str], Iterator[CsvRow]]:
    """Return the names of the columns, and the rows below them.

    Raises
    ------
    CorpusError
        When there is no line of names.
    """
    rows = file.rows(file.path, wanted, on_bad)
    head = next(rows, None)
    if head is None or not head.cells:
        raise CorpusError(f"{file.path} has no line of column names")
    return head.cells, rows


def named_cells(path: Path, head: list[str], rows: Iterator[CsvRow], on_bad: OnBad) -> Iterator[Record]:
    """Give the cells of each row their names; a row with too few or too many goes to `on_bad`."""
    number = 0
    for line, cells in rows:
        if not cells:
            continue
        number += 1
        where = f"{path}:{line}"
        if len(cells) != len(head):
            message = f"expected {len(head)} cells, found {len(cells)}: {shortened(cells)}"
            on_bad(CorpusError(f"{where}: {message}"))
            continue
        yield Record(where, number, dict(zip(head, cells, strict=True)))


def _filled(head: list[str]) -> list[str]:
    return [name or f"column {position}" for position, name in enumerate(head, 1)]
