"""JSON lines: one document a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.options import option
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.bounds import lines_of
from retrieval.corpora.files import open_bytes
from retrieval.corpora.records import Fields, record_item
from retrieval.corpora.source import FileSource


@dataclass(eq=False)
class JsonLines(FileSource):
    """A ``.jsonl`` or ``.jsonl.gz`` file; a field may be named by a path such as ``metadata.category``."""

    path: Path
    name: str
    on_bad: OnBad = raise_bad
    text: str = option("text", "field with the text")
    title: str = option("title", "field with the title, put before the text")
    label: str = option("label", "field with the class")
    id: str | None = option(None, "field with the id (default: _id or id, else the line number)")

    modality = Modality.TEXT

    def items(self) -> Iterator[Item]:
        """Read the lines from the beginning."""
        fields = Fields(self.text, self.title, self.label, self.id)
        yield from read_items(self.path, fields, self.on_bad, self.max_bytes)


def read_items(path: Path, fields: Fields, on_bad: OnBad = raise_bad, max_bytes: int | None = None) -> Iterator[Item]:
    """Read one item a line; a broken line goes to `on_bad`, with file and line number."""
    for number, record in read_records(path, on_bad, max_bytes):
        try:
            item = record_item(record, fields, number)
        except CorpusError as error:
            on_bad(CorpusError(f"{path}:{number}: {error}"))
            continue
        yield item


def read_records(
    path: Path, on_bad: OnBad = raise_bad, max_bytes: int | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read one JSON object a line, with its line number; empty lines are passed over."""
    with open_bytes(path, max_bytes) as stream:
        for number, raw in lines_of(stream, path, on_bad):
            if not raw.strip():
                continue
            try:
                record = _object(raw.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf"))
            except CorpusError as error:
                on_bad(CorpusError(f"{path}:{number}: {error}"))
                continue
            yield number, record


def _object(raw: bytes) -> dict[str, Any]:
    try:
        record = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CorpusError(f"not UTF-8 (byte {error.start + 1} of the line)") from error
    except json.JSONDecodeError as error:
        raise CorpusError(f"not valid JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}") from error
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"not valid JSON: {error}") from error
    if rb"\ud" in raw.lower() and not _is_unicode(record):
        raise CorpusError("holds half a character (a lone surrogate such as \\ud800), which is no text")
    if not isinstance(record, dict):
        raise CorpusError(f"expected a JSON object, got {type(record).__name__}")
    return record


def _is_unicode(record: Any) -> bool:
    """Tell whether all of a record's text can be written as UTF-8."""
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
