"""The table of a comparison as cells, for the terminal and the page."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeGuard

from retrieval.experiment.result import Comparison, SpaceResult

#: The text of a cell without a number.
NOTHING = "–"


class Column(NamedTuple):
    """A column: its name, its unit ("" for none), its subject, and whether the highest or the lowest value is best."""

    name: str
    unit: str
    about: Literal["space", "quality", "size", "speed"]
    best: Literal["highest", "lowest", None]


class Cell(NamedTuple):
    """A value as text; all cells of a column have the same number of decimals, so that right-aligned points line up."""

    text: str
    value: float | None = None
    best: bool = False
    tied: bool = False


#: The letters of the main measure: spaces that share one do not differ significantly.
GROUP = Column("group", "", "quality", None)
#: The standard deviation of the main measure over the seeds of a space.
SEEDS = Column("seeds", "± sd", "quality", None)
_COSTS: tuple[tuple[Column, Callable[[SpaceResult], float], int], ...] = (
    (Column("dim", "", "size", None), lambda space: space.dim, 0),
    (Column("codes", "B/item", "size", "lowest"), lambda space: space.bytes_per_item, 1),
    (Column("on disk", "B/item", "size", "lowest"), lambda space: _known(space.bytes_on_disk_per_item), 1),
    # no best value: seconds of a single run depend on what else the machine does
    (Column("fit", "s", "speed", None), lambda space: space.fit_seconds, 2),
    (Column("encode", "items/s", "speed", None), lambda space: space.encode_per_second, 0),
    (Column("query", "ms", "speed", None), lambda space: space.query_ms, 2),
)


def _spread(space: SpaceResult, measure: str) -> float:
    means = space.means_of_seeds.get(measure, [])
    return statistics.stdev(means) if len(means) > 1 else math.nan


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def comparison_rows(comparison: Comparison) -> tuple[list[Column], list[list[Cell]]]:
    """Return the head and the rows of the table of spaces.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    columns : list of Column
        The space, its measures, its size, its speed.
    rows : list of list of Cell
        One row per space, in the order of ``comparison.spaces``.
    """
    spaces = comparison.spaces
    columns = [Column("space", "", "space", None)]
    cells: list[list[Cell]] = [[Cell(space.label) for space in spaces]]
    for measure in measures_of(comparison):
        above_chance = comparison.above_chance.get(measure, True)  # at chance level nothing is called best
        column = Column(measure, "", "quality", "highest" if above_chance else None)
        values = [space.measures.get(measure) for space in spaces]
        tied = [above_chance and space.tied_with_best.get(measure, False) for space in spaces]
        columns.append(column)
        cells.append(_cells(column, values, 3, tied))
        spread = [_spread(space, measure) for space in spaces]
        if measure == measures_of(comparison)[0] and any(map(math.isfinite, spread)):
            columns.append(SEEDS)
            cells.append(_cells(SEEDS, spread, 3, [False] * len(spaces)))
        significance = comparison.significance.get(measure)
        if measure == measures_of(comparison)[0] and significance is not None and len(spaces) > 2:
            columns.append(GROUP)
            cells.append([Cell(significance.letters.get(space.label, NOTHING)) for space in spaces])
    for column, read, max_decimals in _COSTS:
        costs = [read(space) for space in spaces]
        if not any(map(math.isfinite, costs)):  # a server does not report the size of one of several spaces
            continue
        columns.append(column)
        cells.append(_cells(column, costs, decimals_for(costs, max_decimals), [False] * len(spaces)))
    return columns, [list(row) for row in zip(*cells, strict=True)]


def unmarked_text(comparison: Comparison) -> str:
    """Return why no value of some measures is marked as the best; empty where marks are given."""
    without = [measure for measure in measures_of(comparison) if not comparison.above_chance.get(measure, True)]
    if not without or len(comparison.spaces) == 1:
        return ""
    names = without[0] if len(without) == 1 else f"{', '.join(without[:-1])} and {without[-1]}"
    return f"no marks for {names}: no space is significantly better than a random order"


def overlap_cells(comparison: Comparison) -> list[list[Cell]]:
    """Return a square of cells, space by space: Jaccard@k above the diagonal, RBO below it."""
    positions = {space.label: position for position, space in enumerate(comparison.spaces)}
    square = [[Cell(NOTHING) for _ in comparison.spaces] for _ in comparison.spaces]
    for pair in comparison.overlaps:
        low, high = sorted((positions[pair.first], positions[pair.second]))
        square[low][high] = Cell(_number(pair.jaccard, 2), pair.jaccard)
        square[high][low] = Cell(_number(pair.rbo, 2), pair.rbo)
    return square


def measures_of(comparison: Comparison) -> list[str]:
    """Return the measures in the order of the table; the first is the main one."""
    return list(dict.fromkeys(name for space in comparison.spaces for name in space.measures))


def decimals_for(values: Sequence[float | None], limit: int) -> int:
    """Return the number of decimals that shows two digits of the smallest value, at most `limit`.

    Examples
    --------
    >>> decimals_for([120.4, 3.21], 2), decimals_for([0.031, 7], 2), decimals_for([64, 256], 2)
    (1, 2, 0)
    """
    seen = [abs(value) for value in values if _is_number(value) and value]
    wanted = 1 - math.floor(math.log10(min(seen))) if seen else 0
    if all(float(value).is_integer() for value in seen):
        return 0
    return max(0, min(limit, wanted))


def _cells(column: Column, values: Sequence[float | None], decimals: int, tied: Sequence[bool]) -> list[Cell]:
    numbers = [value for value in values if _is_number(value)]
    pick = {"highest": max, "lowest": min, None: None}[column.best]
    best = pick(numbers) if pick and len(set(numbers)) > 1 else None
    differ = len(set(numbers)) > 1  # equal values need no mark
    return [
        Cell(
            _number(value, decimals),
            value,
            best is not None and value == best,
            bool(differ and draw and value != best),
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
