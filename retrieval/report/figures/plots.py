"""Line plots and scatter plots as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.report.colours import OKABE_ITO, stroke_of
from retrieval.report.figures.drawing import (
    LINE_HEIGHT,
    Frame,
    area,
    dot,
    level,
    lines_of_text,
    polyline,
    round_ticks,
    spread,
    svg,
    text_width,
    tick,
    tick_labels,
    words,
)
from retrieval.report.figures.markup import Markup, element, join
from retrieval.report.spec_wrapping import wrapped

#: Letters in a line of the label at the end of a line.
LABEL_LETTERS = 22
#: Positions on a logarithmic axis above which round numbers are written, not the positions themselves.
_MANY = 15
#: Shapes that tell more classes apart than there are colours.
_SHAPES = ("circle", "square", "triangle", "cross")
#: Black follows the text and yellow is faint: neither is the colour of a first class on a map.
_CLASS_COLOURS = (*OKABE_ITO[:6], OKABE_ITO[7])


class Band(NamedTuple):
    """The lower and upper ends of intervals at the points of a line."""

    low: Sequence[float]
    high: Sequence[float]


class Series(NamedTuple):
    """One line: its name, its values at the points that all lines share (NaN leaves a gap), and perhaps a band."""

    name: str
    values: Sequence[float]
    band: Band | None = None


class Link(NamedTuple):
    """Where a dot of a map leads: the id of the item in the page, and its name."""

    anchor: str
    name: str


def lines_svg(
    key: str, title: str, across: Sequence[float], series: Sequence[Series], x_name: str, y_name: str,
    mark: float | None = None, narrow: bool = False, logarithmic: bool = False, log_values: bool = False,
    dots: bool = True,
) -> Markup:  # fmt: skip
    """Draw lines over a common axis, each with its name at its end.

    Parameters
    ----------
    key : str
        Prefix of the ids.
    title : str
        The answer that the figure shows.
    across : sequence of float
        Positions on the horizontal axis.
    series : sequence of Series
    x_name, y_name : str
        What the axes measure, with the unit.
    mark : float, optional
        A position on the horizontal axis that is marked.
    narrow : bool
        Small, without names at the ends.
    logarithmic : bool
        Whether the horizontal axis is logarithmic; the positions are then above 0.
    log_values : bool
        The same of the vertical axis.
    dots : bool
        Whether the points of a line are marked.
    """
    labels = [[] if narrow else wrapped(curve.name, LABEL_LETTERS) for curve in series]
    gap = LINE_HEIGHT * max(map(len, labels), default=1) + 3
    height, right = (240.0, 300.0) if narrow else (max(320.0, gap * len(series) + 80), 258.0)
    values = np.array([curve.values for curve in series], dtype=np.float64)
    shown = np.array([*values, *(ends for curve in series if curve.band is not None for ends in curve.band)])
    finite = shown[np.isfinite(shown)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    ticks = round_ticks(low, high if high > low else low + 1, 4)
    names = tick_labels(ticks)
    if log_values:
        ticks = _around(low, high)
        names = [f"{value:g}" for value in ticks]
    left = 36 + max(map(text_width, names))  # room for the numbers, and for the name of the axis
    at = {value: math.log(value) if logarithmic else value for value in across}
    frame = Frame(left, right, 14, height - 48, min(at.values()), max(max(at.values()), min(at.values()) + 1e-9))
    raised: Callable[[float], float] = math.log if log_values else float
    upward = Frame(frame.bottom, frame.top, 0, 0, raised(ticks[0]), raised(ticks[-1]))
    parts = [level(frame, upward.across(raised(value)), text) for value, text in zip(ticks, names, strict=True)]
    marks = _decades(across) if logarithmic and len(across) > _MANY else at
    if not dots and not logarithmic:  # the positions are not round
        marks = {
            value: value for value in round_ticks(min(across), max(across), 4) if min(across) <= value <= max(across)
        }
    parts += [tick(frame, marks[value], f"{value:g}") for value in _apart(frame, marks)]
    if mark is not None:
        x = frame.across(at[mark])
        parts.append(
            element("line", x1=x, x2=x, y1=frame.top, y2=frame.bottom, stroke="#D55E00", stroke_dasharray="4 3")
        )
    parts.append(words((frame.left + frame.right) / 2, frame.bottom + 38, x_name, "middle"))
    parts.append(words(12, (frame.top + frame.bottom) / 2, y_name, "middle", upright=True))
    for position, curve in enumerate(series):
        if curve.band is not None:  # below all lines
            sides = [[(frame.across(at[x]), upward.across(raised(end))) for x, end in zip(across, ends, strict=True)]
                     for ends in curve.band]  # fmt: skip
            parts.append(area(sides[0] + sides[1][::-1], position))
    ends = []
    for position, curve in enumerate(series):
        points = [
            (frame.across(at[x]), upward.across(raised(value)))
            for x, value in zip(across, curve.values, strict=True)
            if math.isfinite(value)
        ]
        ends.append(points[-1][1] if points else frame.bottom)
        parts.append(polyline(points, position, 2, stroke_of(position)))
        parts += [dot(x, y, position, 2.6) for x, y in points] if dots else []
    if not narrow:
        room = LINE_HEIGHT / 2 * max(0, max(map(len, labels)) - 2)  # a name of many lines stays inside
        heights = spread(ends, gap, frame.top + room, frame.bottom - room)
        for position, (label, end, y) in enumerate(zip(labels, ends, heights, strict=True)):
            parts.append(polyline([(right + 4, end), (right + 14, y), (right + 20, y)], position, 1.25))
            parts.append(lines_of_text(right + 24, y, label))
    if np.isfinite(values).all():
        described = "; ".join(f"{curve.name}: {_listed(curve.values)}{_band_text(curve.band)}" for curve in series)
        description = f"{y_name} at {x_name} {', '.join(f'{x:g}' for x in across)}. {described}"
    else:  # each line has its own positions
        described = "; ".join(f"{curve.name}: " + ", ".join(
            f"{value:.3g} at {x:g}" for x, value in zip(across, curve.values, strict=True) if math.isfinite(value)
        ) for curve in series)  # fmt: skip
        description = f"{y_name} by {x_name}. {described}"
    return svg(key, title, description, height, join(*parts), right + (20 if narrow else 182))


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


def _band_text(band: Band | None) -> str:
    return "" if band is None else f" (95% band from {_listed(band.low)} to {_listed(band.high)})"


def _decades(across: Sequence[float]) -> dict[float, float]:
    """Return 1, 2 and 5 times powers of ten in the range of some positions, each with its logarithm."""
    powers = range(math.floor(math.log10(min(across))), math.ceil(math.log10(max(across))) + 1)
    values = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return {value: math.log(value) for value in values if min(across) <= value <= max(across)}


def _around(low: float, high: float) -> list[float]:
    """Return powers of ten from below the smallest to above the largest number.

    Examples
    --------
    >>> _around(0.03, 4)
    [0.01, 0.1, 1.0, 10.0]
    """
    return [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def _apart(frame: Frame, at: dict[float, float], gap: float = 8) -> list[float]:
    """Return every value, or every second, third, ..., so that the numbers under the axis do not touch."""
    values = list(at)
    for stride in range(1, len(values)):
        kept = values[::stride]
        middles = [frame.across(at[value]) for value in kept]
        halves = [text_width(f"{value:g}") / 2 for value in kept]
        ends = [middle + half + gap for middle, half in zip(middles, halves, strict=True)]
        starts = [middle - half for middle, half in zip(middles, halves, strict=True)]
        if all(end <= start for end, start in zip(ends, starts[1:], strict=False)):
            return kept
    return values[:1]


def map_svg(
    key: str, title: str, points: NDArray[Any], classes: NDArray[np.int64], links: dict[int, Link], side: float = 380,
    circles: Sequence[float] = (),
) -> Markup:  # fmt: skip
    """Draw items as dots in two dimensions, coloured (and shaped) by class.

    Parameters
    ----------
    key, title : str
    points : ndarray (n, 2)
    classes : ndarray int (n,)
        0 first, the largest class; -1 for none.
    links : dict of int to Link
        Row -> the item in the page, to which the dot leads; the dot has the class ``p-<anchor>``. A keyboard skips
        the dots: it reaches the same items in the list below the maps.
    side : float
        Width and height.
    circles : sequence of float, optional
        Radii in σ, drawn around the origin, which is then in the middle; both axes have one scale.
    """
    low, high = np.percentile(points, (0.5, 99.5), axis=0)
    if circles:
        reach = max(*circles, float(np.abs([low, high]).max())) * 1.02
        low, high = np.full(2, -reach), np.full(2, reach)
    scaled = np.clip((points - low) / np.maximum(high - low, 1e-12), -0.02, 1.02)
    coordinates = 14 + scaled * (side - 28)
    coordinates[:, 1] = side - coordinates[:, 1]
    parts: list[Markup] = []
    linked: list[Markup] = []
    for row, ((x, y), group) in enumerate(zip(coordinates.tolist(), classes.tolist(), strict=True)):
        if row in links:
            anchor, name = links[row]
            mark = class_mark(x, y, group, 5.2, f"p-{anchor}")
            linked.append(element("a", element("title", name), mark, href=f"#{anchor}", tabindex=-1, aria_label=name))
        else:
            parts.append(class_mark(x, y, group, 2.6))
    rings = [_ring(side, (side - 28) / (high[0] - low[0]), circle) for circle in circles]
    edge = element("rect", x=1, y=1, width=side - 2, height=side - 2, fill="none", stroke="currentColor",
                   stroke_opacity=0.2, rx=6)  # fmt: skip
    content = join(edge, *edged(parts, 0.6), *rings, *edged(linked, 1))
    role = "group" if links else "img"  # the content of an img has no links for a screen reader
    coloured = ", coloured by label" if (classes >= 0).any() else ""
    return svg(key, title, f"{len(points):,} items{coloured}", side, content, side, role)


def _ring(side: float, scale: float, radius: float) -> Markup:
    """Draw a circle of a radius in σ around the middle of a map, with its name in a gap of the line."""
    middle, reach = side / 2, radius * scale
    around = element("circle", cx=middle, cy=middle, r=round(reach, 1), fill="none", stroke="currentColor",
                     stroke_width=1.4, stroke_dasharray="5 3")  # fmt: skip
    ground = element("rect", x=middle - 12, y=round(middle - reach - 8, 1), width=24, height=16, rx=3,
                     fill="#fff", class_="ground")  # fmt: skip
    return join(around, ground, words(middle, round(middle - reach + 4, 1), f"{radius:g}σ", "middle"))


def edged(marks: Sequence[Markup], width: float) -> list[Markup]:
    """Give marks an edge in the colour of the text: a pale colour is then visible on white."""
    if not marks:
        return []
    return [element("g", *marks, stroke="currentColor", stroke_opacity=0.55, stroke_width=width, fill_opacity=0.8)]


def class_mark(x: float, y: float, group: int, size: float, name: str | None = None) -> Markup:
    """Draw the mark of a class, centred on a point."""
    colour, shape = look_of(group)
    style: dict[str, Any] = {"fill": colour, "class_": name}
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
    return element("path", d=path, stroke=colour, stroke_opacity=1, stroke_width=size * 0.8, fill="none", class_=name)


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
    return element(
        "svg", *edged([class_mark(7, 7, group, 4.5)], 1), width=14, height=14, viewBox="0 0 14 14", aria_hidden="true"
    )
