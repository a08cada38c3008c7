"""Plots of an analysis as SVG: lines, points on a map, trees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.report.colours import OKABE_ITO, colour_of, stroke_of
from retrieval.report.figures.drawing import (
    Frame,
    level,
    linear_ticks,
    round_ticks,
    spread,
    svg,
    tick,
    ticks_told,
    words,
)
from retrieval.report.html.markup import Markup, element, join
from retrieval.report.specs import middle_cut

_LETTERS = 26
#: Shapes that tell more classes apart than there are colours.
_SHAPES = ("circle", "square", "triangle", "cross")
#: Black follows the text and yellow is faint: neither is a class's first colour on a map.
_CLASS_COLOURS = (*OKABE_ITO[:6], OKABE_ITO[7])


class Series(NamedTuple):
    """One line: its name, and its values at the points that all lines share; NaN leaves a gap."""

    name: str
    values: Sequence[float]


def lines_svg(
    key: str, title: str, across: Sequence[float], series: Sequence[Series], x_name: str, y_name: str,
    mark: float | None = None, narrow: bool = False,
) -> Markup:  # fmt: skip
    """Draw lines over a common axis, each with its name at its end.

    Parameters
    ----------
    key : str
        Prefix of the ids.
    title : str
        What the figure says.
    across : sequence of float
        Places on the horizontal axis.
    series : sequence of Series
    x_name, y_name : str
        What the axes measure.
    mark : float, optional
        A place on the horizontal axis that is marked.
    narrow : bool
        Small, without names at the ends.
    """
    height, right = (220.0, 250.0) if narrow else (340.0, 380.0)
    values = np.array([line.values for line in series], dtype=np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    ticks = round_ticks(low, high if high > low else low + 1, 4)
    upward = Frame(0, -(height - 62), 0, 0, ticks[0], ticks[-1])  # across, read from the bottom up
    frame = Frame(66, right, 14, height - 48, min(across), max(max(across), min(across) + 1e-9))
    parts = [
        level(frame, frame.bottom + upward.across(value), told)
        for value, told in zip(ticks, ticks_told(ticks), strict=True)
    ]
    parts += [tick(frame, value, f"{value:g}") for value in _apart(frame, across)]
    if mark is not None:
        x = frame.across(mark)
        parts.append(
            element("line", x1=x, x2=x, y1=frame.top, y2=frame.bottom, stroke="#D55E00", stroke_dasharray="4 3")
        )
    parts.append(words((frame.left + frame.right) / 2, frame.bottom + 38, x_name, "middle"))
    parts.append(words(13, (frame.top + frame.bottom) / 2, y_name, "middle", upright=True))
    ends = []
    for place, line in enumerate(series):
        points = [
            (frame.across(x), frame.bottom + upward.across(value))
            for x, value in zip(across, line.values, strict=True)
            if math.isfinite(value)
        ]
        ends.append(points[-1][1] if points else frame.bottom)
        parts.append(_polyline(points, place))
        parts += [element("circle", cx=x, cy=y, r=2.6, fill=colour_of(place)) for x, y in points]
    if not narrow:
        places = spread(ends, 17, frame.top, frame.bottom)
        for place, (line, end, at) in enumerate(zip(series, ends, places, strict=True)):
            parts.append(_polyline([(right + 4, end), (right + 16, at), (right + 22, at)], place, 1.25))
            parts.append(words(right + 27, at + 4, middle_cut(line.name, _LETTERS)))
    told = "; ".join(f"{line.name}: " + ", ".join(f"{value:.3g}" for value in line.values) for line in series)
    return svg(key, title, f"{y_name} at {x_name} {', '.join(f'{x:g}' for x in across)}. {told}", height, join(*parts),
               right + (20 if narrow else 180))  # fmt: skip


def _apart(frame: Frame, across: Sequence[float], gap: float = 24) -> list[float]:
    """Return the values whose numbers do not touch when written under the axis."""
    kept: list[float] = []
    for value in across:
        if not kept or frame.across(value) - frame.across(kept[-1]) >= gap:
            kept.append(value)
    return kept


def _polyline(points: Sequence[tuple[float, float]], place: int, width: float = 2) -> Markup:
    return element(
        "polyline",
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        fill="none",
        stroke=colour_of(place),
        stroke_width=width,
        stroke_linejoin="round",
        stroke_dasharray=stroke_of(place) if width > 1.5 else None,
    )


def map_svg(
    key: str, title: str, points: NDArray[Any], classes: NDArray[np.int64], anchors: dict[int, str], side: float = 380,
    circles: Sequence[float] = (),
) -> Markup:  # fmt: skip
    """Draw items as dots in two dimensions, coloured (and shaped) by class.

    Parameters
    ----------
    key, title : str
    points : ndarray (n, 2)
    classes : ndarray int (n,)
        0 first, the largest class; -1 for none.
    anchors : dict of int to str
        Row -> the id of its picture in the page, which the dot links to; the dot has the class ``p-<id>``.
    side : float
        Width and height.
    circles : sequence of float, optional
        Multiples of σ, drawn around the origin, which is then in the middle; both axes have one scale.
    """
    low, high = np.percentile(points, (0.5, 99.5), axis=0)
    if circles:
        reach = max(*circles, float(np.abs([low, high]).max())) * 1.02
        low, high = np.full(2, -reach), np.full(2, reach)
    scaled = np.clip((points - low) / np.maximum(high - low, 1e-12), -0.02, 1.02)
    places = 14 + scaled * (side - 28)
    places[:, 1] = side - places[:, 1]
    parts: list[Markup] = []
    linked: list[Markup] = []
    for row, ((x, y), group) in enumerate(zip(places.tolist(), classes.tolist(), strict=True)):
        if row in anchors:
            mark = _dot(x, y, group, 5.2, f"p-{anchors[row]}")
            linked.append(element("a", mark, href=f"#{anchors[row]}"))
        else:
            parts.append(_dot(x, y, group, 2.6))
    rings = [_ring(side, (side - 28) / (high[0] - low[0]), circle) for circle in circles]
    edge = element("rect", x=1, y=1, width=side - 2, height=side - 2, fill="none", stroke="currentColor",
                   stroke_opacity=0.2, rx=6)  # fmt: skip
    return svg(key, title, f"{len(points)} items, coloured by label", side, join(edge, *parts, *rings, *linked), side)


def _ring(side: float, scale: float, radius: float) -> Markup:
    """Draw a circle around the middle of a map, so many σ wide, its name on a ground of paper."""
    middle, reach = side / 2, radius * scale
    around = element("circle", cx=middle, cy=middle, r=round(reach, 1), fill="none", stroke="currentColor",
                     stroke_width=1.4, stroke_dasharray="5 3")  # fmt: skip
    ground = element("rect", x=middle - 12, y=round(middle - reach - 8, 1), width=24, height=16, rx=3,
                     fill="var(--paper, #fff)")  # fmt: skip
    return join(around, ground, words(middle, round(middle - reach + 4, 1), f"{radius:g}σ", "middle"))


def _dot(x: float, y: float, group: int, size: float, name: str | None = None) -> Markup:
    colour, shape = look_of(group)
    style: dict[str, Any] = {"fill": colour, "fill_opacity": 0.75, "class_": name}
    if name is not None:
        style |= {"fill_opacity": 1, "stroke": "var(--paper, #fff)", "stroke_width": 1.2}
    if shape == "circle":
        return element("circle", cx=round(x, 1), cy=round(y, 1), r=size, **style)
    if shape == "square":
        edge = size * 1.8
        return element("rect", x=round(x - edge / 2, 1), y=round(y - edge / 2, 1), width=edge, height=edge, **style)
    if shape == "triangle":
        corners = ((0, -1.25), (1.1, 0.85), (-1.1, 0.85))
        at = " ".join(f"{x + size * right:.1f},{y + size * down:.1f}" for right, down in corners)
        return element("polygon", points=at, **style)
    arm = size * 1.15
    rising = f"M{x - arm:.1f} {y + arm:.1f}L{x + arm:.1f} {y - arm:.1f}"
    path = f"{rising}M{x - arm:.1f} {y - arm:.1f}L{x + arm:.1f} {y + arm:.1f}"
    return element("path", d=path, stroke=colour, stroke_width=size * 0.8, fill="none", class_=name)


def look_of(group: int) -> tuple[str, str]:
    """Return the colour and the shape of a class on a map.

    Examples
    --------
    >>> look_of(0), look_of(7)
    (('#0072B2', 'circle'), ('#0072B2', 'square'))
    """
    if group < 0:
        return "currentColor", "circle"
    count = len(_CLASS_COLOURS)
    return _CLASS_COLOURS[group % count], _SHAPES[group // count % len(_SHAPES)]


def legend_svg(group: int) -> Markup:
    """Return the mark of a class by itself, for a legend."""
    return element("svg", _dot(7, 7, group, 4.5), width=14, height=14, viewBox="0 0 14 14", aria_hidden="true")


class Branch(NamedTuple):
    """One merge of a drawn tree: the two parts' places and heights, and its own height."""

    left: float
    left_height: float
    right: float
    right_height: float
    height: float


