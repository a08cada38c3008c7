"""Parts of a figure as SVG: frame, axes, text, lines; drawn in the page's own light or dark colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import bidirectional, east_asian_width

import numpy as np

from retrieval.report.colours import colour_of, is_pale
from retrieval.report.figures.markup import Attribute, Markup, element, join

#: Width of a figure in its own units. A telephone shows it at four fifths of that, so that its text stays readable.
WIDTH = 440.0
#: Height of the letters, and of a line of text.
FONT_SIZE, LINE_HEIGHT = 12, 14.0
#: Mean width of a Latin letter in widths of the font; a wide sans serif (DejaVu Sans, Verdana) comes close to it.
_LETTER = 0.6
#: Around text from right to left that is followed by other text, so that both keep their order.
_ISOLATE = ("\u2068", "\u2069")
#: Opacity of the edge of pale marks: a contrast above 3 on light and on dark paper.
_EDGE = 0.6
#: Opacity of a band around a line: several may overlap.
_BAND = 0.15
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


class Frame(NamedTuple):
    """The rectangle of a plot, and the values at its left and right edge."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float

    def across(self, value: float) -> float:
        """Return the x coordinate of a value."""
        return self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left)


def svg(
    key: str, title: str, description: str, height: float, content: Markup, width: float = WIDTH, role: str = "img"
) -> Markup:
    """Return one figure; written to a file as it is, it is a whole SVG file."""
    return element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", description, id=f"{key}-desc"),
        content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        role=role,
        aria_labelledby=f"{key}-title {key}-desc",
        font_family=_FONT,
        font_size=FONT_SIZE,
        fill="currentColor",
    )


def text_width(text: str) -> float:
    """Return about how wide a text is in a figure: CJK letters are one font size wide, others 0.6.

    Examples
    --------
    >>> text_width("pixels"), text_width("한국")
    (43.2, 24.0)
    """
    letters = [letter for letter in text if letter not in _ISOLATE]
    return round(sum(1.0 if east_asian_width(letter) in "WF" else _LETTER for letter in letters) * FONT_SIZE, 1)


def fitted(text: str, width: float) -> str:
    """Return a text cut at a word, with an ellipsis, so that it is at most `width` wide.

    Examples
    --------
    >>> fitted("heat transfer in slip flow", 100)
    'heat…'
    >>> fitted("heat", 100)
    'heat'
    """
    if text_width(text) <= width:
        return text
    kept = len(text)
    while kept > 1 and text_width(text[:kept]) + _LETTER * FONT_SIZE > width:
        kept -= 1
    head = text[:kept]
    if not text[kept].isspace() and " " in head.strip():
        head = head.rsplit(maxsplit=1)[0]
    return f"{head.rstrip()}…"


def isolated(text: str) -> str:
    """Keep text in Arabic or Hebrew apart from the text around it; other text stays as it is.

    Examples
    --------
    >>> isolated("heat")
    'heat'
    """
    right_to_left = any(bidirectional(letter) in ("R", "AL") for letter in text)
    return text.join(_ISOLATE) if right_to_left else text


def words(x: float, y: float, text: str, anchor: str = "start", upright: bool = False) -> Markup:
    """Write text on one line; `upright` from bottom to top."""
    turn = f"rotate(-90 {x:g} {y:g})" if upright else None
    return element("text", text, x=x, y=y, text_anchor=None if anchor == "start" else anchor, transform=turn)


def lines_of_text(x: float, middle: float, lines: Sequence[str]) -> Markup:
    """Write lines of text that are centred on a height together."""
    first = middle + 4 - LINE_HEIGHT * (len(lines) - 1) / 2
    return join(*(words(x, round(first + LINE_HEIGHT * number, 1), line) for number, line in enumerate(lines)))


