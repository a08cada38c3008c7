"""A strange picture as one image: the item, what was expected, where they differ, and the nearest normal items."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError
from retrieval.applications.anomaly.explanation import Explanation
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.output import writing
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


def write_heat_map(found: Explanation, path: Path) -> None:
    """Write the pictures of an explanation as one PNG.

    Raises
    ------
    BadItemError
        When the item is not a picture, or the file is not named as one.
    """
    if path.suffix.lower() != ".png":
        raise BadItemError(f"{path} should end in .png")
    if found.item is None or found.expected is None or found.heat is None:
        raise BadItemError("only an explanation of a picture or sound can be written as a .png: leave -o out")
    cells = [("item", found.item), ("expected", found.expected), ("share of the score", heat_picture(found.heat))]
    cells += [(f"normal: {one.shown.id}", one.shown.picture) for one in found.nearest if one.shown.picture is not None]
    names, pictures = map(list, zip(*cells, strict=True))
    title = f"p-value {found.p_value:.4f} in {found.space}"
    with writing(path) as file:
        image_grid(ReconstructionTable(names, [ReconstructionRow("", pictures)], title)).save(
            file, "PNG", optimize=True
        )
