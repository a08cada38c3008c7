"""The comparison in a terminal: at most 100 columns, decimal points aligned, readable without colour."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from encoders.numbers import counted
from retrieval.experiment.result import Comparison
from retrieval.report.comparison_columns import GROUP, Cell, Column, comparison_rows, overlap_cells, unmarked_text
from retrieval.report.figure_titles import overlap_sentence
from retrieval.report.health_text import verdict_text
from retrieval.report.json import to_json
from retrieval.report.notes import notes
from retrieval.report.rung import judge
from retrieval.report.spec_wrapping import wrapped
from retrieval.report.terminal.byte_budgets import byte_budgets_lines
from retrieval.report.terminal.fusion import fusion_lines
from retrieval.report.terminal.listing import full_specs_lines
from retrieval.report.terminal.losses import loss_lines
from retrieval.report.terminal.printable import printable
from retrieval.report.terminal.view import Styled
from retrieval.report.verdict import answer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["comparison_rows", "print_table", "to_json"]

WIDTH = 100
#: Smallest width of the column of specs, below which the table becomes two; smallest width of a terminal.
_SPEC_WIDTH, _NARROWEST = 22, 48

#: For streams that cannot write them.
_PLAIN = str.maketrans({"–": "-", "…": "~", "≈": "~"})


def comparisons_json(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return comparisons as JSON values."""
    return [to_json(comparison) for comparison in comparisons]


def comparisons_lines(comparisons: Sequence[Comparison], verbose: bool = False) -> list[str]:
    """Return the tables of comparisons for standard output; `verbose` adds the options of every space."""
    lines: list[str] = []
    for comparison in comparisons:
        lines += ["", *table_lines(comparison, sys.stdout)]
        lines += loss_lines(comparison)
        seeds = [comparison.first_seed_note] if comparison.first_seed_note else []
        if comparison.byte_budgets is not None:
            lines += ["", *byte_budgets_lines(comparison.byte_budgets), *seeds]
        lines += ["", *fusion_lines(comparison.fusion), *seeds] if comparison.fusion is not None else []
        if comparison.health is not None:
            where = "Findings, values and remedies are in the report (-o DIR) and in --json."
            lines += ["", f"health of {verdict_text(comparison.health)}", where, *seeds]
        lines += full_specs_lines({space.spec: space.options for space in comparison.spaces}) if verbose else []
    return lines[1:]


def print_table(comparison: Comparison, stream: TextIO, width: int | None = None) -> None:
    """Print the table of a comparison; see `table_lines`."""
    stream.write("".join(f"{line}\n" for line in table_lines(comparison, stream, width)))


def table_lines(comparison: Comparison, stream: TextIO, width: int | None = None) -> list[str]:
    """Return the answer, the table of spaces and the overlap of their neighbours.

    Parameters
    ----------
    comparison : Comparison
    stream : text file
        Where the lines are printed: in colour when it is a terminal and ``NO_COLOR`` is not set, and in letters that
        its encoding has.
    width : int, optional
        Largest width in columns; by default that of the terminal. The table is never wider than 100.
    """
    from rich.text import Text

    console = _console(stream, width)
    marks = _Marks(console)
    columns, rows = comparison_rows(comparison)
    parts: list[Table | Text] = [
        Text(marks.spell(_head(comparison))),
        Text(marks.spell(answer(comparison)), style="bold"),
    ]
    for chosen in _blocks(columns, rows, console.width):
        parts += [Text(""), _table(columns, rows, chosen, console.width, marks)]
    if any(cell.best or cell.tied for row in rows for cell in row):
        parts.append(Text(marks.legend(rows), style="dim"))
    if unmarked := unmarked_text(comparison):
        parts.append(Text(unmarked, style="dim"))
    if GROUP in columns:
        parts.append(
            Text(f"group: spaces with a common letter do not differ significantly on {columns[1].name}", style="dim")
        )
    parts += [Text(marks.spell(note), style="dim") for note in notes(comparison)]
    if comparison.overlaps:
        parts.append(Text(""))
        if _SPEC_WIDTH + 6 * len(comparison.spaces) + 1 <= console.width:
            k = comparison.overlaps[0].k
            legend = f"above the diagonal Jaccard@{k} (common / all neighbours), below RBO (first ranks weigh more)"
            parts += [_overlap(comparison, console.width, marks), Text(legend, style="dim")]
        else:
            parts.append(_pairs(comparison, console.width, marks))
        parts.append(Text(marks.spell(overlap_sentence(comparison) or ""), style="dim"))
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return [Styled(line.rstrip()) for line in captured.get().splitlines()]  # without the blanks that fill lines up


