"""Reconstructions of items as lines of a terminal, as JSON, and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import issparse

from encoders.errors import BadItemError
from encoders.numbers import counted
from retrieval.applications.reconstructions import Copies, Row, is_picture, mean_name
from retrieval.output import write_npy, write_wav, writing
from retrieval.report.figures.image_grid import image_grid
from retrieval.report.figures.pictures import as_image
from retrieval.report.specs import middle_cut
from retrieval.report.terminal.listing import WIDTH, aligned

TOP_WORDS = 12


def copies_json(copies: Copies) -> list[dict[str, Any]]:
    """Return every copy: of which item, by which space, its figures, and its numbers or words with weights."""
    return [
        {
            "item": column,
            "space": row.name,
            **{measure.replace(" ", "_"): _figure(row, measure, position) for measure in copies.measures},
            "content": _values(row.contents[position], row.words),
        }
        for position, column in enumerate(copies.columns)
        for row in copies.rows
    ]


def copies_lines(copies: Copies) -> list[str]:
    """Return the figures of every space, the mean where there are several items; of texts and vectors the content."""
    lines = [copies.title] if copies.title else []
    if not copies.pictures:
        return [*lines, *_contents_lines(copies)]
    if copies.measures:
        return [*lines, *_figures_table(copies)]
    shape = copies.rows[0].contents[0].shape
    what = f"{counted(sum(len(row.contents) for row in copies.rows), 'picture')} of {shape[1]}x{shape[0]}"
    return [*lines, f"{what}: write with -o FILE.png" + (", or hear with -o FILE.wav" if copies.sounds else "")]


def write_copies(copies: Copies, path: Path) -> None:
    """Write pictures with their names and figures as one PNG (a single one by itself), or contents as rows of a .npy.

    Sounds are written as one WAV, row by row, with a pause after each.

    Raises
    ------
    BadItemError
        When the suffix does not fit what is to be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        contents = [content for row in copies.rows for content in row.contents]
        write_npy(path, np.stack([np.asarray(_dense(content)).ravel() for content in contents]))
    elif suffix == ".png" and copies.pictures:
        single = len(copies.rows) == len(copies.columns) == 1
        picture = as_image(copies.rows[0].contents[0]) if single else image_grid(copies)
        with writing(path) as file:
            picture.save(file, "PNG", optimize=True)
    elif suffix == ".wav" and copies.sounds:
        write_wav(path, copies.sounds())
    else:
        others = [".png"] * copies.pictures + [".wav"] * (copies.sounds is not None)
        raise BadItemError(f"{path} should end in {' or '.join(['.npy', *others])}")


def _figures_table(copies: Copies) -> list[str]:
    heads = [mean_name(measure, len(copies.columns)) for measure in copies.measures]
    rows = [
        [
            middle_cut(row.name, WIDTH - sum(len(head) + 2 for head in heads)),
            *(f"{np.mean(row.figures[measure]):.4g}" for measure in copies.measures),
        ]
        for row in copies.rows
        if row.figures
    ]
    return aligned(["space", *heads], rows, right=range(1, 1 + len(heads)))


def _contents_lines(copies: Copies) -> list[str]:
    """Return a block for each item, of a single one without its name; or a line for each where there is one space."""
    width = max(len(row.name) for row in copies.rows)
    if len(copies.rows) == 1:
        row, widest = copies.rows[0], max(map(len, copies.columns))
        lines = [f"{column.ljust(widest)}  {_line(row, position)}" for position, column in enumerate(copies.columns)]
        return lines if copies.title and not copies.measures else [row.name, *lines]
    lines = []
    for position, column in enumerate(copies.columns):
        lines += [column] if len(copies.columns) > 1 else []
        lines += [f"{row.name.ljust(width)}  {_line(row, position)}" for row in copies.rows]
    return lines


def _figure(row: Row, measure: str, position: int) -> float | None:
    return row.figures[measure][position] if measure in row.figures else None


def _line(row: Row, position: int) -> str:
    figures = [f"{measure} {values[position]:.4g}" for measure, values in row.figures.items()]
    return "  ".join([*figures, _brief(_values(row.contents[position], row.words))])


def _values(content: Any, words: list[str] | None) -> Any:
    """Return numbers, or the words with the largest weights and their weights."""
    if is_picture(content):
        return content.tolist()
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
