"""The table of a comparison as cells: what the terminal and the page both print."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeGuard

from retrieval.experiment.result import Comparison, SpaceResult

#: What stands where there is no number.
NOTHING = "–"


class Column(NamedTuple):
    """One column: its name, its unit ("" where it has none), what it is about and which end is best."""

    name: str
    unit: str
    about: Literal["space", "quality", "size", "speed"]
    best: Literal["most", "least", None]


class Cell(NamedTuple):
    """One value as text; a column has equally many decimals throughout, so flush right aligns the points."""

    text: str
    value: float | None = None
    best: bool = False
    tied: bool = False


_COSTS: tuple[tuple[Column, Callable[[SpaceResult], float], int], ...] = (
    (Column("dim", "", "size", None), lambda space: space.dim, 0),
    (Column("codes", "B/item", "size", "least"), lambda space: space.bytes_per_item, 1),
    (Column("on disk", "B/item", "size", "least"), lambda space: _known(space.bytes_on_disk_per_item), 1),
    (Column("fit", "s", "speed", "least"), lambda space: space.fit_seconds, 2),
    (Column("encode", "items/s", "speed", "most"), lambda space: space.encode_per_second, 0),
    (Column("query", "ms", "speed", "least"), lambda space: space.query_ms, 2),
)


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def comparison_rows(comparison: Comparison) -> tuple[list[Column], list[list[Cell]]]:
    """Return the head and the rows of the table of spaces.

    Parameters
    ----------
    comparison : Comparison
        What was found.

    Returns
    -------
    columns : list of Column
        The space, its measures, its size, its speed.
    rows : list of list of Cell
        One row a space, in the order of ``comparison.spaces``.
    """
    spaces = comparison.spaces
    columns = [Column("space", "", "space", None)]
    cells: list[list[Cell]] = [[Cell(space.label) for space in spaces]]
    for measure in measures_of(comparison):
        column = Column(measure, "", "quality", "most")
        values = [space.measures.get(measure) for space in spaces]
        tied = [space.tied_with_best.get(measure, False) for space in spaces]
        columns.append(column)
        cells.append(_cells(column, values, 3, tied))
    for column, read, most_decimals in _COSTS:
        costs = [read(space) for space in spaces]
        if not any(map(math.isfinite, costs)):  # a server keeps to itself what one of several spaces takes
            continue
        columns.append(column)
        cells.append(_cells(column, costs, decimals_for(costs, most_decimals), [False] * len(spaces)))
    return columns, [list(row) for row in zip(*cells, strict=True)]


def overlap_cells(comparison: Comparison) -> list[list[Cell]]:
    """Return a square of cells, space by space: Jaccard@k above the diagonal, RBO below it."""
    places = {space.label: place for place, space in enumerate(comparison.spaces)}
    square = [[Cell(NOTHING) for _ in comparison.spaces] for _ in comparison.spaces]
    for pair in comparison.overlaps:
        low, high = sorted((places[pair.first], places[pair.second]))
        square[low][high] = Cell(_number(pair.jaccard, 2), pair.jaccard)
        square[high][low] = Cell(_number(pair.rbo, 2), pair.rbo)
    return square


def measures_of(comparison: Comparison) -> list[str]:
    """Return the measures in the order in which they are shown; the first is the main one."""
    return list(dict.fromkeys(name for space in comparison.spaces for name in space.measures))


def decimals_for(values: Sequence[float | None], most: int) -> int:
    """Return how many decimals show two digits of the smallest value, at most `most`.

    Examples
    --------
    >>> decimals_for([120.4, 3.21], 2), decimals_for([0.031, 7], 2), decimals_for([64, 256], 2)
    (1, 2, 0)
    """
    seen = [abs(value) for value in values if _is_number(value) and value]
    wanted = 1 - math.floor(math.log10(min(seen))) if seen else 0
    if all(float(value).is_integer() for value in seen):
        return 0
    return max(0, min(most, wanted))


def _cells(column: Column, values: Sequence[float | None], decimals: int, tied: Sequence[bool]) -> list[Cell]:
    numbers = [value for value in values if _is_number(value)]
    pick = {"most": max, "least": min, None: None}[column.best]
    best = pick(numbers) if pick and len(set(numbers)) > 1 else None
    several = len(values) > 1  # one space is tied with nothing
    return [
        Cell(
            _number(value, decimals),
            value,
            best is not None and value == best,
            bool(several and draw and value != best),
        )
        for value, draw in zip(values, tied, strict=True)
    ]


def _number(value: float | None, decimals: int) -> str:
    if not _is_number(value):
        return NOTHING
    smallest = 10.0**-decimals
    if 0 < value < smallest / 2:
        return f"<{smallest:.{decimals}f}"
    return f"{value:,.{decimals}f}"


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