def tree_svg(
    key: str, title: str, branches: Sequence[Branch], names: Sequence[str], clusters: Sequence[int], cut: float,
    pictures: Sequence[str | None],
) -> Markup:  # fmt: skip
    """Draw a tree lying on its side: leaves on the right, a line where it is cut.

    Parameters
    ----------
    key, title : str
    branches : sequence of Branch
        Places count leaves from 0.
    names : sequence of str
        Of the leaves.
    clusters : sequence of int
        Of the leaves: their colour.
    cut : float
        Height of the cut.
    pictures : sequence of str or None
        Address of each leaf's picture.
    """
    row, left, right = 26.0, 14.0, 440.0
    top = max((branch.height for branch in branches), default=1.0) * 1.03
    frame = Frame(right, left, 8, 8 + row * len(names), 0, top)  # height grows to the left

    def y(place: float) -> float:
        return frame.top + row * (place + 0.5)

    ticks = [value for value in round_ticks(0, top, 5) if value <= top]
    parts = linear_ticks(frame, ticks)
    for branch in branches:
        x = frame.across(branch.height)
        path = (
            f"M{frame.across(branch.left_height):.1f} {y(branch.left):.1f}H{x:.1f}V{y(branch.right):.1f}"
            f"H{frame.across(branch.right_height):.1f}"
        )
        parts.append(element("path", d=path, fill="none", stroke="currentColor", stroke_width=1.3))
    x = frame.across(cut)
    parts.append(
        element(
            "line",
            x1=x,
            x2=x,
            y1=frame.top,
            y2=frame.bottom,
            stroke="#D55E00",
            stroke_width=1.6,
            stroke_dasharray="5 3",
        )
    )
    for place, (name, cluster, picture) in enumerate(zip(names, clusters, pictures, strict=True)):
        parts.append(_dot(right + 10, y(place), cluster, 4))
        start = right + 20
        if picture is not None:
            parts.append(element("image", href=picture, x=start, y=y(place) - 11, width=22, height=22,
                                 style="image-rendering: pixelated"))  # fmt: skip
            start += 28
        parts.append(words(start, y(place) + 4, middle_cut(name, 44)))
    parts.append(
        words(
            (left + right) / 2,
            frame.bottom + 36,
            "height of the merge (Ward: √(2 × growth of the squared error))",
            "middle",
        )
    )
    return svg(key, title, f"{len(names)} leaves, cut at height {cut:.3g}", frame.bottom + 48, join(*parts), 760)
