"""Densities, each compared with the same one: small multiples with common axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.report.figures.drawing import (
    WIDTH,
    Frame,
    level,
    line,
    polyline,
    round_ticks,
    svg,
    text_width,
    tick,
    tick_labels,
    words,
)
from retrieval.report.figures.markup import Markup, element, join
from retrieval.report.figures.plots import Series

_LEFT, _COLUMNS, _GAP = 52.0, 2, 16.0
_HEAD, _HEIGHT, _LEGEND_LINE = 30.0, 92.0, 20.0


def densities_svg(
    key: str, title: str, edges: NDArray[np.float64], series: Sequence[Series], reference: Series, x_name: str,
    name: str, colour: int = 0,
) -> Markup:  # fmt: skip
    """Draw every density as a line in its own panel, over the area of the density that it is compared with.

    Parameters
    ----------
    key, title : str
        Prefix of the ids; the answer that the figure shows.
    edges : ndarray (cells + 1,)
        The edges of the cells; all densities have one value per cell.
    series : sequence of Series
        One panel each.
    reference : Series
        The density that all of them are compared with.
    x_name, name : str
        What the horizontal axis measures; what the lines are.
    colour : int
        Position of the colour of the lines.
    """
    columns = min(_COLUMNS, len(series))
    pitch = (WIDTH - _LEFT) / columns
    middles = (edges[1:] + edges[:-1]) / 2
    # A peak hardly higher than a round number is cut there: the scale is not doubled for it.
    ticks = round_ticks(0, 0.97 * max(float(np.max(density.values)) for density in [*series, reference]), 2)
    parts, head = _legend(name, reference.name, colour)
    for panel, density in enumerate(series):
        left, top = _LEFT + panel % columns * pitch, head + panel // columns * (_HEAD + _HEIGHT) + _HEAD
        frame = Frame(left, left + pitch - _GAP, top, top + _HEIGHT, float(edges[0]), float(edges[-1]))
        parts.append(_area(frame, middles, reference, ticks[-1]))
        parts.append(_curve(frame, middles, density, ticks[-1], colour))
        parts.append(words(left, top - 6, density.name))
        parts += _levels(frame, ticks, labelled=panel % columns == 0)
        if panel + columns >= len(series):  # no panel below it
            parts += [tick(frame, value, f"{value:g}") for value in round_ticks(edges[0], edges[-1], 4)
                      if edges[0] < value < edges[-1]]  # fmt: skip
    bottom = head + -(-len(series) // columns) * (_HEAD + _HEIGHT)
    parts.append(words(_LEFT + (columns * pitch - _GAP) / 2, bottom + 38, x_name, "middle"))
    parts.append(words(12, (head + _HEAD + bottom) / 2, "density", "middle", upright=True))
    peaks = "; ".join(f"{density.name}: highest {max(density.values):.2g}" for density in series)
    return svg(key, title, f"Density of {name}, over {reference.name}. {peaks}", bottom + 48, join(*parts))


def _legend(name: str, reference: str, colour: int) -> tuple[list[Markup], float]:
    """Return the legend and its height: one line, or two where the names are long."""
    area = element("rect", x=_LEFT, y=4, width=18, height=12, fill="currentColor", fill_opacity=0.16)
    start, y = _LEFT + 42 + text_width(reference), 10.0
    if start + 24 + text_width(name) > WIDTH:
        start, y = _LEFT, 10 + _LEGEND_LINE
    mark = polyline([(start, y), (start + 18, y)], colour, 2)
    return [area, words(_LEFT + 24, 14, reference), mark, words(start + 24, y + 4, name)], y + 10


def _levels(frame: Frame, ticks: Sequence[float], labelled: bool) -> list[Markup]:
    heights = [_height(frame, value, ticks[-1]) for value in ticks]
    if not labelled:
        return [line(frame.left, y, frame.right, y, 0.15) for y in heights]
    return [level(frame, y, text) for y, text in zip(heights, tick_labels(ticks), strict=True)]


def _height(frame: Frame, value: float, highest: float) -> float:
    return frame.bottom - value / highest * (frame.bottom - frame.top)


def _points(frame: Frame, across: NDArray[np.float64], density: Series, highest: float) -> list[tuple[float, float]]:
    return [
        (frame.across(x), _height(frame, value, highest))
        for x, value in zip(across.tolist(), density.values, strict=True)
    ]


def _area(frame: Frame, across: NDArray[np.float64], density: Series, highest: float) -> Markup:
    corners = [(frame.left, frame.bottom), *_points(frame, across, density, highest), (frame.right, frame.bottom)]
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return element("polygon", points=at, fill="currentColor", fill_opacity=0.16)


def _curve(frame: Frame, across: NDArray[np.float64], density: Series, highest: float, colour: int) -> Markup:
    return polyline(_points(frame, across, density, highest), colour, 1.8)
