"""The figures of an analysis: shown in the page, and written as files beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.output import writing
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.pictures import address_of, as_image, png


class FigureFiles:
    """Figures by file name, as the bytes of the files."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def drawing(self, name: str, drawing: Markup) -> Markup:
        """Keep a drawing as NAME.svg and return it."""
        self.files[f"{name}.svg"] = drawing.encode()
        return drawing

    def picture(self, name: str, pixels: NDArray[np.uint8], alt: str) -> dict[str, Any]:
        """Keep a picture as NAME.png and return it for a template: address, text alternative, width, height."""
        content = png(as_image(pixels))
        self.files[f"{name}.png"] = content
        return {"src": address_of(content), "alt": alt, "width": pixels.shape[1], "height": pixels.shape[0]}

    def write(self, folder: Path) -> None:
        """Write every figure to a file of its own."""
        for name, content in self.files.items():
            with writing(folder / name) as file:
                file.write(content)
