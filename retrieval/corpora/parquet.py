"""Parquet tables with named columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from encoders.errors import CorpusError
from retrieval.corpora.base import raise_bad
from retrieval.corpora.files import reading
from retrieval.corpora.records import Record
from retrieval.corpora.table import Table

ROWS = 1024


@dataclass(eq=False)
class Parquet(Table):
    """A ``.parquet`` file, read in pieces of a row group."""

    def records(self) -> Iterator[Record]:
        """Read the rows from the beginning."""
        import pyarrow
        import pyarrow.parquet

        try:
            with reading(self.path), pyarrow.parquet.ParquetFile(self.path) as table:
                self.fields.check(table.schema_arrow.names, self.path)
                number = 0
                for piece in table.iter_batches(batch_size=ROWS):
                    for values in piece.to_pylist():
                        number += 1
                        yield Record(f"{self.path}: row {number}", number, values)
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
