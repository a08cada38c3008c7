"""The values of rows, column by column, whatever order each row has its columns in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from encoders.errors import DimensionError, closest
from encoders.row import Row, Value

#: Names of columns that are listed in one line.
LISTED = 8


def columns_of(rows: Sequence[Row], wanted: tuple[str, ...], fitted: tuple[str, ...]) -> Iterable[Sequence[Value]]:
    """Return the values of the `wanted` columns; rows may have their columns in another order.

    Raises
    ------
    DimensionError
        As `order_of`.
    """
    layouts = {id(row.names): row.names for row in rows}
    if len(layouts) == 1 and next(iter(layouts.values())) == wanted:
        return zip(*(row.values for row in rows), strict=True)
    orders = {key: order_of(names, wanted, fitted) for key, names in layouts.items()}
    if len(layouts) == 1:
        columns = list(zip(*(row.values for row in rows), strict=True))
        (order,) = orders.values()
        return [columns[position] for position in order]
    picked = ([row.values[position] for position in orders[id(row.names)]] for row in rows)
    return zip(*picked, strict=True)


def order_of(names: tuple[str, ...], wanted: tuple[str, ...], fitted: tuple[str, ...]) -> list[int]:
    """Return where each `wanted` column is among the `names` of a row.

    Raises
    ------
    DimensionError
        When one is missing, is there twice, or is none of the `fitted` columns, which an encoder knows.
    """
    positions = {name: position for position, name in enumerate(names)}
    known = f"the columns of the fit are {listed(fitted)}"
    for name in wanted:
        if name not in positions:
            raise DimensionError(f"a row has no column '{name}', which this space reads: {known}")
    fitted_names = set(fitted)
    for name in names:
        if name not in fitted_names:
            meant = closest(name, fitted)
            hint = f" (did you mean '{meant}'?)" if meant else ""
            raise DimensionError(f"a row has a column '{name}', which this space does not know{hint}: {known}")
    if len(positions) < len(names):
        raise DimensionError(f"a row has two columns of one name: {known}")
    return [positions[name] for name in wanted]


def listed(names: Sequence[str]) -> str:
    """Return the first names in one line.

    Examples
    --------
    >>> listed("abcdefghij")
    'a, b, c, d, e, f, g, h, …'
    """
    return ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")
