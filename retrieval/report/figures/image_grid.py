"""Many pictures in one: a row for each space and a column for each item, with names and numbers; or a plain grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable, mean_name
from retrieval.report.figures.fonts import fitted_lines, font_for
from retrieval.report.figures.pictures import as_image

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

#: The side of a drawn picture in pixels: small pictures are enlarged by a whole factor, large ones made smaller.
SIDE = 96
#: The least width of a column, so that a name under a narrow picture can be read.
_COLUMN = 72
_GAP, _MARGIN, _LINE = 8, 14, 17
_INK, _SOFT, _PAPER, _EDGE = (26, 26, 26), (95, 95, 95), (255, 255, 255), (208, 208, 208)
#: Width of the names of the rows, and the least width of a title.
_NAMES, _TITLE = 220, 260
#: Lines of the name of a column.
_NAME_LINES = 3
#: A row of at least this number of pictures is drawn as a square without names.
_SQUARE = 13

Colour = tuple[int, int, int]


class _Layout(NamedTuple):
    """Columns of one width: where the first one starts, and the size of the room for a picture."""

    left: int
    width: int
    height: int

    def start(self, column: int) -> int:
        """Return the left edge of a column."""
        return self.left + column * (self.width + _GAP)

    def centre(self, column: int) -> float:
        """Return the middle of a column."""
        return self.start(column) + self.width / 2

    def end(self, columns: int) -> int:
        """Return the width of the whole image."""
        return self.start(columns) - _GAP + _MARGIN


def image_grid(table: ReconstructionTable) -> Image:
    """Draw reconstructions.

    Parameters
    ----------
    table : ReconstructionTable
        All contents are pictures. One row without measures is drawn as a strip, or as a square when it is long.
    """
    if len(table.rows) == 1 and not table.measures:
        return _grid(table)
    return _table(table)


def _table(table: ReconstructionTable) -> Image:
    """Draw one row for each space: its name and means on the left, the value of each picture below the picture."""
    tiles = [[_tile(content) for content in row.contents] for row in table.rows]
    layout = _layout(tiles, _MARGIN + _NAMES + _GAP)
    width = layout.end(len(table.columns))
    title = fitted_lines(table.title, width - 2 * _MARGIN) if table.title else []
    names = [fitted_lines(name, layout.width, _NAME_LINES) for name in table.columns]
    heads = [_row_head(row) for row in table.rows]
    caption = _LINE if table.measures else 0
    heights = [max(layout.height + caption, _LINE * len(head)) + 2 * _GAP for head in heads]
    names_end = _MARGIN + (_LINE * len(title) + _GAP if title else 0) + _LINE * max(map(len, names))
    image, draw = _paper(width, names_end + _GAP + sum(heights) + _MARGIN - 2 * _GAP)
    _write_lines(draw, (_MARGIN, _MARGIN), title)
    for column, lines in enumerate(names):  # the last lines of all names stand at one height
        _write_lines(draw, (layout.centre(column), names_end - _LINE * len(lines)), lines, _SOFT, "ma")
    y = names_end + _GAP
    for row, line, head, height in zip(table.rows, tiles, heads, heights, strict=True):
        for number, (text, colour) in enumerate(head):
            _write_lines(draw, (_MARGIN, y + number * _LINE), [text], colour)
        for column, tile in enumerate(line):
            _place(image, draw, tile, layout, column, y)
            if row.results:
                _write_lines(draw, (layout.centre(column), y + layout.height + 2), [_number(_last(row)[column])],
                             _SOFT, "ma")  # fmt: skip
        y += height
    return image


def _row_head(row: ReconstructionRow) -> list[tuple[str, Colour]]:
    """Return the name of a row, broken into lines, and the means of its measures."""
    count = len(row.contents)
    means = [f"{mean_name(measure, count)} {np.mean(values):.3g}" for measure, values in row.results.items()]
    lines = [(line, _INK) for line in fitted_lines(row.name, _NAMES)]
    return lines + [(line, _SOFT) for mean in means for line in fitted_lines(mean, _NAMES)]


def _number(value: float) -> str:
    """Write three digits, also where the last ones are 0: 23.0 beside 22.3."""
    return f"{value:#.3g}".rstrip(".") if value else "0"


def _last(row: ReconstructionRow) -> list[float]:
    return list(row.results.values())[-1]


def _grid(table: ReconstructionTable) -> Image:
    """Draw the pictures of one row: a strip with names, or a square without names when there are many."""
    tiles = [_tile(content) for content in table.rows[0].contents]
    many = len(tiles) >= _SQUARE
    layout = _layout([tiles], _MARGIN, 0 if many else _COLUMN)
    columns = math.ceil(math.sqrt(len(tiles))) if many else len(tiles)
    width = max(layout.end(columns), _TITLE + 2 * _MARGIN)
    title = fitted_lines(table.title or table.rows[0].name, width - 2 * _MARGIN)
    names = [[] if many else fitted_lines(name, layout.width, _NAME_LINES) for name in table.columns]
    pitch = layout.height + _GAP + (_LINE * max(map(len, names)))
    top = _MARGIN + _LINE * len(title) + _GAP
    image, draw = _paper(width, top + math.ceil(len(tiles) / columns) * pitch - _GAP + _MARGIN)
    _write_lines(draw, (_MARGIN, _MARGIN), title)
    for position, (tile, lines) in enumerate(zip(tiles, names, strict=True)):
        row, column = divmod(position, columns)
        _place(image, draw, tile, layout, column, top + row * pitch)
        _write_lines(draw, (layout.centre(column), top + row * pitch + layout.height + 4), lines, _SOFT, "ma")
    return image


def _layout(tiles: list[list[Image]], left: int, min_width: int = _COLUMN) -> _Layout:
    every = [tile for row in tiles for tile in row]
    return _Layout(left, max(min_width, *(tile.width for tile in every)), max(tile.height for tile in every))


def _tile(picture: NDArray[np.uint8]) -> Image:
    """Return a picture enlarged by whole pixels, or made smaller, to about `SIDE`."""
    from PIL.Image import Resampling

    image = as_image(picture).convert("RGB")
    longest = max(image.size)
    if longest > SIDE:
        shrunk = [max(1, round(side * SIDE / longest)) for side in image.size]
        return image.resize((shrunk[0], shrunk[1]), Resampling.LANCZOS)
    scale = SIDE // longest
    return image.resize((image.width * scale, image.height * scale), Resampling.NEAREST)


def _place(image: Image, draw: ImageDraw, tile: Image, layout: _Layout, column: int, y: int) -> None:
    """Put a picture into the middle of its room, with a thin edge: a white picture ends somewhere too."""
    x, y = layout.start(column) + (layout.width - tile.width) // 2, y + (layout.height - tile.height) // 2
    draw.rectangle((x - 1, y - 1, x + tile.width, y + tile.height), outline=_EDGE)
    image.paste(tile, (x, y))


def _paper(width: int, height: int) -> tuple[Image, ImageDraw]:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, height), _PAPER)
    return image, ImageDraw.Draw(image)


def _write_lines(
    draw: ImageDraw, at: tuple[float, float], lines: Sequence[str], colour: Colour = _INK, anchor: str = "la"
) -> None:
    """Write lines of text below each other; the anchor is Pillow's."""
    for number, line in enumerate(lines):
        draw.text((at[0], at[1] + number * _LINE), line, fill=colour, font=font_for(line), anchor=anchor)
