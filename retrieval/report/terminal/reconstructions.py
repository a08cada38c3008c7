"""Reconstructions of items as lines of a terminal, as JSON, and as files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import issparse

from encoders.errors import BadItemError
from encoders.numbers import counted
from encoders.row import Row, written_value
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable, is_picture, mean_name
from retrieval.output import write_npy, write_wav, writing
from retrieval.report.csv_table import csv_table
from retrieval.report.figures.image_grid import image_grid
from retrieval.report.figures.pictures import as_image
from retrieval.report.spec_wrapping import middle_cut
from retrieval.report.terminal.listing import WIDTH, aligned

TOP_WORDS = 12
#: The fewest letters of an item's name, where a table is too wide.
SHORTEST = 12


def reconstructions_json(table: ReconstructionTable, out: Path | None = None) -> list[dict[str, Any]]:
    """Return every cell of the table: item, space, results, and its numbers, words with weights, or size in pixels.

    The pixels of a picture are not printed: ``-o FILE.npy`` writes them. Of contents that were written to a file, the
    name of the file is given.
    """
    return [
        {
            "item": column,
            "space": row.name,
            **{measure.replace(" ", "_"): _result(row, measure, position) for measure in table.measures},
            **content_json(row, position, out),
        }
        for position, column in enumerate(table.columns)
        for row in table.rows
    ]


def reconstructions_lines(table: ReconstructionTable) -> list[str]:
    """Return the results of every space, as means over several items; for texts and vectors also the contents."""
    lines = [table.title] if table.title else []
    if not table.pictures:
        return [*lines, *_contents_lines(table)]
    if table.measures:
        return [*lines, *_results_lines(table)]
    shape = table.rows[0].contents[0].shape
    what = f"{counted(sum(len(row.contents) for row in table.rows), 'picture')} of {shape[1]}x{shape[0]}"
    return [*lines, f"{what}: write with -o FILE.png" + (", or hear them with -o FILE.wav" if table.sounds else "")]


def write_reconstructions(table: ReconstructionTable, path: Path) -> str:
    """Write pictures with their names and results as one PNG (one picture without them), or contents as a .npy.

    Sounds are written as one WAV, row by row, with a pause after each; rows of a table as CSV, and a remark on changed
    cells is returned, see `csv_table`.

    Raises
    ------
    BadItemError
        When the suffix does not fit the contents.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy" and not table.of_rows:
        contents = [content for row in table.rows for content in row.contents]
        write_npy(path, np.stack([np.asarray(_dense(content)).ravel() for content in contents]))
    elif suffix == ".png" and table.pictures:
        single = len(table.rows) == len(table.columns) == 1
        picture = as_image(table.rows[0].contents[0]) if single else image_grid(table)
        with writing(path) as file:
            picture.save(file, "PNG", optimize=True)
    elif suffix == ".wav" and table.sounds:
        write_wav(path, table.sounds())
    elif suffix == ".csv" and table.of_rows:
        with writing(path) as file:
            text, note = csv_table(_csv_rows(table))
            file.write(text.encode())
        return note
    else:
        others = [".png"] * table.pictures + [".wav"] * (table.sounds is not None)
        others = [".csv"] if table.of_rows else [".npy", *others]
        raise BadItemError(f"{path} should end in {' or '.join(others)}")
    return ""


def _csv_rows(table: ReconstructionTable) -> Iterator[list[str]]:
    """Yield the head, then rows of a table: the item and the space before the columns."""
    for number, row in enumerate(table.rows):
        for item, content in zip(table.columns, row.contents, strict=True):
            if not number and item is table.columns[0]:
                yield ["item", "space", *content.names]
            yield [item, row.name, *map(written_value, content.values)]


def _results_lines(table: ReconstructionTable) -> list[str]:
    return _item_lines(table) if table.per_item and len(table.columns) > 1 else _means_lines(table)


def _item_lines(table: ReconstructionTable) -> list[str]:
    """Return the results of each item, one line for each row of the table, and their means below."""
    others = [max((row.name for row in table.rows), key=len), *table.measures]
    room = max(SHORTEST, WIDTH - sum(2 + len(name) for name in others))
    cells = [
        [middle_cut(column, room), row.name, *(f"{row.results[measure][position]:.3f}" for measure in table.measures)]
        for position, column in enumerate(table.columns)
        for row in table.rows
    ]
    means = [
        ["mean", row.name, *(f"{np.mean(row.results[measure]):.3f}" for measure in table.measures)]
        for row in table.rows
    ]
    return aligned(["item", "", *table.measures], [*cells, *means], right=range(2, 2 + len(table.measures)))


def _means_lines(table: ReconstructionTable) -> list[str]:
    heads = [mean_name(measure, len(table.columns)) for measure in table.measures]
    rows = [
        [
            middle_cut(row.name, WIDTH - sum(len(head) + 2 for head in heads)),
            *(f"{np.mean(row.results[measure]):.4g}" for measure in table.measures),
        ]
        for row in table.rows
        if row.results
    ]
    return aligned(["space", *heads], rows, right=range(1, 1 + len(heads)))


def _contents_lines(table: ReconstructionTable) -> list[str]:
    """Return a block of lines for each item, or one line for each if there is one space."""
    width = max(len(row.name) for row in table.rows)
    if len(table.rows) == 1:
        row, widest = table.rows[0], max(map(len, table.columns))
        lines = [f"{column.ljust(widest)}  {_line(row, position)}" for position, column in enumerate(table.columns)]
        return lines if table.title and not table.measures else [row.name, *lines]
    lines = []
    for position, column in enumerate(table.columns):
        lines += [column] if len(table.columns) > 1 else []
        lines += [f"{row.name.ljust(width)}  {_line(row, position)}" for row in table.rows]
    return lines


def _result(row: ReconstructionRow, measure: str, position: int) -> float | None:
    return row.results[measure][position] if measure in row.results else None


def _line(row: ReconstructionRow, position: int) -> str:
    results = [f"{measure} {values[position]:.4g}" for measure, values in row.results.items()]
    if isinstance(row.contents[position], Row):
        return "  ".join([*results, str(row.contents[position])])
    return "  ".join([*results, _brief(_values(row.contents[position], row.words))])


def content_json(row: ReconstructionRow, position: int, out: Path | None = None) -> dict[str, Any]:
    """Return a cell's content as JSON: of a picture its size alone, and the file that it was written to."""
    content = row.contents[position]
    file = {} if out is None else {"file": out.as_posix()}
    if is_picture(content):
        return {"width": content.shape[1], "height": content.shape[0], **file}
    if file:
        return file
    return {"content": _values(content, row.words)}


def _values(content: Any, words: list[str] | None) -> Any:
    """Return numbers, or the words with the largest weights and their weights."""
    if isinstance(content, Row):
        return dict(zip(content.names, content.values, strict=True))
    row = np.asarray(_dense(content)).ravel()
    if words is not None and len(row) == len(words):
        best = np.argsort(-row, kind="stable")[:TOP_WORDS]
        return {words[position]: float(row[position]) for position in best if row[position] > 0}
    return [float(number) for number in row]


def _brief(values: Any) -> str:
    if isinstance(values, dict):
        return ", ".join(values)
    return " ".join(f"{number:.4g}" for number in values[:TOP_WORDS]) + (" ..." if len(values) > TOP_WORDS else "")


def _dense(content: Any) -> Any:
    return content.toarray() if issparse(content) else content
