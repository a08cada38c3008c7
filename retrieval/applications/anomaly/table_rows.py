"""Rows of a table in a detector: the columns that they must have, and their explanation column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoders.errors import DimensionError
from encoders.row import Row
from retrieval.applications.anomaly.component import Component

if TYPE_CHECKING:
    from encoders.table.columns import Columns

Floats = NDArray[np.float64]
#: Names of columns in a message.
SHOWN_COLUMNS = 8


def require_columns(known: Sequence[str], given: Sequence[str], name: str) -> None:
    """Raise an error for a table that has not the columns of the fit; their order does not matter.

    Raises
    ------
    DimensionError

    Examples
    --------
    >>> require_columns(["amount", "fee"], ["fee", "amount"], "new.csv")
    >>> require_columns(["amount", "fee"], ["amount"], "new.csv")
    Traceback (most recent call last):
    encoders.errors.DimensionError: the columns of 'new.csv' are not those of the fit: it lacks fee; choose ...
    """
    lacking, more = set(known) - set(given), set(given) - set(known)
    if not lacking and not more:
        return
    lacks = f"it lacks {_listed([name for name in known if name in lacking])}" if lacking else ""
    has = f"it has {_listed([name for name in given if name in more])}" if more else ""
    raise DimensionError(
        f"the columns of '{name}' are not those of the fit: {' and '.join(filter(None, [lacks, has]))}; choose columns "
        "with ?columns= and ?without=, or fit a new detector"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_COLUMNS]) + (", ..." if len(names) > SHOWN_COLUMNS else "")


def column_positions(table: Columns) -> list[NDArray[np.int64]]:
    """Return the positions of the components of each encoded column, int64 (width of the column,)."""
    return [np.arange(one.start, one.stop) for one in table.components_of().values()]


def equal_shares(table: Columns, names: Sequence[str]) -> Floats:
    """Return the share of each component (dim,), where some columns alone make the score."""
    shares = np.zeros(table.space.dim)
    parts = table.components_of()
    shares[[parts[name].start for name in names]] = 1 / len(names)
    return shares


def as_codes_of_a_row(table: Columns, codes: Floats) -> Floats:
    """Return the codes (dim,) of the row that is nearest to codes, such as the mean: each column has one category."""
    return np.asarray(table.encode(table.decode(codes[None].astype(np.float32)))[0], np.float64)


def column_components(
    table: Columns, shares: Floats, row: Row, codes: Floats, expected: Floats, nearest: Row | None
) -> list[Component]:
    """Return the columns that have a share of the score, the largest first.

    Parameters
    ----------
    table : Columns
    shares : ndarray float64 (dim,)
        Of the components of the codes; those of a column are added.
    row : Row
        What is observed.
    codes, expected : ndarray float64 (dim,)
        The codes of the row, and those that are expected; the latter are decoded to values.
    nearest : Row or None
    """
    (likely,) = table.decode(expected[None].astype(np.float32))
    names, parts = table.vocabulary or [], table.components_of()
    by_column = {name: float(shares[part].sum()) for name, part in parts.items()}
    return [
        Component(
            name,
            by_column[name],
            row[name],
            likely[name],
            None if nearest is None else nearest[name],
            is_rare=_is_rare(name, names[parts[name]], codes[parts[name]]),
        )
        for name in sorted(by_column, key=lambda name: -by_column[name])
        if by_column[name] > 0
    ]


def _is_rare(column: str, components: Sequence[str], codes: Floats) -> bool:
    """Return whether a category has no component of its own but that of the others."""
    from encoders.table.column_coders import OTHER

    return f"{column} {OTHER}" in components and bool(codes[list(components).index(f"{column} {OTHER}")])
