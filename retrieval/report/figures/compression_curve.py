"""Figures of a compression curve: bytes against error, and pictures side by side at equal bytes."""

from __future__ import annotations

import math
from collections.abc import Callable

from retrieval.applications.compression.rate_distortion import Curves, Point
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.evaluation.picture_quality import Quality
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.plots import Series, lines_svg

#: File -> what it measures, the axis, and the value.
FIGURES: dict[str, tuple[str, str, Callable[[Quality], float]]] = {
    "psnr": ("signal-to-noise ratio: higher is better", "PSNR, dB", lambda quality: quality.psnr),
    "error": ("squared error: lower is better", "squared error per picture", lambda quality: quality.error),
    "ssim": ("structural similarity: higher is better", "SSIM", lambda quality: quality.ssim),
}


def curve_svg(curves: Curves, measure: str) -> Markup:
    """Draw a measure over the bytes of a picture, which are logarithmic."""
    what, axis, value = FIGURES[measure]
    across = sorted({_bytes(point) for curve in curves.compared for point in curve.points})
    series = []
    for curve in curves.compared:
        values = {_bytes(point): value(point.quality) for point in curve.points}
        finite = {at: y for at, y in values.items() if math.isfinite(y) and (y > 0 or measure != "error")}
        series.append(Series(curve.name, [finite.get(at, math.nan) for at in across]))
    title = f"Bytes against {what}"
    return lines_svg(f"curve-{measure}", title, across, series, "bytes per picture", axis, logarithmic=True,
                     log_values=measure == "error")  # fmt: skip


def _bytes(point: Point) -> float:
    return float(f"{max(point.bytes_per_item, 0.1):.3g}")


def equal_bytes(curves: Curves) -> ReconstructionTable:
    """Return decoded pictures of every method at equal bytes.

    Of each method the best point that needs no more bytes, or its smallest, with the bytes in its name.
    """
    shown = len(curves.curves[0].points[0].shown)
    rows = [ReconstructionRow("the pictures", list(curves.originals[:shown]))]
    for curve in curves.compared:
        point = curve.within(curves.equal_bytes)
        name = f"{curve.name}: {point.bytes_per_item:.1f} bytes, error {point.quality.error:.3g}"
        rows.append(ReconstructionRow(name, list(point.shown)))
    columns = [str(number + 1) for number in range(len(rows[0].contents))]
    return ReconstructionTable(
        columns, rows, f"Decoded from at most {curves.equal_bytes:.1f} bytes, where a method can"
    )
