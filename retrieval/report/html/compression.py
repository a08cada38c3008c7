"""A compression curve as one HTML file, and its numbers, figures and pictures as files beside it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from encoders.atomic_write import write_json
from retrieval.applications.compression.rate_distortion import Curve, Curves, Point
from retrieval.output import writing
from retrieval.report.figures.compression_curve import FIGURES, curve_svg, equal_bytes
from retrieval.report.figures.image_grid import image_grid
from retrieval.report.figures.pictures import data_uri
from retrieval.report.html.provenance import provenance_data
from retrieval.report.html.template import render
from retrieval.report.json import finite
from retrieval.report.terminal.compression import answer, break_even, milliseconds

PAGE, PICTURES = "compression.html", "equal-bytes.png"
#: A picture narrower than this is shown enlarged.
_SMALL = 64


def write_curves(curves: Curves, provenance: Mapping[str, Any], folder: Path) -> Path:
    """Write the page, ``curves.json``, a figure for each measure, and pictures at equal bytes; return the page.

    Raises
    ------
    ArtifactError
        When they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with writing(folder / PAGE) as file:
        file.write(page(curves, provenance).encode())
    write_json(folder / "curves.json", finite(curves.to_json()))
    for name in FIGURES:
        with writing(folder / f"{name}.svg") as file:
            file.write(curve_svg(curves, name).encode())
    buffer = io.BytesIO()
    image_grid(equal_bytes(curves)).save(buffer, format="PNG")
    with writing(folder / PICTURES) as file:
        file.write(buffer.getvalue())
    return folder / PAGE


def page(curves: Curves, provenance: Mapping[str, Any]) -> str:
    """Return the page: the answer, the curves, a table at equal bytes, pictures, all points, how it was measured."""
    return render(
        "compression.html",
        title=f"nearby: compression of {curves.corpus}",
        corpus=curves.corpus,
        facts=f"{len(curves.originals):,} pictures of {curves.raw_bytes:,} bytes, {curves.held_out} · "
        f"spaces fitted on {curves.trained_on:,} others",
        answer=answer(curves),
        figures=[(FIGURES[name][0], curve_svg(curves, name)) for name in FIGURES],
        budget=f"{curves.equal_bytes:.3g}",
        rows=[_row(curves, curve, position) for position, curve in enumerate(curves.compared)],
        pictures=[_pictures(curves, None, -1)]
        + [_pictures(curves, curve, position) for position, curve in enumerate(curves.compared)],
        points=[{"name": curve.name, "cells": _cells(curves, curve, point), "setting": point.setting}
                for curve in curves.curves for point in curve.points],
        provenance_entries=provenance_data(provenance),
    )  # fmt: skip


def _row(curves: Curves, curve: Curve, position: int) -> dict[str, Any]:
    """Return the row of a method at equal bytes; the best values among those that keep to the bytes are marked."""
    within = [one.within(curves.equal_bytes) for one in curves.compared]
    within = [point for point in within if point.bytes_per_item <= 1.02 * curves.equal_bytes]
    point = curve.within(curves.equal_bytes)
    qualities = [point.quality for point in within]
    best = {
        1: point in within and point.quality.error == min(quality.error for quality in qualities),
        2: point in within and point.quality.psnr == max(quality.psnr for quality in qualities),
        3: point in within and point.quality.ssim == max(quality.ssim for quality in qualities),
    }
    cells = [(text, best.get(number, False)) for number, text in enumerate(_cells(curves, curve, point))]
    return {"name": curve.name, "position": position, "cells": cells}


def _cells(curves: Curves, curve: Curve, point: Point) -> list[str]:
    return [
        f"{point.bytes_per_item:.1f}",
        f"{point.quality.error:.3g}",
        f"{point.quality.psnr:.2f}",
        f"{point.quality.ssim:.3f}",
        f"{point.once:,}" if curve.learnt else "",
        break_even(curves, point) if curve.learnt else "",
        milliseconds(point.compress_seconds),
        milliseconds(point.decompress_seconds),
    ]


def _pictures(curves: Curves, curve: Curve | None, position: int) -> dict[str, Any]:
    """Return the pictures of a method at equal bytes, or the originals."""
    point = None if curve is None else curve.within(curves.equal_bytes)
    shown = curves.originals[: len(curves.curves[0].points[0].shown)] if point is None else point.shown
    name = "the pictures" if curve is None else curve.name
    detail = (
        f"{curves.raw_bytes:,} bytes"
        if point is None
        else f"{point.bytes_per_item:.1f} bytes, squared error {point.quality.error:.3g}"
    )
    return {
        "name": name,
        "detail": detail,
        "position": position,
        "images": [
            {"src": data_uri(picture), "alt": f"{name}, picture {number + 1}", "small": picture.shape[1] < _SMALL}
            for number, picture in enumerate(shown)
        ],
    }
