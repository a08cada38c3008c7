"""The figure in docs/results.md: reconstruction error beside retrieval for every autoencoder on MNIST.

Each method has its own row, so that no two dots overlap. Rows are sorted by error; precision has another order.

Run: ``python benchmarks/autoencoder_figure.py docs/autoencoders.svg``
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

from hashing_figures import written
from record import over_seeds

from retrieval.report.colours import OKABE_ITO
from retrieval.report.figures.drawing import Frame, line, linear_ticks, round_ticks, svg, tick, words
from retrieval.report.figures.markup import Markup, element, join

#: Width of the figure, height of a row, and of the space above and below the rows of a code size.
WIDTH, ROW, HEAD, FOOT = 640.0, 20.0, 34.0, 52.0
NAMES = 214.0
#: Colour of a family. A hollow dot: more than the code reaches the decoder.
FAMILIES = {"pca": 0, "deep": 1, "sparse": 2, "contractive": 2, "denoising": 3, "variational": 4, "conv": 5}


def main(out: str) -> None:
    runs = over_seeds("autoencoders", "method", "size")
    pixels = next(one["P@10"] for one in runs if one["method"] == "pixels")
    shown = [one for one in runs if one["method"] != "pixels"]
    title = "A smaller reconstruction error does not mean better retrieval"
    note = "MNIST test pictures; hollow: more than the code reaches the decoder; dashed: 784 pixels"
    parts, top = [words(10, 18, title), words(10, 38, note)], 48.0
    for size in sorted({one["size"] for one in shown}, reverse=True):
        rows = sorted((one for one in shown if one["size"] == size), key=lambda one: one["test_error"])
        drawn, top = panel(rows, size, top, pixels)
        parts.append(drawn)
    description = (
        "Reconstruction error and P@10 of every autoencoder on MNIST, by size of the code, smallest error first"
    )
    drawing = svg("autoencoders", title, description, top, join(*parts), WIDTH)
    written(Path(out), str(drawing))


def panel(runs: list[dict[str, Any]], size: int, top: float, pixels: float) -> tuple[Markup, float]:
    """Draw one code size: one row a method, error on the left (log), P@10 with its spread over seeds on the right."""
    first, bottom = top + HEAD, top + HEAD + ROW * len(runs)
    errors, precisions = [one["test_error"] for one in runs], [one["P@10"] for one in runs]
    low, high = math.log10(min(errors)), math.log10(max(errors))
    margin = 0.05 * (high - low)
    error = Frame(NAMES + 16, NAMES + 200, first, bottom, low - margin, high + margin)
    ticks = round_ticks(min(precisions), max(*precisions, pixels), 4)
    precision = Frame(NAMES + 232, WIDTH - 18, first, bottom, ticks[0], ticks[-1])
    parts = [words(10, first - 10, f"{size} numbers"), *linear_ticks(precision, ticks)]
    for value in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50):
        if min(errors) <= value <= max(errors):
            parts.append(tick(error, math.log10(value), f"{value:g}"))
    for frame, name in ((error, "squared error per picture (log)"), (precision, "P@10, ± spread of seeds")):
        parts.append(words((frame.left + frame.right) / 2, bottom + 38, name, "middle"))
    x = precision.across(pixels)
    parts.append(element("line", x1=x, x2=x, y1=first, y2=bottom, stroke="currentColor", stroke_dasharray="5 4"))
    for row, one in enumerate(runs):
        parts += method(one, first + ROW * (row + 0.5), error, precision)
    return join(*parts), bottom + FOOT


def method(one: dict[str, Any], y: float, error: Frame, precision: Frame) -> list[Markup]:
    """Draw the row of one method."""
    colour = OKABE_ITO[FAMILIES.get(one["method"].split(",")[0], 6)]
    low, high = (precision.across(one["P@10"] + sign * one["spread"]["P@10"]) for sign in (-1, 1))
    dots = (error.across(math.log10(one["test_error"])), precision.across(one["P@10"]))
    look = {"fill": colour} if one["decodes"] else {"fill": "#fff", "class_": "ground"}
    return [
        words(NAMES, y + 4, one["method"], "end"),
        line(error.left, y, precision.right, y, 0.08),
        element("line", x1=low, x2=high, y1=y, y2=y, stroke=colour, stroke_width=1.6),
        *(element("circle", cx=x, cy=y, r=4.5, stroke=colour, stroke_width=1.6, **look) for x in dots),
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
