"""Parquet tables with named columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.options import option
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.files import reading
from retrieval.corpora.records import Fields, record_item
from retrieval.corpora.source import Source

ROWS = 1024


@dataclass(eq=False)
class Parquet(Source):
    """A ``.parquet`` file, read in pieces of a row group."""

    path: Path
    name: str
    on_bad: OnBad = raise_bad
    text: str | None = option(None, "column with the text (default: text)")
    title: str | None = option(None, "column with the title, put before the text (default: title)")
    label: str | None = option(None, "column with the class (default: label)")
    id: str | None = option(None, "column with the id (default: _id or id, else the row number)")

    modality = Modality.TEXT

    def items(self) -> Iterator[Item]:
        """Read the rows from the beginning."""
        import pyarrow
        import pyarrow.parquet

        try:
            with reading(self.path), pyarrow.parquet.ParquetFile(self.path) as table:
                fields = Fields(self.text, self.title, self.label, self.id).resolve(table.schema_arrow.names, self.path)
                number = 0
                for piece in table.iter_batches(batch_size=ROWS):
                    for record in piece.to_pylist():
                        number += 1
                        try:
                            item = record_item(record, fields, number)
                        except CorpusError as error:
                            self.on_bad(CorpusError(f"{self.path}: row {number}: {error}"))
                            continue
                        yield item
        except pyarrow.ArrowException as error:
            raise CorpusError(f"{self.path} is no readable Parquet file: {error}") from error

    @property
    def size(self) -> int | None:
        """Number of rows, from the footer of the file; None where bad ones may be left out."""
        import pyarrow
        import pyarrow.parquet

        if self.on_bad is not raise_bad:
            return None
        try:
            return int(pyarrow.parquet.read_metadata(self.path).num_rows)
        except (OSError, pyarrow.ArrowException):
            return None
