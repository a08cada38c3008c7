"""Filters as SQL for the item store, and the reason when no item satisfies them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from encoders.errors import QueryError
from retrieval.collection.filters import LABEL, Filter, written

#: Runs an SQL query with bound values; see `ItemStore`.
Read = Callable[[str, Sequence[Any]], Iterator[Any]]
#: Every key of every item, a row each; json_extract cannot be used, as its paths cannot hold a quotation mark.
_METADATA = "items, json_each(items.metadata)"
_LABELS = "SELECT DISTINCT label FROM items WHERE label IS NOT NULL LIMIT ?"
_KEYS = f"SELECT DISTINCT key FROM {_METADATA} LIMIT ?"  # noqa: S608
_VALUES = f"SELECT DISTINCT value FROM {_METADATA} WHERE key = ? LIMIT ?"  # noqa: S608
#: Values that are compared with a mistyped one; values that are listed if none is similar, and the length of each.
_LOOK_AT, _NAMED, _LETTERS = 10_000, 10, 40


def matching_ids(read: Read, filters: Sequence[Filter]) -> list[str]:
    """Return the ids of the items that satisfy every filter, in the order of their rows.

    Raises
    ------
    QueryError
        When there is none.
    """
    wanted = " AND ".join([_condition(one) for one in filters] or ["TRUE"])
    values = [value for one in filters for value in _bound(one)]
    ids = [id for (id,) in read(f"SELECT id FROM items WHERE {wanted} ORDER BY row", values)]  # noqa: S608
    if not ids:
        raise QueryError(_why_none(read, filters))
    return ids


def _condition(filter: Filter) -> str:
    """Return a filter as SQL; its field and value are bound, never written into it."""
    if filter.field == LABEL:
        return "label = ?"
    return "EXISTS (SELECT 1 FROM json_each(items.metadata) WHERE key = ? AND CAST(value AS TEXT) = ?)"


def _bound(filter: Filter) -> list[str]:
    return [filter.value] if filter.field == LABEL else [filter.field, filter.value]


def _why_none(read: Read, filters: Sequence[Filter]) -> str:
    for one in filters:
        query = f"SELECT 1 FROM items WHERE {_condition(one)} LIMIT 1"  # noqa: S608
        if next(read(query, _bound(one)), None) is None:
            return _why_not(read, one)
    return f"no item has {written(filters)} at once" if filters else "the collection holds no item"


def _why_not(read: Read, unmet: Filter) -> str:
    """Return why no item satisfies a filter: no item has the field, or none has the value."""
    labels = _texts(read(_LABELS, [_LOOK_AT]))
    held = labels if unmet.field == LABEL else _texts(read(_VALUES, [unmet.field, _LOOK_AT]))
    return unmet_because(unmet, held, _texts(read(_KEYS, [_LOOK_AT])) + ([LABEL] if labels else []))


def unmet_because(unmet: Filter, held: Sequence[str], fields: Sequence[str]) -> str:
    """Return why no item satisfies a filter, given values of its field and the fields of items.

    Examples
    --------
    >>> unmet_because(Filter("yaer", "2004"), [], ["year", "label"])
    "no item has the field 'yaer'; did you mean 'year'?"
    """
    if held:
        return f"no item has {unmet}; {_advice(unmet.value, held)}"
    advice = _advice(unmet.field, fields) if fields else "the items have neither label nor metadata"
    return f"no item has the field '{unmet.field}'; {advice}"


def _texts(rows: Iterator[Any]) -> list[str]:
    return [str(value) for (value,) in rows]


def _advice(given: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(given, known, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    more = ", ..." if len(known) > _NAMED else ""
    return f"there are: {', '.join(' '.join(one.split())[:_LETTERS] for one in sorted(set(known))[:_NAMED])}{more}"
