"""What the sections of an analysis are put together from: figures that are kept, thumbnails, tables."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.output import writing
from retrieval.report.figures.image_grid import as_image
from retrieval.report.figures.pictures import data_uri
from retrieval.report.html.markup import Markup, element

#: Heads of columns of words, which stand on the left.
WORDY = {"because it is", "method", "words that weigh most", "and least"}


class Figures:
    """The figures that were made, by file name: SVG text or pictures."""

    def __init__(self) -> None:
        self.files: dict[str, Markup | NDArray[np.uint8]] = {}

    def drawing(self, name: str, drawn: Markup) -> Markup:
        """Keep a drawing as NAME.svg and return it."""
        self.files[f"{name}.svg"] = drawn
        return drawn

    def picture(self, name: str, pixels: NDArray[np.uint8], alt: str) -> Markup:
        """Keep a picture as NAME.png and return it as an element."""
        self.files[f"{name}.png"] = pixels
        address = data_uri(pixels, max(pixels.shape))
        return element("img", src=address, alt=alt, class_="pixel", width=pixels.shape[1], height=pixels.shape[0])

    def write(self, folder: Path) -> None:
        """Write every figure as a file of its own."""
        for name, content in self.files.items():
            with writing(folder / name) as file:
                if isinstance(content, str):
                    file.write(content.encode())
                else:
                    buffer = io.BytesIO()
                    as_image(content).save(buffer, format="PNG", optimize=True)
                    file.write(buffer.getvalue())


def captioned(picture: Markup, caption: str) -> Markup:
    """Write a picture with words under it."""
    return element("figure", picture, element("figcaption", caption))


def thumb(picture: NDArray[np.uint8] | None, alt: str) -> Markup:
    """Write a small picture inside the page."""
    assert picture is not None  # noqa: S101
    return element("img", src=data_uri(picture, 64), alt=alt, class_="pixel thumb")


def table(head: Sequence[str], rows: Sequence[Markup]) -> Markup:
    """Write a table that scrolls where it is too wide."""
    cells = (element("th", name, scope="col", class_="words" if name in WORDY else None) for name in head)
    return element("div", element("table", element("thead", element("tr", *cells)), element("tbody", *rows)),
                   class_="scroll")  # fmt: skip
