"""Quality against bytes as SVG: every code a dot, those that another code dominates in grey."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from retrieval.experiment.byte_budgets.result import ByteBudgets, BytePoint
from retrieval.report.byte_budget_cells import short
from retrieval.report.figures.drawing import (
    LINE_HEIGHT,
    Frame,
    dot,
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
from retrieval.report.spec_wrapping import wrapped

#: Letters of a line of the legend.
LEGEND_LETTERS = 54
_RADIUS = 4.0


def byte_budgets_svg(byte_budgets: ByteBudgets, key: str, title: str, positions: dict[str, int]) -> Markup:
    """Draw quality against bytes per item (logarithmic).

    Parameters
    ----------
    byte_budgets : ByteBudgets
    key : str
        Prefix of the ids.
    title : str
        The answer that the figure shows.
    positions : dict of str to int
        Space -> its position in the comparison, which gives its colour.
    """
    legend = [
        (base, wrapped(short(base), LEGEND_LETTERS))
        for base in sorted({p.base for p in byte_budgets.points}, key=lambda base: positions[base])
    ]
    top = 14 + LINE_HEIGHT * (sum(len(lines) for _, lines in legend) + 1)
    ends = [end for point in byte_budgets.points for end in point.interval]
    ticks = round_ticks(min(ends), max(max(ends), min(ends) + 0.02), 4)
    left = 36 + max(map(text_width, tick_labels(ticks)))
    sizes = sorted({point.bytes_per_item for point in byte_budgets.points})
    low, high = math.log2(max(1, sizes[0])) - 0.3, math.log2(max(1, sizes[-1])) + 0.3
    frame = Frame(left, 428, top, top + 260, low, high)
    upward = Frame(frame.bottom, frame.top, 0, 0, ticks[0], ticks[-1])
    parts = [level(frame, upward.across(value), text) for value, text in zip(ticks, tick_labels(ticks), strict=True)]
    powers = list(range(math.ceil(low), math.floor(high) + 1))
    step = max(1, math.ceil(len(powers) / 7))
    parts += [tick(frame, power, f"{2**power:,}") for power in powers[::step]]
    parts.append(words((frame.left + frame.right) / 2, frame.bottom + 38, "bytes per item (log)", "middle"))
    parts.append(
        words(12, (frame.top + frame.bottom) / 2, f"{byte_budgets.measure}, 95% interval", "middle", upright=True)
    )
    parts += _legend(legend, positions)
    at = {point.spec: _coordinates(point, frame, upward) for point in byte_budgets.points}
    parts += [_grey(*at[point.spec]) for point in byte_budgets.points if point.dominated]
    frontier = byte_budgets.frontier
    steps = [at[point.spec] for point in frontier]
    parts.append(_stairs(steps))
    for point in frontier:
        x, y = at[point.spec]
        bar = [(x, upward.across(point.interval.low)), (x, upward.across(point.interval.high))]
        parts += [polyline(bar, positions[point.base], 1.5), dot(x, y, positions[point.base], _RADIUS)]
    parts += _labels(frontier, at, frame)
    described = "; ".join(
        f"{point.spec}: {byte_budgets.measure} {point.value:.3f} (95% interval {point.interval.low:.3f} to "
        f"{point.interval.high:.3f}) at {point.bytes_per_item:,} bytes"
        for point in frontier
    )
    return svg(key, title, f"Codes that no other dominates. {described}", frame.bottom + 48, join(*parts))


def _coordinates(point: BytePoint, frame: Frame, upward: Frame) -> tuple[float, float]:
    return frame.across(math.log2(max(1, point.bytes_per_item))), upward.across(point.value)


def _legend(legend: Sequence[tuple[str, list[str]]], positions: dict[str, int]) -> list[Markup]:
    parts, y = [], 12.0
    for base, lines in legend:
        parts.append(dot(14, y - 4, positions[base], _RADIUS))
        for text in lines:
            parts.append(words(24, y, text))
            y += LINE_HEIGHT
    return [*parts, _grey(14, y - 4), words(24, y, "another code is as good in no more bytes")]


def _grey(x: float, y: float) -> Markup:
    return element("circle", cx=round(x, 2), cy=round(y, 2), r=2.6, fill="currentColor", fill_opacity=0.3)


def _stairs(corners: Sequence[tuple[float, float]]) -> Markup:
    """Draw the frontier: the best quality for a given number of bytes."""
    parts = []
    for (x, y), (next_x, next_y) in pairwise(corners):
        parts += [line(x, y, next_x, y, 0.35), line(next_x, y, next_x, next_y, 0.35)]
    return join(*parts)


def _labels(frontier: Sequence[BytePoint], at: dict[str, tuple[float, float]], frame: Frame) -> list[Markup]:
    """Name the method of every point below its interval, where there is room beside the name before."""
    parts, taken = [], -math.inf
    for point in frontier:
        x, _ = at[point.spec]
        width = text_width(point.method)
        middle = min(max(x, frame.left + width / 2), frame.right - width / 2)
        if middle - width / 2 > taken + 6:
            parts.append(words(middle, frame.bottom - 6, point.method, "middle"))
            taken = middle + width / 2
    return parts
