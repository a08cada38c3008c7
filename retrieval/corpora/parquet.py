"""Parquet tables with named columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders.batches import BATCH_BYTES
from encoders.errors import CorpusError, one_line
from encoders.plain_file import open_plain, require_plain
from retrieval.corpora.base import raise_bad
from retrieval.corpora.files import reading, unexpected_damage
from retrieval.corpora.records import Record
from retrieval.corpora.rows import RowTable
from retrieval.corpora.source import FileSource
from retrieval.corpora.table import Table

ROWS = 1024


@dataclass(eq=False)
class _ParquetFile(FileSource):
    """A Parquet file, piece by piece."""

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


@dataclass(eq=False)
class Parquet(_ParquetFile, Table):
    """Texts in a ``.parquet`` file, one row each.

    A part of a nested column is named by its path, such as ``metadata.category``. A value that is null, NaN or
    infinite counts as missing. Columns that hold neither text, title, label nor id become metadata.
    """

    def records(self) -> Iterator[Record]:
        """Read the rows from the beginning."""
        return parquet_records(self.path, lambda schema: self.fields.check(schema.names, self.path))


@dataclass(eq=False)
class ParquetRows(_ParquetFile, RowTable):
    """Rows of a ``.parquet`` file, where ``columns=`` is given.

    A part of a nested column is a column of its own, named by its path, such as ``metadata.category``. A value that is
    null or NaN counts as missing. Columns that are neither row, label nor id become metadata.
    """

    def table_names(self) -> list[str]:
        """Return the names of the columns."""
        import pyarrow
        import pyarrow.parquet

        with reading(self.path), unexpected_damage(self.path), open_plain(self.path) as file:
            try:
                with pyarrow.parquet.ParquetFile(file) as table:
                    return [name for field in table.schema_arrow for name in _paths(field)]
            except pyarrow.ArrowException as error:
                raise CorpusError(f"{self.path} is not a readable Parquet file: {one_line(error)}") from error

    def records(self) -> Iterator[Record]:
        """Read the rows from the beginning."""
        return parquet_records(self.path)


def parquet_records(path: Path, check: Callable[[Any], None] | None = None) -> Iterator[Record]:
    """Read the rows of a Parquet file from the beginning, after a check of its schema.

    Raises
    ------
    CorpusError
        When the file is missing or damaged.
    """
    import pyarrow
    import pyarrow.parquet

    with reading(path), unexpected_damage(path), open_plain(path) as file:
        try:
            with pyarrow.parquet.ParquetFile(file) as table:
                schema = table.schema_arrow
            if check is not None:
                check(schema)
            # As dictionaries: a text that a file holds once and names in every row is not there as often.
            texts = [field.name for field in schema if _is_text(field.type)]
            with pyarrow.parquet.ParquetFile(file, read_dictionary=texts) as table:
                rows = (row for piece in table.iter_batches(batch_size=ROWS) for row in _rows(piece))
                for number, values in enumerate(rows, start=1):
                    yield Record(f"{path}: row {number}", number, values)
        except pyarrow.ArrowException as error:
            raise CorpusError(f"{path} is not a readable Parquet file: {one_line(error)}") from error


def _paths(field: Any, depth: int = 0) -> list[str]:
    """Return the name of a column, or the paths of its parts."""
    from pyarrow import types

    if not types.is_struct(field.type) or depth > 8:
        return [field.name]
    return [f"{field.name}.{path}" for part in field.type for path in _paths(part, depth + 1)]


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
