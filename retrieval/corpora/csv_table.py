"""CSV and TSV tables with named columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from encoders.errors import CorpusError
from encoders.numbers import shortened
from retrieval.corpora.csv_dialect import Cells
from retrieval.corpora.records import Record
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
        rows = self.rows(self.path, lambda columns: text in columns, self.on_bad)
        head = next(rows, None)
        if head is None or not head.cells:
            raise CorpusError(f"{self.path} has no line of column names")
        columns = head.cells
        self.fields.check(columns, self.path)
        number = 0
        for line, cells in rows:
            if not cells:
                continue
            number += 1
            where = f"{self.path}:{line}"
            if len(cells) != len(columns):
                found = f"expected {len(columns)} cells, found {len(cells)}: {shortened(cells)}"
                self.on_bad(CorpusError(f"{where}: {found}"))
                continue
            yield Record(where, number, dict(zip(columns, cells, strict=True)))
