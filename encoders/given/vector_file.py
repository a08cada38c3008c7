"""Files of vectors that were computed elsewhere: .npy, .npz, Parquet, JSON lines; no Python objects are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError, BadItemError, DimensionError, OptionError, one_line
from encoders.given.npz import NpzArrays
from encoders.given.vector_lines import read_lines
from encoders.given.vector_table import VectorTable
from encoders.npy import map_npy
from encoders.plain_file import open_plain

#: Names under which ids are looked for in a file with several columns.
ID_NAMES = ("id", "_id", "ids")
#: Names under which vectors are looked for first.
VECTOR_NAMES = ("embedding", "vector", "embeddings", "vectors")
_ROWS = 4096


def read_vectors(path: Path, ids: str | None = None, key: str | None = None) -> VectorTable:
    """Read a file of vectors; a .npy file and the stored arrays of an .npz file are mapped, not copied.

    Parameters
    ----------
    path : Path
    ids : str, optional
        A file with one id per line, a .npy file of ids, or the column (array, field) of `path` with the ids. None: the
        column ``id``, ``_id`` or ``ids``, if there is one, otherwise the numbers of the rows.
    key : str, optional
        The column (array, field) of `path` with the vectors; None: the only one that can be.

    Raises
    ------
    ArtifactError
        When a file is missing or cannot be read.
    BadItemError, DimensionError, OptionError
        When it does not hold vectors, or ids that fit them.
    """
    readers: dict[str, Callable[[Path, str | None, str | None], VectorTable]] = {
        ".npy": _npy, ".npz": _npz, ".parquet": _parquet, ".pq": _parquet, ".jsonl": _json_lines, ".ndjson": _json_lines
    }  # fmt: skip
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise OptionError(f"given: {path} ends in none of {', '.join(readers)}: save the vectors as one of these")
    with _reading(path):
        return reader(path, ids, key)


def read_vector(path: Path) -> NDArray[np.float32]:
    """Return the one vector in a file, such as the embedding of a query.

    Raises
    ------
    ArtifactError, BadItemError, DimensionError, OptionError
        As `read_vectors` does; also when the file holds several vectors.
    """
    if path.suffix.lower() == ".npy":
        with _reading(path):
            array = map_npy(path)
        table = VectorTable(path, array[None] if array.ndim == 1 else array)
    else:
        table = read_vectors(path)
    if len(table) != 1:
        raise DimensionError(f"{path} holds {len(table):,} vectors: give a file with the one vector of the query")
    vector: NDArray[np.float32] = table.rows(table.ids)[0]
    return vector


def read_ids(path: Path) -> list[str]:
    """Return the ids of a file: one per line, or an array of texts or whole numbers in a .npy file.

    Raises
    ------
    ArtifactError, BadItemError
        When the file cannot be read, or holds no ids.
    """
    with _reading(path):
        if path.suffix.lower() == ".npy":
            return _texts(map_npy(path), path)
        with open_plain(path) as file:
            try:
                lines = file.read().decode("utf-8-sig").replace("\r\n", "\n").split("\n")
            except UnicodeDecodeError:
                raise BadItemError(f"{path} is not UTF-8 text: give a file with one id per line") from None
    return lines[:-1] if lines and not lines[-1] else lines


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn the errors of libraries that read a file into one sentence."""
    try:
        yield
    except FileNotFoundError:
        raise ArtifactError(f"given: there is no file {path}: put it back, or give its new path") from None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"given: cannot read {path}: {one_line(error)}") from error


def _npy(path: Path, ids: str | None, key: str | None) -> VectorTable:
    if key is not None:
        raise OptionError(f"given: {path} holds one array without a name: leave key={key} out")
    return VectorTable(path, map_npy(path), None if ids is None else read_ids(Path(ids)))


def _npz(path: Path, ids: str | None, key: str | None) -> VectorTable:
    arrays = NpzArrays(path)
    ids = ids or _first_of(ID_NAMES, arrays.names)
    names = [name for name in arrays.names if name != ids and len(arrays.shape(name)) == 2]
    matrix = arrays.read(_chosen(path, key, names, "array"))
    if ids is None:
        return VectorTable(path, matrix)
    return VectorTable(path, matrix, _texts(arrays.read(ids), path) if ids in arrays.names else read_ids(Path(ids)))


