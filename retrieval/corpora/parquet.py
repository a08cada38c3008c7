"""Parquet tables with named columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from encoders.batches import BATCH_BYTES
from encoders.errors import CorpusError, one_line
from encoders.plain_file import open_plain, require_plain
from retrieval.corpora.base import raise_bad
from retrieval.corpora.files import reading, unexpected_damage
from retrieval.corpora.records import Record
from retrieval.corpora.table import Table

ROWS = 1024


@dataclass(eq=False)
class Parquet(Table):
    """Texts in a ``.parquet`` file, one row each.

    A part of a nested column is named by its path, such as ``metadata.category``. A value that is null, NaN or
    infinite counts as missing. Columns that hold neither text, title, label nor id become metadata.
    """

    def records(self) -> Iterator[Record]:
        """Read the rows from the beginning."""
        import pyarrow
        import pyarrow.parquet

        with reading(self.path), unexpected_damage(self.path), open_plain(self.path) as file:
            try:
                with pyarrow.parquet.ParquetFile(file) as table:
                    schema = table.schema_arrow
                self.fields.check(schema.names, self.path)
                # As dictionaries: a text that a file holds once and names in every row is not there as often.
                texts = [field.name for field in schema if _is_text(field.type)]
                with pyarrow.parquet.ParquetFile(file, read_dictionary=texts) as table:
                    rows = (row for piece in table.iter_batches(batch_size=ROWS) for row in _rows(piece))
                    for number, values in enumerate(rows, start=1):
                        yield Record(f"{self.path}: row {number}", number, values)
            except pyarrow.ArrowException as error:
                raise CorpusError(f"{self.path} is not a readable Parquet file: {one_line(error)}") from error

    @property
    def size(self) -> int | None:
        """Number of rows, from the footer of the file; None if bad ones may be left out."""
        import pyarrow
        import pyarrow.parquet

        if self.on_bad is not raise_bad:
            return None
        try:
            require_plain(self.path)
            return int(pyarrow.parquet.read_metadata(self.path).num_rows)
        except (OSError, ValueError, pyarrow.ArrowException):
            return None


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _rows(piece: Any) -> Iterator[dict[str, Any]]:
    """Turn a piece of a table into rows, some at a time where its texts are long."""
    widest = sum(_longest(column) for column in piece.columns)
    rows = max(1, min(ROWS, BATCH_BYTES // max(1, widest)))
    for start in range(0, piece.num_rows, rows):
        columns = [_plain(column.slice(start, rows)).to_pylist() for column in piece.columns]
        for values in zip(*columns, strict=True):
            yield dict(zip(piece.schema.names, values, strict=True))


def _plain(column: Any) -> Any:
    """Return a column with its texts in every row."""
    from pyarrow import types

    return column.dictionary_decode() if types.is_dictionary(column.type) else column


def _longest(column: Any) -> int:
    """Return the bytes of the longest text of a column; 0 where it holds none."""
    from pyarrow import compute, types

    if types.is_dictionary(column.type):
        column = column.dictionary
    if not _is_text(column.type):
        return 0
    return int(compute.max(compute.binary_length(column)).as_py() or 0)
