"""Many pictures in one: a row for each space and a column for each item, with names and numbers; or a plain grid."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable, mean_name
from retrieval.report.spec_wrapping import middle_cut, wrapped

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

#: The side of a drawn picture in pixels: small pictures are enlarged by a whole factor, large ones made smaller.
SIDE = 96
_GAP, _MARGIN, _LINE, _SIZE = 6, 14, 17, 13
_INK, _SOFT, _PAPER = (26, 26, 26), (95, 95, 95), (255, 255, 255)
#: Letters in a line of a row's name, and in the name of a column.
_LETTERS, _HEAD = 30, 13
#: A row of at least this number of pictures is drawn as a square without names.
_SQUARE = 13


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
    width, height = _largest(tiles)
    caption = _LINE if table.measures else 0
    left = _MARGIN + round(_LETTERS * _SIZE * 0.56) + _GAP
    wide = left + len(table.columns) * (width + _GAP) + _MARGIN
    title = textwrap.wrap(table.title, max(12, int((wide - 2 * _MARGIN) / (_SIZE * 0.56))))
    top = _MARGIN + (_LINE * len(title) + _GAP if title else 0) + _LINE + _GAP
    row_height = max(height + caption, _LINE * 4) + 2 * _GAP
    image, draw = _paper(wide, top + len(table.rows) * row_height + _MARGIN)
    for number, part in enumerate(title):
        _write(draw, (_MARGIN, _MARGIN + number * _LINE), part)
    for column, name in enumerate(table.columns):
        at = (left + column * (width + _GAP) + width / 2, top - _GAP)
        _write(draw, at, middle_cut(name, max(4, min(_HEAD, width // 7))), _SOFT, "ms")
    for position, (row, line) in enumerate(zip(table.rows, tiles, strict=True)):
        y = top + position * row_height
        for number, (text, colour) in enumerate(_row_head(row, row_height // _LINE)):
            _write(draw, (_MARGIN, y + number * _LINE), text, colour)
        for column, tile in enumerate(line):
            x = left + column * (width + _GAP)
            image.paste(tile, (x + (width - tile.width) // 2, y + (height - tile.height) // 2))
            if row.results:
                _write(draw, (x + width / 2, y + height + 2), f"{_last(row)[column]:.3g}", _SOFT, "ma")
    return image


def _row_head(row: ReconstructionRow, lines: int) -> list[tuple[str, tuple[int, int, int]]]:
    """Return the name of a row, broken into lines, and the means of its measures; the name is cut to fit in `lines`."""
    count = len(row.contents)
    means = [(f"{mean_name(measure, count)} {np.mean(values):.3g}", _SOFT) for measure, values in row.results.items()]
    name = wrapped(row.name, _LETTERS)
    return [*((part, _INK) for part in name[: max(1, lines - len(means))]), *means]


def _last(row: ReconstructionRow) -> list[float]:
    return list(row.results.values())[-1]


def _grid(table: ReconstructionTable) -> Image:
    """Draw the pictures of one row: a strip with names, or a square without names when there are many."""
    pictures = [_tile(content) for content in table.rows[0].contents]
    width, height = _largest([pictures])
    many = len(pictures) >= _SQUARE
    columns = math.ceil(math.sqrt(len(pictures))) if many else len(pictures)
    caption = 0 if many else _LINE
    title = wrapped(table.title or table.rows[0].name, max(12, int((columns * (width + _GAP)) / (_SIZE * 0.56))))
    top = _MARGIN + _LINE * len(title) + _GAP
    rows = math.ceil(len(pictures) / columns)
    image, draw = _paper(
        2 * _MARGIN + columns * (width + _GAP) - _GAP, top + rows * (height + caption + _GAP) - _GAP + _MARGIN
    )
    for number, text in enumerate(title):
        _write(draw, (_MARGIN, _MARGIN + number * _LINE), text)
    for position, (picture, name) in enumerate(zip(pictures, table.columns, strict=True)):
        x, y = _MARGIN + position % columns * (width + _GAP), top + position // columns * (height + caption + _GAP)
        image.paste(picture, (x, y))
        if not many:
            _write(draw, (x + width / 2, y + height + 2), middle_cut(name, _HEAD), _SOFT, "ma")
    return image


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


def as_image(picture: NDArray[np.uint8]) -> Image:
    """Return a picture as it is, in PIL's form."""
    from PIL.Image import fromarray

    return fromarray(np.ascontiguousarray(picture[:, :, 0] if picture.shape[2:] == (1,) else picture))


def _largest(tiles: list[list[Image]]) -> tuple[int, int]:
    every = [tile for row in tiles for tile in row]
    return max(tile.width for tile in every), max(tile.height for tile in every)


def _paper(width: int, height: int) -> tuple[Image, ImageDraw]:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, height), _PAPER)
    return image, ImageDraw.Draw(image)


def _write(
    draw: ImageDraw, at: tuple[float, float], text: str, colour: tuple[int, int, int] = _INK, anchor: str = "la"
) -> None:
    from PIL import ImageFont

    font: Any = ImageFont.load_default(_SIZE)
    draw.text(at, text, fill=colour, font=font, anchor=anchor)
