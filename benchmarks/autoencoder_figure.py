"""The figure in docs/results.md: error of reconstruction beside retrieval for every autoencoder on MNIST.

Run: ``python benchmarks/autoencoder_figure.py docs/autoencoders.svg``
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

from record import over_seeds

from retrieval.report.colours import OKABE_ITO
from retrieval.report.figures.drawing import Frame, level, round_ticks, spread, svg, tick_labels, words
from retrieval.report.figures.markup import Markup, element, join

PANEL, HEIGHT, HEAD = 480.0, 480.0, 60.0
#: Families in colour; where something passes beside the code, the dot is hollow.
FAMILIES = {"pca": 0, "deep": 1, "sparse": 2, "contractive": 2, "denoising": 3, "variational": 4, "conv": 5}


def main(out: str) -> None:
    runs = over_seeds("autoencoders", "method", "size")
    sizes = sorted({one["size"] for one in runs}, reverse=True)
    pixels = next(one["P@10"] for one in runs if one["method"] == "pixels")
    shown = [one for one in runs if one["method"] != "pixels"]
    panels = [
        panel([one for one in shown if one["size"] == size], size, place, pixels) for place, size in enumerate(sizes)
    ]
    paper = element("rect", x=0, y=0, width=PANEL * len(sizes), height=HEIGHT, fill="#fff")
    title = "A small error of reconstruction is no promise of good retrieval (hollow: something passes beside the code)"
    told = "Error of reconstruction and P@10 of every autoencoder on MNIST, by size of the code"
    drawn = svg("autoencoders", title, told, HEIGHT, join(paper, words(14, 16, title), *panels), PANEL * len(sizes))
    Path(out).write_text(str(drawn).replace("<svg ", '<svg color="#222" ', 1))


def panel(runs: list[dict[str, Any]], size: int, place: int, pixels: float) -> Markup:
    """Draw one size: error to the right on a logarithmic axis, P@10 upwards, each dot with its name."""
    errors, precisions = [one["test_error"] for one in runs], [one["P@10"] for one in runs]
    left, right = place * PANEL + 52, place * PANEL + PANEL - 196
    frame = Frame(left, right, HEAD, HEIGHT - 52, math.log10(min(errors)), math.log10(max(errors)))
    ticks = round_ticks(min(precisions), max(*precisions, pixels), 5)
    upward = Frame(frame.bottom, frame.top, 0, 0, ticks[0], ticks[-1])
    parts = [words(left, 36, f"{size} numbers")]
    for value, told in zip(ticks, tick_labels(ticks), strict=True):
        parts.append(level(frame, upward.across(value), told))
    for value in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50):
        if min(errors) <= value <= max(errors):
            parts.append(words(frame.across(math.log10(value)), frame.bottom + 18, f"{value:g}", "middle"))
    parts.append(words((left + right) / 2, frame.bottom + 38, "squared error of a test picture (log)", "middle"))
    parts.append(words(left, HEAD - 6, "P@10"))
    y = upward.across(pixels)
    dashes = {"stroke": "#222", "stroke_dasharray": "5 4"}
    parts.append(element("line", x1=left, x2=right, y1=y, y2=y, **dashes))
    parts.append(words(left + 4, y - 4, "784 pixels"))
    heights = spread([upward.across(value) for value in precisions], 14, frame.top, frame.bottom)
    for one, height in zip(runs, heights, strict=True):
        x, y = frame.across(math.log10(one["test_error"])), upward.across(one["P@10"])
        colour = OKABE_ITO[FAMILIES.get(one["method"].split(",")[0], 6)]
        parts.append(element("line", x1=x, y1=y, x2=right + 6, y2=height, stroke=colour, stroke_opacity=0.35))
        fill = colour if one["decodes"] else "#fff"
        low, high = (upward.across(one["P@10"] + sign * one["spread"]["P@10"]) for sign in (-1, 1))
        parts.append(element("line", x1=x, y1=low, x2=x, y2=high, stroke=colour, stroke_width=1.6))
        parts.append(element("circle", cx=x, cy=y, r=4.5, fill=fill, stroke=colour, stroke_width=1.6))
        parts.append(words(right + 9, height + 4, one["method"].replace("layer by layer", "layers")))
    return join(*parts)


if __name__ == "__main__":
    main(*sys.argv[1:])
