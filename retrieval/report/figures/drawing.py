"""Marks of a figure as SVG: frame, ticks, words, lines; in the page's own light or dark colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from retrieval.report.html.markup import Markup, element, join

WIDTH = 560
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


class Frame(NamedTuple):
    """The rectangle of a plot and the values at its left and right edge."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float

    def across(self, value: float) -> float:
        """Return the place of a value between the left and the right edge."""
        return self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left)


def svg(key: str, title: str, description: str, height: float, content: Markup, width: float = WIDTH) -> Markup:
    """Return one figure; a file of its own when written as it is."""
    return element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", description, id=f"{key}-desc"),
        content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        font_family=_FONT,
        font_size=12,
        fill="currentColor",
    )


def words(x: float, y: float, told: str, anchor: str = "start", upright: bool = False) -> Markup:
    """Write words; `upright` from below to above."""
    turn = f"rotate(-90 {x:g} {y:g})" if upright else None
    return element("text", told, x=x, y=y, text_anchor=anchor, transform=turn)


def line(x1: float, y1: float, x2: float, y2: float, opacity: float) -> Markup:
    """Draw a straight line in the colour of the text."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke="currentColor", stroke_opacity=opacity)


def level(frame: Frame, y: float, told: str) -> Markup:
    """Draw a horizontal line through the frame, its value beside it."""
    return join(line(frame.left, y, frame.right, y, 0.15), words(frame.left - 8, y + 4, told, "end"))


def tick(frame: Frame, value: float, told: str) -> Markup:
    """Draw a short mark below the frame, its value under it."""
    x = frame.across(value)
    return join(line(x, frame.bottom, x, frame.bottom + 4, 0.5), words(x, frame.bottom + 18, told, "middle"))


def grid_line(frame: Frame, value: float, told: str) -> Markup:
    """Draw a vertical line through the frame, its value under it."""
    x = frame.across(value)
    return join(line(x, frame.top, x, frame.bottom, 0.15), words(x, frame.bottom + 18, told, "middle"))


def linear_ticks(frame: Frame, ticks: Sequence[float]) -> list[Markup]:
    """Draw vertical lines at round numbers, as `round_ticks` finds them."""
    return [grid_line(frame, value, told) for value, told in zip(ticks, ticks_told(ticks), strict=True)]


def ticks_told(ticks: Sequence[float]) -> list[str]:
    """Return evenly spaced numbers with as many decimals as tell them apart.

    Examples
    --------
    >>> ticks_told([0.0, 0.5, 1.0]), ticks_told([0, 2000])
    (['0.0', '0.5', '1.0'], ['0', '2,000'])
    """
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    return [f"{value:,.{decimals}f}" for value in ticks]


def round_ticks(low: float, high: float, about: int = 3) -> list[float]:
    """Return round numbers, evenly spaced, that take in an interval.

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
    """Move label heights as little as keeps them `gap` apart and between `top` and `bottom`.

    Examples
    --------
    >>> spread([50, 51, 90], 10, 0, 100)
    [45.5, 55.5, 90.0]
    """
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    blocks: list[tuple[float, list[int]]] = []  # (height of the first label, its places): labels that touch move as one
    for place in order:
        start, members = min(max(wanted[place], top), bottom), [place]
        while blocks and blocks[-1][0] + gap * len(blocks[-1][1]) > start:
            _, earlier = blocks.pop()
            members = earlier + members
            middle = float(np.mean([wanted[member] - gap * rank for rank, member in enumerate(members)]))
            start = min(max(middle, top), max(top, bottom - gap * (len(members) - 1)))
        blocks.append((start, members))
    found = {member: start + gap * rank for start, members in blocks for rank, member in enumerate(members)}
    return [float(found[place]) for place in range(len(wanted))]
