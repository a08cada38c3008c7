"""CSV and TSV tables with named columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders.codes import Modality
from encoders.errors import CorpusError, OptionError
from encoders.options import option
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.bounds import RowLines, text_encoding
from retrieval.corpora.files import open_bytes, plain_name
from retrieval.corpora.records import Fields, record_item
from retrieval.corpora.source import FileSource


@dataclass(eq=False)
class Delimited(FileSource):
    """A ``.csv`` or ``.tsv`` file (may be gzipped) whose first line names the columns."""

    path: Path
    name: str
    on_bad: OnBad = raise_bad
    text: str | None = option(None, "column with the text (default: text)")
    title: str | None = option(None, "column with the title, put before the text (default: title)")
    label: str | None = option(None, "column with the class (default: label)")
    id: str | None = option(None, "column with the id (default: _id or id, else the row number)")
    delimiter: str | None = option(None, "what separates the columns: a character, or 'tab'")
    encoding: str = option("utf-8", "how characters are stored, e.g. latin-1")

    modality = Modality.TEXT

    def items(self) -> Iterator[Item]:
        """Read the rows from the beginning."""
        with open_bytes(self.path, self.max_bytes) as stream:
            lines = RowLines(stream, text_encoding(self.encoding, "csv"))
            rows = csv.reader(lines, delimiter=self._delimiter())
            try:
                yield from self._items(rows, lines)
            except UnicodeError as error:
                raise CorpusError(
                    f"{self.path} is not {self.encoding} near line {rows.line_num + 1}: say ?encoding="
                ) from error

    def _items(self, rows: Any, lines: RowLines) -> Iterator[Item]:
        try:
            head = next(rows, None)
        except csv.Error as error:
            raise CorpusError(f"{self.path}:1: {error}") from None
        if not head:
            raise CorpusError(f"{self.path} has no line of column names")
        fields = Fields(self.text, self.title, self.label, self.id).resolve(head, self.path)
        number = 0
        while True:
            try:
                lines.start_row()
                row = next(rows, None)
                if row is None:
                    return
                if not row:
                    continue
                number += 1
                if len(row) != len(head):
                    raise CorpusError(f"expected {len(head)} cells, found {len(row)}")
                item = record_item(dict(zip(head, row, strict=True)), fields, number)
            except (CorpusError, csv.Error) as error:
                self.on_bad(CorpusError(f"{self.path}:{rows.line_num}: {error}"))
                continue
            yield item

    def _delimiter(self) -> str:
        if self.delimiter is None:
            return "\t" if plain_name(self.path).endswith((".tsv", ".tab")) else ","
        mark = "\t" if self.delimiter == "tab" else self.delimiter
        if len(mark) != 1:
            raise OptionError(f"csv: delimiter should be one character, or 'tab'; got {self.delimiter!r}")
        return mark
