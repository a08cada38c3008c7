"""From a record with named fields (a JSON object, a table row) to an item: the same treatment for every format."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from encoders.errors import CorpusError, closest, one_line
from encoders.numbers import shortened
from retrieval.corpora.base import Item, OnBad, raise_bad

#: Where an id is looked for when no field is named.
USUAL_IDS = ("_id", "id")
#: Names of fields that are kept for an error; a hostile file may hold any number.
_MAX_NAMES = 100


class Record(NamedTuple):
    """One record as its file gives it.

    Attributes
    ----------
    where : str
        File and line (or row), as an error names it.
    number : int
        The line or row: the id of a record that brings none.
    values : dict
        Field name -> value; None, NaN and infinite numbers all mean that there is no value.
    """

    where: str
    number: int
    values: dict[str, Any]


#: Usual names of the column that holds the texts; one of them is proposed where no column is named text.
_LIKELY_TEXTS = {
    "abstract", "article", "body", "comment", "content", "contents", "description", "document", "message", "review",
}  # fmt: skip


@dataclass(frozen=True)
class Fields:
    """Which field of a record is what; None means the usual names, used where they are there."""

    text: str | None = None
    title: str | None = None
    label: str | None = None
    id: str | None = None
    #: Whether ``?columns=*`` reads the records as rows instead.
    or_rows: bool = False

    def named(self) -> dict[str, str]:
        """Return the fields that were named, by what they hold."""
        pairs = (("text", self.text), ("title", self.title), ("label", self.label), ("id", self.id))
        return {key: name for key, name in pairs if name is not None}

    def check(self, columns: Sequence[str], where: object) -> None:
        """Refuse a table without a column that was named, or for the text, or with two columns of that name.

        A part of a nested column is named by its path, as in ``metadata.category``.

        Raises
        ------
        CorpusError
        """
        for key, name in self.named().items():
            if name not in columns and name.partition(".")[0] not in columns and "metadata" not in columns:
                raise CorpusError(f"{where} has no column '{name}' for {key}=; {column_choice(name, columns)}")
        if self.text is None and "text" not in columns:
            likely = next((name for name in columns if name.lower() in _LIKELY_TEXTS), "COLUMN")
            example = f"'{where}?text={likely}'"
            raise CorpusError(
                f"{where} has no column 'text'; name the column of the texts, as in {example}, or read its rows as "
                f"numbers and categories with ?columns=*; its columns: {', '.join(columns)}"
            )
        read = (
            self.text or "text",
            self.title or "title",
            self.label or "label",
            *([self.id] if self.id else USUAL_IDS),
        )
        twice = [name for name in read if list(columns).count(name) > 1]
        if twice:
            raise CorpusError(f"{where} has several columns '{twice[0]}': give each its own name")


def column_choice(name: str, columns: Sequence[str]) -> str:
    """Return the nearest column and all columns, for the error of one that does not exist."""
    meant = closest(name, columns)
    return f"{f'did you mean {meant!r}? ' if meant else ''}its columns: {one_line(', '.join(columns))}"


def items_of(records: Iterable[Record], fields: Fields, on_bad: OnBad = raise_bad) -> Iterator[Item]:
    """Make an item of each record; one that cannot be made goes to `on_bad`, with file and line.

    Raises
    ------
    CorpusError
        At the end, when a field that was named for the title or the label is in no record: it is misspelt.
    """
    unseen = {key: name for key, name in fields.named().items() if key in ("title", "label")}
    field_names: dict[str, None] = {}
    for record in records:
        if unseen:
            unseen = {key: name for key, name in unseen.items() if not _holds(record.values, name)}
            if len(field_names) < _MAX_NAMES:
                field_names |= dict.fromkeys(map(str, record.values))
        try:
            item = record_item(record.values, fields, record.number, record.where)
        except CorpusError as error:
            on_bad(CorpusError(f"{record.where}: {error}"))
            continue
        yield item
    for key, name in unseen.items():
        if field_names:
            hint = column_choice(name, list(field_names)).replace("its columns", "fields found")
            raise CorpusError(f"{record.where.rpartition(':')[0]}: no record has a field '{name}' for {key}=; {hint}")


def record_item(record: dict[str, Any], fields: Fields, number: int, where: str | None = None) -> Item:
    """Make an item of a record; title and text together are its content.

    Parameters
    ----------
    record : dict
        May hold a nested ``metadata``, whose fields are found by their own name or as ``metadata.name``.
    fields : Fields
        Which field is what.
    number : int
        The id, when the record brings none and none was asked for.
    where : str, optional
        File and line, kept with the item for later errors.

    Raises
    ------
    CorpusError
        When the text is missing or no text, or the id is missing although a field is there for it.

    Examples
    --------
    >>> record_item({"_id": 7, "title": "Ships", "text": "They float."}, Fields(), 1).content
    'Ships\\nThey float.'
    """
    name, title_name, label_name = fields.text or "text", fields.title or "title", fields.label or "label"
    text = lookup(record, name)
    if isinstance(text, bytes):
        text = plain(text, name)
    if not isinstance(text, str):
        problem = f"is {shortened(text)}, not a text" if not is_missing(text) else _absence(record, name)
        hint = "; ?columns=* reads rows of columns instead" if fields.or_rows and fields.text is None else ""
        raise CorpusError(f"the field '{name}' {problem}{hint}")
    title = plain(lookup(record, title_name), title_name)
    label = plain(lookup(record, label_name), label_name)
    id_field, id = identifier(record, fields.id, number)
    used = {name, title_name, label_name, id_field, "metadata"}
    return Item(
        id=id,
        content=f"{title}\n{text}" if title else text,
        title=title or None,
        label=label or None,
        metadata=_rest(record, used),
        where=where,
    )


def lookup(record: dict[str, Any], name: str) -> Any:
    """Return a field: of the record, by a dotted path, or of its ``metadata``; None if there is none."""
    if name in record:
        return record[name]
    value: Any = None
    if "." in name:
        value = record
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if value is None and "metadata" in record and isinstance(record["metadata"], dict):
        return record["metadata"].get(name)
    return value


def is_missing(value: Any) -> bool:
    """Return whether a value stands for no value: None, NaN, an infinite number.

    Examples
    --------
    >>> is_missing(float("nan")), is_missing(None), is_missing(0), is_missing("")
    (True, True, False, False)
    """
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def plain(value: Any, name: str = "") -> str | None:
    """Write a value as text; None if it is missing.

    Parameters
    ----------
    value : object
        Of JSON, Parquet or NumPy; bytes are read as UTF-8.
    name : str
        The field, for an error.

    Raises
    ------
    CorpusError
        For bytes that are not UTF-8, and for lists within lists within lists without end.

    Examples
    --------
    >>> plain(3), plain(["a"]), plain(True), plain(b"rail"), plain(float("nan"))
    ('3', '["a"]', 'true', 'rail', None)
    """
    if value is None or isinstance(value, str):
        return value
    if is_missing(value):
        return None
    try:
        if isinstance(value, bytes):
            return value.decode("utf-8")
        if isinstance(value, bool | list | tuple | dict):
            return json.dumps(_plain_parts(value), ensure_ascii=False, default=str)
    except UnicodeDecodeError:
        raise CorpusError(f"the field '{name}' holds bytes that are not UTF-8: {shortened(value)}") from None
    except RecursionError:
        raise CorpusError(f"the field '{name}' is nested too deeply") from None
    return str(value)


def _plain_parts(value: Any) -> Any:
    """Replace bytes and missing values inside of lists and objects."""
    if isinstance(value, dict):
        return {str(key): _plain_parts(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_parts(part) for part in value]
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return None if is_missing(value) else value


def _holds(record: dict[str, Any], name: str) -> bool:
    return name in record or lookup(record, name) is not None


def _absence(record: dict[str, Any], name: str) -> str:
    """Say how a field is not there: missing, null, NaN, empty."""
    value = lookup(record, name)
    if value is None and name not in record:
        meant = closest(name, map(str, record))
        hint = f"; did you mean '{meant}'?" if meant else ""
        return f"is missing (fields found: {one_line(', '.join(map(str, record))) or 'none'}{hint})"
    return "is null" if value is None else "is empty" if value == "" else f"is {value}, no value"


def identifier(record: dict[str, Any], name: str | None, number: int) -> tuple[str | None, str]:
    """Return the field that holds the id, and the id; by default the number of the record.

    Raises
    ------
    CorpusError
        When the field is there, and empty.
    """
    names = USUAL_IDS if name is None else (name,)
    for candidate in names:
        value = plain(lookup(record, candidate), candidate)
        if value:
            return candidate, value
    there = name or next((candidate for candidate in names if candidate in record), None)
    if there is not None:
        raise CorpusError(f"the field '{there}' that should hold the id {_absence(record, there)}")
    return None, str(number)


def _rest(record: dict[str, Any], used: set[str | None]) -> dict[str, str]:
    flat = {key: value for key, value in record.items() if key not in used}
    nested = record.get("metadata")
    if isinstance(nested, dict):
        flat |= nested
    elif nested is not None:
        flat["metadata"] = nested
    return {str(key): written for key, value in flat.items() if (written := plain(value, str(key)))}
