"""Filters as SQL for the item store, and the reason when no item satisfies them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from encoders.errors import QueryError
from encoders.row import written_value
from retrieval.collection.filters import LABEL, Filter, number_of, written
from retrieval.corpora.item_record import names_of

#: Runs an SQL query with bound values; see `ItemStore`.
Read = Callable[[str, Sequence[Any]], Iterator[Any]]
#: Every key of every item, a row each; json_extract cannot be used, as its paths cannot hold a quotation mark.
_METADATA = "items, json_each(items.metadata)"
_LABELS = "SELECT DISTINCT label FROM items WHERE label IS NOT NULL LIMIT ?"
#: The value of a column of a row, or NULL.
_CELL = "json_extract(CAST(content AS TEXT), path_of_column(shape, ?))"
#: Values that are compared with a mistyped one; values that are listed if none is similar, and the length of each.
_LOOK_AT, _NAMED, _LETTERS = 10_000, 10, 40


def matching_ids(stores: Sequence[Read], filters: Sequence[Filter], is_table: bool = False) -> list[str]:
    """Return the ids of the items that satisfy every filter, store by store in the order of their rows.

    Parameters
    ----------
    stores : sequence of callable
        Each runs SQL, in which `FUNCTIONS` are known, in one store of items.
    filters : sequence of Filter
    is_table : bool
        Whether all items are rows of a table.

    Raises
    ------
    QueryError
        When there is none.
    """
    wanted = " AND ".join([_condition(one, is_table) for one in filters] or ["TRUE"])
    values = [value for one in filters for value in _bound(one, is_table)]

    def read(query: str, values: Sequence[Any]) -> Iterator[Any]:
        return chain.from_iterable(one(query, values) for one in stores)

    ids = [id for (id,) in read(f"SELECT id FROM items WHERE {wanted} ORDER BY row", values)]  # noqa: S608
    if not ids:
        raise QueryError(_why_none(read, filters, is_table))
    return ids


def _condition(filter: Filter, is_table: bool) -> str:
    """Return a filter as SQL; its field and value are bound, never written into it."""
    if filter.field == LABEL:
        return "label = ?" if filter.operator == "=" else "satisfies(label, ?, ?)"
    if filter.operator == "=" and not is_table:
        return "EXISTS (SELECT 1 FROM json_each(items.metadata) WHERE key = ? AND CAST(value AS TEXT) = ?)"
    return f"satisfies({_value(is_table)}, ?, ?)"


def _value(is_table: bool) -> str:
    """Return the value of a key of the metadata, or else of a column, as SQL."""
    of_metadata = "(SELECT CAST(value AS TEXT) FROM json_each(items.metadata) WHERE key = ?)"
    return f"coalesce({of_metadata}, {_CELL})" if is_table else of_metadata


def _bound(filter: Filter, is_table: bool) -> list[str]:
    compared = [filter.value] if filter.operator == "=" else [filter.operator, filter.value]
    if filter.field == LABEL:
        return compared
    if is_table:
        return [filter.field, filter.field, filter.operator, filter.value]
    return [filter.field, *compared]


@lru_cache(maxsize=64)
def _filter(operator: str, value: str) -> Filter:
    return Filter("", value, operator)


def _satisfies(value: str | float | None, operator: str, wanted: str) -> bool:
    return _filter(operator, wanted).holds(value)


@lru_cache(maxsize=1024)
def _path_of_column(shape: str | None, name: str) -> str | None:
    """Return where the values of a row hold a column, given what is stored as its shape; None: it has no such column.

    Examples
    --------
    >>> _path_of_column('["row","amount","fee"]', "fee")
    '$[1]'
    """
    names = names_of(shape) if shape is not None else ()
    return f"$[{names.index(name)}]" if name in names else None


#: What `matching_ids` calls in SQL.
FUNCTIONS: dict[str, Callable[..., Any]] = {"satisfies": _satisfies, "path_of_column": _path_of_column}


def _why_none(read: Read, filters: Sequence[Filter], is_table: bool) -> str:
    for one in filters:
        query = f"SELECT 1 FROM items WHERE {_condition(one, is_table)} LIMIT 1"  # noqa: S608
        if next(read(query, _bound(one, is_table)), None) is None:
            return _why_not(read, one, is_table)
    return f"no item has {written(filters)} at once" if filters else "the collection holds no item"


def _why_not(read: Read, unmet: Filter, is_table: bool) -> str:
    """Return why no item satisfies a filter: no item has the field, or none has the value."""
    labels = _texts(read(_LABELS, [_LOOK_AT]))
    value = _value(is_table)
    query = f"SELECT DISTINCT {value} AS held FROM items WHERE held IS NOT NULL LIMIT ?"  # noqa: S608
    fields = [unmet.field, unmet.field] if is_table else [unmet.field]
    held = labels if unmet.field == LABEL else _texts(read(query, [*fields, _LOOK_AT]))
    return unmet_because(unmet, held, [] if held else _fields(read, is_table) + ([LABEL] if labels else []))


def _fields(read: Read, is_table: bool) -> list[str]:
    """Return keys of metadata, and columns."""
    keys = _texts(read(f"SELECT DISTINCT key FROM {_METADATA} LIMIT ?", [_LOOK_AT]))  # noqa: S608
    shapes = read("SELECT DISTINCT shape FROM items WHERE shape IS NOT NULL LIMIT ?", [_LOOK_AT]) if is_table else ()
    return list(dict.fromkeys([*keys, *(name for (shape,) in shapes for name in names_of(shape))]))


def unmet_because(unmet: Filter, held: Sequence[str], fields: Sequence[str]) -> str:
    """Return why no item satisfies a filter, given values of its field and the fields of items.

    Examples
    --------
    >>> unmet_because(Filter("yaer", "2004"), [], ["year", "label"])
    "no item has the field 'yaer'; did you mean 'year'?"
    """
    if held and unmet.number is not None and not any(number_of(one) is not None for one in held):
        return f"no item has {unmet}: no value of '{unmet.field}' is a number; {_advice('', held)}"
    if held:
        return f"no item has {unmet}; {_advice(unmet.value if unmet.operator == '=' else '', held)}"
    advice = _advice(unmet.field, fields) if fields else "the items have neither label nor metadata"
    return f"no item has the field '{unmet.field}'; {advice}"


def _texts(rows: Iterator[Any]) -> list[str]:
    return [written_value(value) for (value,) in rows]


def _advice(given: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(given, known, n=1) if given else []
    if close:
        return f"did you mean '{close[0]}'?"
    more = ", ..." if len(known) > _NAMED else ""
    return f"there are: {', '.join(' '.join(one.split())[:_LETTERS] for one in sorted(set(known))[:_NAMED])}{more}"
