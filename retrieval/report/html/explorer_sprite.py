"""The pictures of many items as one picture (a sprite), from which a page shows parts."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrieval.report.figures.pictures import as_image
from retrieval.report.figures.spectrogram import picture_shown
from retrieval.search.result import Shown

#: Tiles up to this side are stored exactly: a lossy code would mix neighbouring ones.
_EXACT = 12
#: The longest side of a WebP picture.
_LONGEST = 16_383
#: Spectrograms take a millisecond or two each.
_SOUNDS = 1_000


def sprite(items: Sequence[Shown], side: int) -> dict[str, Any] | None:
    """Return the pictures of items in rows of one WebP picture; None when there are none, or no room for them.

    Parameters
    ----------
    items : sequence of Shown
    side : int
        Longest side of a tile, in pixels; smaller pictures are not enlarged.

    Returns
    -------
    dict or None
        ``src`` (data address), ``side`` of a tile, ``columns``, and whether tiles are ``small``: these are enlarged by
        whole pixels.
    """
    from PIL import Image

    if side < 1 or not items or (items[0].picture is None and items[0].sound is None):
        return None
    if items[0].sound is not None and len(items) > _SOUNDS:
        return None
    pictures = [picture_shown(item) for item in items]
    longest = max((max(picture.shape[:2]) for picture in pictures if picture is not None), default=0)
    side = min(side, longest)
    columns = math.ceil(math.sqrt(len(items)))
    if not side or columns * side > _LONGEST:
        return None
    grey = all(picture is None or picture.shape[2:] in ((), (1,)) for picture in pictures)
    sheet = Image.new("L" if grey else "RGBA", (columns * side, math.ceil(len(items) / columns) * side))
    for number, picture in enumerate(pictures):
        if picture is not None:
            tile = as_image(picture)
            if max(tile.size) > side:
                tile.thumbnail((side, side))
            across, down = number % columns * side, number // columns * side
            sheet.paste(tile, (across + (side - tile.width) // 2, down + (side - tile.height) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, format="WEBP", lossless=side <= _EXACT, quality=60, method=2)
    source = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"src": source, "side": side, "columns": columns, "small": bool(np.less_equal(side, 32))}
