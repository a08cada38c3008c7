"""The files of a compression curve: numbers, figures, and pictures side by side at equal bytes."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path

from encoders.atomic_write import write_json
from retrieval.applications.compression.curve import SHOWN, Curve, Curves, Point
from retrieval.applications.compression.picture_codecs import FILES
from retrieval.applications.compression.picture_quality import Quality
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.output import writing
from retrieval.report.figures.image_grid import image_grid
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.plots import Series, lines_svg
from retrieval.report.json import finite

#: File -> axis and value of a figure.
FIGURES: dict[str, tuple[str, Callable[[Quality], float]]] = {
    "error": ("squared error per picture", lambda quality: quality.error),
    "psnr": ("PSNR, dB", lambda quality: quality.psnr),
    "ssim": ("structural similarity", lambda quality: quality.ssim),
}
PICTURES = "equal-bytes.png"


def write_curves(found: Curves, folder: Path) -> Path:
    """Write ``curves.json``, a figure for each measure, and pictures at equal bytes; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "curves.json", finite(found.to_json()))
    for name in FIGURES:
        with writing(folder / f"{name}.svg") as file:
            file.write(curve_svg(found, name).encode())
    buffer = io.BytesIO()
    image_grid(equal_bytes(found)).save(buffer, format="PNG")
    with writing(folder / PICTURES) as file:
        file.write(buffer.getvalue())
    return folder


def drawn(found: Curves) -> list[Curve]:
    """Return the curves that figures show: a file with its header for each small picture is no match for any."""
    return [curve for curve in found.curves if curve.learnt or not curve.name.endswith(FILES)]


def curve_svg(found: Curves, measure: str) -> Markup:
    """Draw a measure over the bytes of a picture, which are logarithmic."""
    axis, value = FIGURES[measure]
    curves = drawn(found)
    across = sorted({_bytes(point) for curve in curves for point in curve.points})
    series = []
    for curve in curves:
        values = {_bytes(point): value(point.quality) for point in curve.points}
        finite_values = {at: one for at, one in values.items() if math.isfinite(one)}
        series.append(Series(curve.name, [finite_values.get(at, math.nan) for at in across]))
    title = f"Bytes against {axis.partition(',')[0]}: {found.corpus}, {len(found.originals):,} held-out pictures"
    return lines_svg(f"curve-{measure}", title, across, series, "bytes per picture", axis, logarithmic=True)


def _bytes(point: Point) -> float:
    return float(f"{max(point.bytes_per_item, 0.1):.3g}")


def equal_bytes(found: Curves) -> ReconstructionTable:
    """Return decoded pictures of every method at the bytes that the first space needs at its middle point.

    Of each method the best point that needs no more bytes, or its smallest, with the bytes in its name.
    """
    first = next(curve for curve in found.curves if curve.learnt)
    budget = first.points[len(first.points) // 2].bytes_per_item
    rows = [ReconstructionRow("the pictures", list(found.originals[:SHOWN]))]
    for curve in drawn(found):
        within = [point for point in curve.points if point.bytes_per_item <= 1.02 * budget]
        point = max(within, key=lambda one: one.bytes_per_item) if within else curve.points[0]
        name = f"{curve.name}: {point.bytes_per_item:.1f} bytes, error {point.quality.error:.3g}"
        rows.append(ReconstructionRow(name, list(point.shown)))
    columns = [str(number + 1) for number in range(len(rows[0].contents))]
    return ReconstructionTable(columns, rows, f"Decoded from at most {budget:.1f} bytes, where a method can")
