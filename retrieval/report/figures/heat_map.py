"""A strange picture as one image: the item, what was expected, where they differ, and the nearest normal items."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError
from retrieval.applications.anomaly.explanation import Explanation
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.output import writing
from retrieval.report.anomaly_words import p_value_text
from retrieval.report.figures.image_grid import image_grid

#: From no share to the largest: white, orange, vermilion, dark.
_RAMP = np.array([(255, 255, 255), (253, 217, 140), (230, 159, 0), (213, 94, 0), (90, 20, 0)], dtype=np.float64)


def heat_picture(heat: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return shares (h, w) as a colour picture uint8 (h, w, 3): the darker, the larger.

    Examples
    --------
    >>> heat_picture(np.array([[0.0, 0.5]])).tolist()
    [[[255, 255, 255], [90, 20, 0]]]
    """
    largest = float(heat.max(initial=0.0))
    at = (heat / largest if largest else heat) * (len(_RAMP) - 1)
    steps = np.arange(len(_RAMP))
    channels = [np.interp(at, steps, _RAMP[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def write_heat_map(explanation: Explanation, path: Path) -> None:
    """Write the pictures of an explanation as one PNG.

    Raises
    ------
    BadItemError
        When the item is not a picture, or the file is not named as one.
    """
    if path.suffix.lower() != ".png":
        raise BadItemError(f"{path} should end in .png")
    if explanation.item is None or explanation.expected is None or explanation.heat is None:
        raise BadItemError("only an explanation of a picture or sound can be written as a .png: leave -o out")
    cells = [
        ("item", explanation.item),
        ("expected", explanation.expected),
        ("share of the score", heat_picture(explanation.heat)),
    ]
    cells += [
        (f"normal: {neighbour.shown.id}", neighbour.shown.picture)
        for neighbour in explanation.nearest
        if neighbour.shown.picture is not None
    ]
    names, pictures = map(list, zip(*cells, strict=True))
    title = f"p-value {p_value_text(explanation.p_value)} in {explanation.space}"
    with writing(path) as file:
        image_grid(ReconstructionTable(names, [ReconstructionRow("", pictures)], title)).save(
            file, "PNG", optimize=True
        )
