"""From a record with named fields (a JSON object, a table row) to an item."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from encoders.errors import CorpusError
from retrieval.corpora.base import Item


@dataclass(frozen=True)
class Fields:
    """Which field of a record is what; None means the usual names, used where they are there."""

    text: str | None = None
    title: str | None = None
    label: str | None = None
    id: str | None = None

    def resolve(self, columns: list[str], where: object) -> Fields:
        """Replace every None by the usual name that is among `columns`; ids may stay None (row numbers).

        Raises
        ------
        CorpusError
            When a named column, or any column for the text, is not there.
        """
        for key, name in (("text", self.text), ("title", self.title), ("label", self.label), ("id", self.id)):
            if name is not None and name not in columns:
                raise CorpusError(f"{where} has no column '{name}' for {key}=; its columns: {', '.join(columns)}")
        if self.text is None and "text" not in columns:
            raise CorpusError(f"{where} has no column 'text'; say which it is with ?text=, of: {', '.join(columns)}")
        return Fields(
            self.text or "text",
            self.title or ("title" if "title" in columns else None),
            self.label or ("label" if "label" in columns else None),
            self.id or next((name for name in ("_id", "id") if name in columns), None),
        )


#: What JSON records are read with when nothing else is said.
USUAL = Fields("text", "title", "label", None)


def record_item(record: Mapping[str, Any], fields: Fields, number: int) -> Item:
    """Make an item of a record; title and text together are its content.

    Parameters
    ----------
    record : mapping
        May hold a nested ``metadata``, whose fields are found by their own name or as ``metadata.name``.
    fields : Fields
        With the text field named.
    number : int
        The id, when the record brings none and none was asked for.

    Raises
    ------
    CorpusError
        When the text or an explicitly named id is missing, or the text is no text.

    Examples
    --------
    >>> record_item({"_id": 7, "title": "Ships", "text": "They float."}, USUAL, 1).content
    'Ships\\nThey float.'
    """
    text = lookup(record, fields.text or "text")
    if not isinstance(text, str):
        found = "is missing" if text is None else f"is {type(text).__name__}, not a text"
        raise CorpusError(f"the field '{fields.text}' {found} (fields found: {', '.join(map(str, record)) or 'none'})")
    title = plain(lookup(record, fields.title)) if fields.title else None
    label = plain(lookup(record, fields.label)) if fields.label else None
    return Item(
        id=_identifier(record, fields.id, number),
        content=f"{title}\n{text}" if title else text,
        title=title or None,
        label=label or None,
        metadata=_rest(record, fields),
    )


def lookup(record: Mapping[str, Any], name: str) -> Any:
    """Return a field: of the record, by a dotted path, or of its ``metadata``; None where there is none."""
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None and isinstance(record.get("metadata"), Mapping):
        return record["metadata"].get(name)
    return value


def plain(value: Any) -> str | None:
    """Write a value as text; None stays None.

    Examples
    --------
    >>> plain(3), plain(["a"]), plain(True)
    ('3', '["a"]', 'true')
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _identifier(record: Mapping[str, Any], name: str | None, number: int) -> str:
    names = ("_id", "id") if name is None else (name,)
    for candidate in names:
        value = plain(lookup(record, candidate))
        if value:
            return value
    if name is not None or any(candidate in record for candidate in names):
        raise CorpusError(f"the field '{name or names[0]}' that should hold the id is missing or empty")
    return str(number)


def _rest(record: Mapping[str, Any], fields: Fields) -> dict[str, str]:
    used = {fields.text, fields.title, fields.label, fields.id, "_id", "id", "metadata"}
    flat = {key: value for key, value in record.items() if key not in used}
    nested = record.get("metadata")
    if isinstance(nested, Mapping):
        flat |= nested
    elif nested is not None:
        flat["metadata"] = nested
    return {str(key): written for key, value in flat.items() if (written := plain(value))}
