"""Densities beside the one that all of them should have: small multiples with common axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.report.colours import colour_of
from retrieval.report.figures.drawing import Frame, level, line, round_ticks, svg, tick, ticks_told, words
from retrieval.report.figures.plots import Series
from retrieval.report.html.markup import Markup, element, join

_WIDTH, _LEFT, _TOP = 738.0, 58.0, 22.0
_COLUMNS, _WIDEST, _GAP = 4, 320.0, 18.0
_HEAD, _HEIGHT = 34.0, 92.0


def densities_svg(
    key: str, title: str, edges: NDArray[np.float64], series: Sequence[Series], ground: Series, x_name: str, name: str,
    colour: int = 0,
) -> Markup:  # fmt: skip
    """Draw every density as a line in a panel of its own, over the area of one that they are compared with.

    Parameters
    ----------
    key, title : str
        Prefix of the ids; what the figure says.
    edges : ndarray (cells + 1,)
        The cells that all densities are given in.
    series : sequence of Series
        One panel each.
    ground : Series
        What they are compared with.
    x_name, name : str
        What the horizontal axis measures; what the lines are.
    colour : int
        Place of the colour of the lines.
    """
    columns = min(_COLUMNS, len(series))
    pitch = min(_WIDEST, (_WIDTH - _LEFT) / columns)
    middles = (edges[1:] + edges[:-1]) / 2
    # a peak that is hardly higher than a round number ends there: the scale does not double for it
    ticks = round_ticks(0, 0.97 * max(float(np.max(one.values)) for one in [*series, ground]), 2)
    parts = _legend(name, ground.name, colour)
    for place, one in enumerate(series):
        left, top = _LEFT + place % columns * pitch, _TOP + place // columns * (_HEAD + _HEIGHT) + _HEAD
        frame = Frame(left, left + pitch - _GAP, top, top + _HEIGHT, float(edges[0]), float(edges[-1]))
        parts.append(_area(frame, middles, ground, ticks[-1]))
        parts.append(_curve(frame, middles, one, ticks[-1], colour))
        parts.append(words(left, top - 6, one.name))
        parts += _upward(frame, ticks, told=place % columns == 0)
        if place + columns >= len(series):  # nothing stands below it
            parts += [tick(frame, value, f"{value:g}") for value in round_ticks(edges[0], edges[-1], 4)
                      if edges[0] < value < edges[-1]]  # fmt: skip
    bottom = _TOP + -(-len(series) // columns) * (_HEAD + _HEIGHT)
    parts.append(words(_LEFT + (columns * pitch - _GAP) / 2, bottom + 38, x_name, "middle"))
    parts.append(words(12, (_TOP + _HEAD + bottom) / 2, "density", "middle", upright=True))
    told = "; ".join(f"{one.name}: at most {max(one.values):.2g}" for one in series)
    return svg(key, title, f"Density of {name}, over {ground.name}. {told}", bottom + 48, join(*parts), _WIDTH)


def _legend(name: str, ground: str, colour: int) -> list[Markup]:
    swatch = element("rect", x=_LEFT, y=6, width=18, height=12, fill="currentColor", fill_opacity=0.16)
    start = _LEFT + 40 + 6.4 * len(ground)
    mark = element("line", x1=start, x2=start + 18, y1=12, y2=12, stroke=colour_of(colour), stroke_width=2)
    return [swatch, words(_LEFT + 24, 16, ground), mark, words(start + 24, 16, name)]


def _upward(frame: Frame, ticks: Sequence[float], told: bool) -> list[Markup]:
    heights = [_height(frame, value, ticks[-1]) for value in ticks]
    if not told:
        return [line(frame.left, y, frame.right, y, 0.15) for y in heights]
    return [level(frame, y, name) for y, name in zip(heights, ticks_told(ticks), strict=True)]


def _height(frame: Frame, value: float, most: float) -> float:
    return frame.bottom - value / most * (frame.bottom - frame.top)


def _points(frame: Frame, across: NDArray[np.float64], one: Series, most: float) -> str:
    return " ".join(
        f"{frame.across(x):.1f},{_height(frame, value, most):.1f}"
        for x, value in zip(across.tolist(), one.values, strict=True)
    )


def _area(frame: Frame, across: NDArray[np.float64], one: Series, most: float) -> Markup:
    return element("polygon", points=f"{frame.left:g},{frame.bottom:g} {_points(frame, across, one, most)} "
                   f"{frame.right:g},{frame.bottom:g}", fill="currentColor", fill_opacity=0.16)  # fmt: skip


def _curve(frame: Frame, across: NDArray[np.float64], one: Series, most: float, colour: int) -> Markup:
    return element("polyline", points=_points(frame, across, one, most), fill="none", stroke=colour_of(colour),
                   stroke_width=1.8, stroke_linejoin="round")  # fmt: skip
