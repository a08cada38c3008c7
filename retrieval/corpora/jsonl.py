"""JSON lines: one document a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders.errors import CorpusError
from encoders.numbers import shortened
from encoders.row import MAX_COLUMNS
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.files import open_bytes
from retrieval.corpora.lines import numbered_lines
from retrieval.corpora.records import Fields, Record, items_of
from retrieval.corpora.rows import RowTable
from retrieval.corpora.table import Table


@dataclass(eq=False)
class JsonLines(Table):
    """Texts in a ``.jsonl`` file, one JSON object a line.

    The file may be gzipped; the suffix ``.ndjson`` means the same. A nested field is named by its path, such as
    ``metadata.category``. A value that is null, NaN or infinite counts as missing. Fields that hold neither text,
    title, label nor id become metadata.
    """

    def records(self) -> Iterator[Record]:
        """Read the lines from the beginning."""
        return read_records(self.path, self.on_bad, self.max_bytes)


@dataclass(eq=False)
class JsonRows(RowTable):
    """Rows of a ``.jsonl`` file, where ``columns=`` is given; one JSON object a line.

    The file is read twice: first for the names of all fields. A nested field is a column of its own, named by its path,
    such as ``metadata.category``. A value that is null, NaN or not there counts as missing. Fields that are
    neither row, label nor id become metadata.
    """

    def __post_init__(self) -> None:
        self._names: list[str] | None = None

    def table_names(self) -> list[str]:
        """Return the names of the fields of all records, in the order of their first occurrence."""
        if self._names is None:
            names: dict[str, None] = {}
            for record in self.records():
                names |= dict.fromkeys(_paths(record.values))
                if len(names) > MAX_COLUMNS:
                    raise CorpusError(f"{record.where}: more than {MAX_COLUMNS:,} different fields: is it a table?")
            self._names = list(names)
        return self._names

    def records(self) -> Iterator[Record]:
        """Read the lines from the beginning."""
        return read_records(self.path, self.on_bad, self.max_bytes)


def _paths(record: dict[str, Any], depth: int = 0) -> Iterator[str]:
    """Give the paths of the fields of a record that hold no object."""
    for name, value in record.items():
        if isinstance(value, dict) and depth < 8:
            yield from (f"{name}.{path}" for path in _paths(value, depth + 1))
        else:
            yield name


def read_items(path: Path, fields: Fields, on_bad: OnBad = raise_bad, max_bytes: int | None = None) -> Iterator[Item]:
    """Read one item a line; a broken line goes to `on_bad`, with file and line number."""
    return items_of(read_records(path, on_bad, max_bytes), fields, on_bad)


def read_records(path: Path, on_bad: OnBad = raise_bad, max_bytes: int | None = None) -> Iterator[Record]:
    """Read one JSON object a line; empty lines are passed over."""
    with open_bytes(path, max_bytes) as stream:
        for number, raw in numbered_lines(stream, path, on_bad):
            if not raw.strip():
                continue
            where = f"{path}:{number}"
            try:
                record = _object(raw)
            except CorpusError as error:
                on_bad(CorpusError(f"{where}: {error}"))
                continue
            yield Record(where, number, record)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        record = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CorpusError(f"not UTF-8 (byte {error.start + 1} of the line)") from error
    except json.JSONDecodeError as error:
        near = f", near {shortened(error.doc[max(0, error.pos - 20) : error.pos + 20])}" if error.doc else ""
        message = error.msg.removesuffix(" at")
        raise CorpusError(f"not valid JSON: {message} at character {error.pos + 1}{near}") from error
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"not valid JSON: {error}") from error
    if rb"\ud" in raw.lower() and not _is_unicode(record):
        raise CorpusError("holds half a character (a lone surrogate such as \\ud800), which is not valid text")
    if not isinstance(record, dict):
        raise CorpusError(f"expected one JSON object a line, got {shortened(record)}")
    return record


def _is_unicode(record: Any) -> bool:
    """Return whether all of a record's text can be written as UTF-8."""
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
