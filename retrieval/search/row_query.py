"""Queries that are rows of a table, or some columns of one."""

from __future__ import annotations

import math
from collections.abc import Mapping

from encoders.codes import Modality
from encoders.errors import QueryError, UnknownNameError, one_line
from encoders.json_text import parse_json, require_names_once
from encoders.progress import say
from encoders.row import Row
from retrieval.collection.base import Collection
from retrieval.corpora.base import Item
from retrieval.search.query import Query, first_content, require_modality
from retrieval.search.result import show

#: What columns are that a query leaves out.
_LEFT_OUT = "not compared in the space columns, taken as typical in others"


def row_query(collection: Collection, cells: Mapping[str, object]) -> Query:
    """Return the query that is a row of a table, or some columns of one.

    Raises
    ------
    QueryError, UnknownNameError
        When a value or column cannot be taken, or the items are no rows.
    """
    require_modality(collection, Modality.ROW)
    row = row_of_cells(cells, columns_of(collection))
    return Query(row, show(Item("query", row)))


def columns_of(collection: Collection) -> tuple[str, ...]:
    """Return the names of the columns of a collection of rows."""
    first = first_content(collection)
    return first.names if isinstance(first, Row) else ()


def row_of(text: str, names: tuple[str, ...]) -> Row:
    """Read a JSON object as a row of a table with these columns; one that it lacks is missing, and a line says so.

    Raises
    ------
    QueryError, UnknownNameError
        As `given_row` does.
    """
    row = given_row(text, names, "missing")
    return Row(names, tuple(row[name] if name in row.names else None for name in names))


def given_row(text: str, names: tuple[str, ...], lacking_are: str = _LEFT_OUT) -> Row:
    """Read a JSON object as a row of those columns of a table that it gives, in their order; null is a missing value.

    Raises
    ------
    QueryError
        When it is no JSON object, or has an infinite value.
    UnknownNameError
        For a column that the table does not have.
    """
    example = """give a JSON object, as in '{"amount": 12, "type": "CASH_OUT"}', or @id of an item"""
    try:
        given = parse_json(text, require_names_once)
    except ValueError as error:
        raise QueryError(f"the query is not a row of a table ({one_line(error)}): {example}") from None
    if not isinstance(given, dict) or not given:
        raise QueryError(f"the query is not a row of a table: {example}")
    return row_of_cells(given, names, lacking_are)


def row_of_cells(given: Mapping[str, object], names: tuple[str, ...], lacking_are: str = _LEFT_OUT) -> Row:
    """Return cells by their columns as a row of those columns, in the order of the table; None is a missing value.

    Raises
    ------
    QueryError, UnknownNameError
        As `given_row` does.
    """
    from retrieval.corpora.rows import CellValues

    if not given:
        raise QueryError("the query has no column: give the value of at least one")
    for name, value in given.items():
        if name not in names:
            raise UnknownNameError("column", name, names, where="in the table")
        if isinstance(value, float) and math.isinf(value):
            raise QueryError(f"the value of '{name}' is infinite: give a finite number, or null where it is missing")
    given_names = [name for name in names if name in given]
    lacking = [name for name in names if name not in given]
    if lacking:
        more = f" and {len(lacking) - 5:,} others" if len(lacking) > 5 else ""
        say(f"the query has no value for {', '.join(lacking[:5])}{more}: {lacking_are}")
    cells = CellValues()
    return Row(tuple(given_names), tuple(cells.of(given[name], name) for name in given_names))