def _json_lines(path: Path, ids: str | None, key: str | None) -> VectorTable:
    def choose(fields: dict[str, Any]) -> tuple[str, str | None]:
        vectors = [name for name, value in fields.items() if isinstance(value, list)]
        named = ids if ids in fields else None if ids else _first_of(ID_NAMES, list(fields))
        return _chosen(path, key, vectors, "field"), named

    matrix, names = read_lines(path, choose)
    return VectorTable(path, matrix, read_ids(Path(ids)) if ids is not None and names is None else names)


def _parquet(path: Path, ids: str | None, key: str | None) -> VectorTable:
    import pyarrow
    import pyarrow.parquet as parquet
    from pyarrow import types

    try:
        with open_plain(path) as file, parquet.ParquetFile(file) as table:
            fields = {field.name: field.type for field in table.schema_arrow}
            lists = [
                name
                for name, kind in fields.items()
                if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
            ]
            column = _chosen(path, key, lists, "column")
            named = ids if ids in fields else None if ids else _first_of(ID_NAMES, list(fields))
            matrix: NDArray[np.float32] | None = None
            names: list[str] = []
            start = 0
            for piece in table.iter_batches(_ROWS, columns=[column, *([named] if named else [])]):
                rows = _rows_of(piece.column(0 if piece.schema.names[0] == column else 1), path, column, start)
                if matrix is None:
                    matrix = np.empty((table.metadata.num_rows, rows.shape[1]), np.float32)
                if rows.shape[1] != matrix.shape[1]:
                    raise _other_width(path, start, rows.shape[1], matrix.shape[1])
                matrix[start : start + len(rows)] = rows
                start += len(rows)
                if named:
                    names += [_text_of(value, path) for value in piece.column(named).to_pylist()]
    except pyarrow.ArrowException as error:
        raise ArtifactError(f"given: {path} is not a readable Parquet file: {one_line(error)}") from error
    if matrix is None:
        raise BadItemError(f"{path} holds no rows")
    return VectorTable(path, matrix, names if named else None if ids is None else read_ids(Path(ids)))


def _rows_of(column: Any, path: Path, name: str, start: int) -> NDArray[np.float32]:
    """Return a column of lists of one width as a matrix."""
    values = column.flatten()
    if column.null_count or values.null_count:
        raise BadItemError(
            f"{path}: the column '{name}' has missing values from row {start:,} on: embed these items again"
        )
    lengths = np.asarray(column.value_lengths() if hasattr(column, "value_lengths") else [])
    width = int(lengths[0]) if len(lengths) else len(values) // max(1, len(column))
    if len(lengths) and (lengths != width).any():
        row = int(np.flatnonzero(lengths != width)[0])
        raise _other_width(path, start + row, int(lengths[row]), width)
    with np.errstate(over="ignore"):
        numbers = np.asarray(values.to_numpy(zero_copy_only=False))
        if numbers.dtype.kind not in "fiu":
            raise BadItemError(f"{path}: the column '{name}' holds {values.type}, not numbers")
        return numbers.astype(np.float32, copy=False).reshape(len(column), width)


def _other_width(path: Path, row: int, width: int, wanted: int) -> DimensionError:
    return DimensionError(
        f"{path}: row {row:,} has {width:,} numbers, the rows before it {wanted:,}: embed all by one model"
    )


def _chosen(path: Path, key: str | None, names: list[str], what: str) -> str:
    """Return the column of the vectors: the one that was asked for, a usual name, or the only one."""
    if key is not None:
        if key not in names:
            raise OptionError(f"given: {path} has no {what} of vectors '{key}'; it has: {', '.join(names) or 'none'}")
        return key
    usual = _first_of(VECTOR_NAMES, names)
    if usual is not None:
        return usual
    if len(names) != 1:
        choices = f"several: choose one with key=, of {', '.join(names)}" if names else "none"
        raise OptionError(f"given: {path} should hold one {what} of vectors, and holds {choices}")
    return names[0]


def _first_of(usual: tuple[str, ...], names: list[str]) -> str | None:
    return next((name for name in usual if name in names), None)


def _texts(values: NDArray[Any], path: Path) -> list[str]:
    if values.dtype.kind not in "iuUS":
        raise BadItemError(f"{path} holds {values.dtype} as ids: save texts or whole numbers")
    return [_text_of(value, path) for value in values.ravel().tolist()]


def _text_of(value: Any, path: Path) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if value is None or isinstance(value, bool) or not isinstance(value, str | int):
        raise BadItemError(f"{path}: an id is {type(value).__name__}, not a text or whole number")
    return str(value)