def line(x1: float, y1: float, x2: float, y2: float, opacity: float) -> Markup:
    """Draw a straight line in the colour of the text."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke="currentColor", stroke_opacity=opacity)


def polyline(
    points: Sequence[tuple[float, float]], position: int, width: float = 2.25, dashes: str | None = None
) -> Markup:
    """Draw a line through points in the colour of a space; a pale colour has an edge in the colour of the text."""
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    look: dict[str, Attribute] = {"points": at, "fill": "none", "stroke_linejoin": "round", "stroke_dasharray": dashes}
    drawn = element("polyline", **look, stroke=colour_of(position), stroke_width=width)
    if not is_pale(position):
        return drawn
    edge = element("polyline", **look, stroke="currentColor", stroke_width=width + 1.5, stroke_opacity=_EDGE)
    return join(edge, drawn)


def area(points: Sequence[tuple[float, float]], position: int) -> Markup:
    """Fill the area inside a line through points, faintly, in the colour of a space."""
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return element("polygon", points=at, fill=colour_of(position), fill_opacity=_BAND, stroke="none")


def dot(x: float, y: float, position: int, radius: float) -> Markup:
    """Draw a dot in the colour of a space; a pale colour has an edge in the colour of the text."""
    edge: dict[str, Attribute] = {"stroke": "currentColor", "stroke_opacity": _EDGE} if is_pale(position) else {}
    return element("circle", cx=round(x, 2), cy=round(y, 2), r=radius, fill=colour_of(position), **edge)


def level(frame: Frame, y: float, text: str) -> Markup:
    """Draw a horizontal line through the frame, with its value on the left."""
    return join(line(frame.left, y, frame.right, y, 0.15), words(frame.left - 8, y + 4, text, "end"))


def tick(frame: Frame, value: float, text: str) -> Markup:
    """Draw a short mark below the frame, with its value under it."""
    x = frame.across(value)
    return join(line(x, frame.bottom, x, frame.bottom + 4, 0.5), words(x, frame.bottom + 18, text, "middle"))


def grid_line(frame: Frame, value: float, text: str) -> Markup:
    """Draw a vertical line through the frame, with its value under it."""
    x = frame.across(value)
    return join(line(x, frame.top, x, frame.bottom, 0.15), words(x, frame.bottom + 18, text, "middle"))


def linear_ticks(frame: Frame, ticks: Sequence[float]) -> list[Markup]:
    """Draw vertical lines at round numbers, as `round_ticks` returns them."""
    return [grid_line(frame, value, text) for value, text in zip(ticks, tick_labels(ticks), strict=True)]


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Return evenly spaced numbers with the decimals that tell them apart.

    Examples
    --------
    >>> tick_labels([0.0, 0.5, 1.0]), tick_labels([0, 2000])
    (['0.0', '0.5', '1.0'], ['0', '2,000'])
    """
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    return [f"{value:,.{decimals}f}" for value in ticks]


def round_ticks(low: float, high: float, about: int = 3) -> list[float]:
    """Return evenly spaced round numbers that contain an interval.

    Examples
    --------
    >>> round_ticks(0.03, 0.98)
    [0.0, 0.5, 1.0]
    """
    rough = max(high - low, 1e-3) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [tick * step for tick in range(first, last + 1)]


def spread(wanted: Sequence[float], gap: float, top: float, bottom: float) -> list[float]:
    """Move labels as little as possible so that they are `gap` apart and between `top` and `bottom`.

    Examples
    --------
    >>> spread([50, 51, 90], 10, 0, 100)
    [45.5, 55.5, 90.0]
    """
    order = sorted(range(len(wanted)), key=lambda label: wanted[label])
    blocks: list[tuple[float, list[int]]] = []  # (height of the first label, labels): labels that touch move together
    for label in order:
        start, members = min(max(wanted[label], top), bottom), [label]
        while blocks and blocks[-1][0] + gap * len(blocks[-1][1]) > start:
            _, earlier = blocks.pop()
            members = earlier + members
            middle = float(np.mean([wanted[member] - gap * rank for rank, member in enumerate(members)]))
            start = min(max(middle, top), max(top, bottom - gap * (len(members) - 1)))
        blocks.append((start, members))
    heights = {member: start + gap * rank for start, members in blocks for rank, member in enumerate(members)}
    return [float(heights[label]) for label in range(len(wanted))]
