"""JSON lines with vectors: ``{"id": "7", "embedding": [0.1, ...]}``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError, DimensionError
from encoders.json_text import fault_of
from encoders.plain_file import open_plain

#: Largest line: 65,536 components written with 17 digits, twice.
_LONGEST = 4 * 2**20
#: Rows that are collected as lists before they become numbers.
_BLOCK = 1024

#: Given the first record, returns the fields of the vector and of the id (None: there is no id).
Choose = Callable[[dict[str, Any]], tuple[str, str | None]]


def read_lines(path: Path, choose: Choose) -> tuple[NDArray[np.float32], list[str] | None]:
    """Read a vector and an id of each line; return the matrix, and the ids or None.

    Raises
    ------
    BadItemError, DimensionError
        Naming the line that is no JSON object, or has no vector, or one of another width.
    """
    import orjson

    blocks: list[NDArray[np.float32]] = []
    waiting: list[list[float]] = []
    names: list[str] = []
    fields: tuple[str, str | None] | None = None
    width = 0
    with open_plain(path) as file:
        number = 0
        while line := file.readline(_LONGEST):
            number += 1
            if len(line) == _LONGEST:
                raise BadItemError(f"{path}:{number}: the line has more than {_LONGEST:,} bytes")
            if not line.strip():
                continue
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise BadItemError(f"{path}:{number}: {fault_of(error)}") from None
            if not isinstance(record, dict):
                raise BadItemError(f"{path}:{number}: expected one JSON object per line")
            if fields is None:
                fields = choose(record)
                width = len(record[fields[0]])
            waiting.append(_vector(record.get(fields[0]), f"{path}:{number}", fields[0], width))
            if fields[1] is not None:
                names.append(_id(record.get(fields[1]), f"{path}:{number}", fields[1]))
            if len(waiting) == _BLOCK:
                blocks.append(_numbers(waiting, path, number))
                waiting = []
    if fields is None:
        raise BadItemError(f"{path} holds no lines")
    blocks.append(_numbers(waiting, path, number).reshape(len(waiting), width))
    return np.concatenate(blocks), names if fields[1] is not None else None


def _vector(value: Any, where: str, field: str, width: int) -> list[float]:
    if not isinstance(value, list):
        raise BadItemError(f"{where}: '{field}' is no list of numbers")
    if len(value) != width:
        raise DimensionError(f"{where}: '{field}' has {len(value):,} numbers, the first line {width:,}")
    return value


def _id(value: Any, where: str, field: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadItemError(f"{where}: the id '{field}' should be a text or a whole number")
    return str(value)


def _numbers(rows: list[list[float]], path: Path, last: int) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):
            return np.array(rows, dtype=np.float64).astype(np.float32)
    except (TypeError, ValueError):
        raise BadItemError(
            f"{path}: one of the {len(rows):,} lines up to {last:,} holds a vector with other values than numbers"
        ) from None