class _Marks:
    """The signs beside a number, in letters that the stream can write."""

    def __init__(self, console: Console) -> None:
        self.encoding = console.encoding
        self.best, self.tied = "*", self.spell("≈")

    def spell(self, words: str) -> str:
        """Return text that the stream can write, whatever its encoding."""
        words = printable(words)
        try:
            words.encode(self.encoding)
        except UnicodeEncodeError:
            words = words.translate(_PLAIN).encode(self.encoding, "replace").decode(self.encoding)
        return words

    def of(self, cell: Cell) -> str:
        return self.best if cell.best else self.tied if cell.tied else " "

    def legend(self, rows: list[list[Cell]]) -> str:
        parts = [f"{self.best} best of its column"] if any(cell.best for row in rows for cell in row) else []
        if any(cell.tied for row in rows for cell in row):
            parts.append(f"{self.tied} no significant difference from the best (all pairs together, error 5%)")
        return "   ".join(parts)


def _console(stream: TextIO, width: int | None) -> Console:
    from rich.console import Console

    terminal = stream.isatty()
    # Rich reads COLUMNS and guesses 80 for a pipe; a pipe has no edge, so it gets the full table.
    wide = width or (Console(file=stream).width if terminal else WIDTH)
    plain = not terminal or bool(os.environ.get("NO_COLOR"))
    return Console(
        file=stream,
        width=max(_NARROWEST, min(WIDTH, wide)),
        force_terminal=terminal,
        color_system=None if plain else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )


def _head(comparison: Comparison) -> str:
    items, queries = counted(comparison.n_items, "item"), counted(comparison.n_queries, "query", "queries")
    return f"{comparison.corpus}: {items}, {queries}, judged by {judge(comparison.judged_by)}"


def _blocks(columns: Sequence[Column], rows: list[list[Cell]], width: int) -> list[list[int]]:
    """Share the columns out over as few tables as fit, quality before cost; column 0 stands in each."""
    room = width - _SPEC_WIDTH - 2
    needed = {column: _needed(columns, rows, column) + 2 for column in range(1, len(columns))}
    if sum(needed.values()) <= room:
        return [list(needed)]
    blocks: list[list[int]] = []
    for about in (("quality",), ("size", "speed")):
        left = 0
        for column in (column for column in needed if columns[column].about in about):
            if needed[column] > left:
                blocks.append([])
                left = room
            blocks[-1].append(column)
            left -= needed[column]
    return blocks


def _needed(columns: Sequence[Column], rows: list[list[Cell]], column: int) -> int:
    head = max(len(columns[column].name), len(columns[column].unit))
    return max([head, *(len(row[column].text) for row in rows)]) + 1  # the mark


def _table(columns: Sequence[Column], rows: list[list[Cell]], chosen: list[int], width: int, marks: _Marks) -> Table:
    from rich.text import Text

    table = _bare_table()
    numbers = sum(_needed(columns, rows, column) + 2 for column in chosen)
    table.add_column(Text("space"), no_wrap=True)
    # Padded here: Rich drops the blank that stands for "no mark" when it aligns to the right.
    for column in chosen:
        lines = (marks.spell(columns[column].name), columns[column].unit)
        room = _needed(columns, rows, column)
        head = "\n".join(f"{line} ".rjust(room) for line in lines if line)
        table.add_column(Text(head), no_wrap=True, min_width=room)
    for row in rows:
        numbers_of = (_number(row[column], _needed(columns, rows, column), marks) for column in chosen)
        table.add_row(_wrapped(row[0].text, width - numbers, marks), *numbers_of)
    return table


def _overlap(comparison: Comparison, width: int, marks: _Marks) -> Table:
    """Build the square of agreement: Jaccard@k above the diagonal, RBO below."""
    from rich.text import Text

    count = len(comparison.spaces)
    table = _bare_table()
    table.add_column(Text("neighbours shared"), no_wrap=True)
    for number in range(1, count + 1):
        table.add_column(Text(f"{number}"), justify="right", no_wrap=True, min_width=4)
    for number, (space, row) in enumerate(zip(comparison.spaces, overlap_cells(comparison), strict=True), 1):
        name = _wrapped(f"{number} {space.label}", max(_SPEC_WIDTH, width - 6 * count - 1), marks)
        table.add_row(name, *(Text(marks.spell(cell.text)) for cell in row))
    return table


def _pairs(comparison: Comparison, width: int, marks: _Marks) -> Table:
    """Build the list of agreement, where the square is wider than the terminal."""
    from rich.text import Text

    table = _bare_table()
    table.add_column(Text("neighbours shared"), no_wrap=True)
    k = comparison.overlaps[0].k
    for head in (f"Jaccard@{k}", "RBO"):
        table.add_column(Text(head), justify="right", no_wrap=True, min_width=4)
    for pair in comparison.overlaps:
        name = _wrapped(f"{pair.first} and {pair.second}", width - 22, marks)
        table.add_row(name, *(Text(f"{value:.2f}") for value in (pair.jaccard, pair.rbo)))
    return table


def _bare_table() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1), header_style="")


def _number(cell: Cell, room: int, marks: _Marks) -> Text:
    from rich.text import Text

    return Text((marks.spell(cell.text) + marks.of(cell)).rjust(room), style="bold" if cell.best else "")


def _wrapped(spec: str, width: int, marks: _Marks) -> Text:
    from rich.text import Text

    return Text("\n".join(marks.spell(line) for line in wrapped(spec, width)))
