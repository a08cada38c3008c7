"""The figures, as hand-written SVG: in the page's light or dark colours, the same bytes for the same data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.significance import Interval
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.colours import colour_of, stroke_of
from retrieval.report.figures.drawing import (
    Frame,
    grid_line,
    level,
    linear_ticks,
    round_ticks,
    spread,
    svg,
    tick,
    words,
)
from retrieval.report.html.markup import Markup, element, join
from retrieval.report.specs import middle_cut
from retrieval.report.verdict import cost_title, curves_title, main_measure, stored_bytes

_LABEL_LETTERS = 23
#: Height of a label of one line, and of two: spec and index.
_LINE, _TWO_LINES = 17, 33


def precision_recall_svg(comparison: Comparison, key: str = "precision-recall") -> Markup | None:
    """Draw interpolated precision against recall, one line a space, each with its name at its end.

    Parameters
    ----------
    comparison : Comparison
        With 11 precisions of each space that has a curve.
    key : str
        Prefix of the ids; distinct for every figure of a page.

    Returns
    -------
    Markup or None
        One ``<svg>``; a file of its own when written as it is. None where no space has a curve.
    """
    curves = [
        (place, space, space.precision_recall)
        for place, space in enumerate(comparison.spaces)
        if space.precision_recall is not None
    ]
    if not curves:
        return None
    gap = _TWO_LINES if any(space.several_indexes for space in comparison.spaces) else _LINE
    height = max(340, len(curves) * gap + 90)
    frame = Frame(46, 356, 14, height - 48, 0, 1)
    rise = frame.bottom - frame.top
    ends = [_height(frame, curve[-1]) for _, _, curve in curves]
    heights = spread(ends, gap, frame.top, frame.bottom)
    told = "; ".join(f"{space.label}: " + ", ".join(f"{value:.2f}" for value in curve) for _, space, curve in curves)
    return svg(
        key,
        curves_title(comparison),
        f"Precision at recall 0, 0.1, ..., 1, mean over the queries. {told}",
        height,
        join(
            *(level(frame, frame.bottom - rise * step / 5, f"{step / 5:.1f}") for step in range(6)),
            *(tick(frame, step / 5, f"{step / 5:.1f}") for step in range(6)),
            words(
                (frame.left + frame.right) / 2,
                frame.bottom + 38,
                "recall (share of the relevant items found)",
                "middle",
            ),
            words(14, (frame.top + frame.bottom) / 2, "precision (share relevant)", "middle", upright=True),
            *(_curve(frame, curve, place) for place, _, curve in curves),
            *(
                _end_label(frame, space, place, end, at)
                for (place, space, _), end, at in zip(curves, ends, heights, strict=True)
            ),
        ),
    )


def quality_cost_svg(comparison: Comparison, key: str = "quality-cost") -> Markup | None:
    """Draw the main measure with its 95 % interval and, beside it, the bytes on disk: one row a space.

    Returns
    -------
    Markup or None
        None where nothing was measured.
    """
    measure = main_measure(comparison)
    if measure is None:
        return None
    spaces = comparison.spaces
    values = [space.measures.get(measure, math.nan) for space in spaces]
    spans = [_interval(space, measure) for space in spaces]
    row = 34
    height = row * len(spaces) + 76
    bottom = height - 52
    ticks = _ticks(values, spans)
    quality = Frame(186, 362, 14, bottom, ticks[0], ticks[-1])
    size = _size_frame([space.stored_bytes_per_item for space in spaces], bottom)
    parts: list[Markup] = [*linear_ticks(quality, ticks), *_decades(size)]
    for place, (space, value, span) in enumerate(zip(spaces, values, spans, strict=True)):
        y = 14 + row * (place + 0.5)
        parts.append(_name(174, y, space, "end"))
        if math.isfinite(value):
            parts.append(_bar(quality, value, span, y, place))
        parts.append(_dot(size.across(math.log10(max(space.stored_bytes_per_item, 1))), y, place))
    parts.append(words((quality.left + quality.right) / 2, bottom + 38, f"{measure}, 95% interval", "middle"))
    parts.append(words((size.left + size.right) / 2, bottom + 38, f"{stored_bytes(spaces)} per item (log)", "middle"))
    told = "; ".join(
        f"{space.label}: {measure} {value:.3f} ({span.low:.3f} to {span.high:.3f}), "
        f"{space.stored_bytes_per_item:,.0f} bytes per item"
        for space, value, span in zip(spaces, values, spans, strict=True)
    )
    return svg(key, cost_title(comparison), told, height, join(*parts))


def _height(frame: Frame, precision: float) -> float:
    return frame.bottom - float(np.clip(np.nan_to_num(precision), 0, 1)) * (frame.bottom - frame.top)


def _curve(frame: Frame, curve: NDArray[np.float64], place: int) -> Markup:
    points = " ".join(
        f"{frame.across(level / 10):.1f},{_height(frame, value):.1f}" for level, value in enumerate(curve)
    )
    return element(
        "polyline",
        points=points,
        fill="none",
        stroke=colour_of(place),
        stroke_width=2.25,
        stroke_linejoin="round",
        stroke_linecap="round",
        stroke_dasharray=stroke_of(place),
    )


def _end_label(frame: Frame, space: SpaceResult, place: int, end: float, at: float) -> Markup:
    x = frame.right
    return join(
        element(
            "polyline",
            points=f"{x + 3:.1f},{end:.1f} {x + 16:.1f},{at:.1f} {x + 22:.1f},{at:.1f}",
            fill="none",
            stroke=colour_of(place),
            stroke_width=1.25,
        ),
        _name(x + 27, at, space),
    )


def _name(x: float, y: float, space: SpaceResult, anchor: str = "start") -> Markup:
    """Write what a row is called around a height: its index, where it is a part of that, under its spec."""
    spec = middle_cut(space.spec, _LABEL_LETTERS)
    if not space.several_indexes:
        return words(x, y + 4, spec, anchor)
    index = middle_cut(f"@ {space.index}", _LABEL_LETTERS)
    return join(words(x, y - 3, spec, anchor), words(x, y + 11, index, anchor))


def _dot(x: float, y: float, place: int) -> Markup:
    return element("circle", cx=x, cy=y, r=5, fill=colour_of(place))


def _bar(frame: Frame, value: float, span: Interval, y: float, place: int) -> Markup:
    low, high = frame.across(span.low), frame.across(span.high)
    interval = element("line", x1=low, y1=y, x2=high, y2=y, stroke=colour_of(place), stroke_width=2)
    return join(interval, _dot(frame.across(value), y, place))


def _interval(space: SpaceResult, measure: str) -> Interval:
    value = space.measures.get(measure, math.nan)
    return space.interval(measure) if math.isfinite(value) else Interval(value, value)


def _ticks(values: Sequence[float], spans: Sequence[Interval]) -> list[float]:
    """Return round numbers around every interval; not from 0, for a dot's place is read, not its length."""
    known = [(value, *span) for value, span in zip(values, spans, strict=True) if math.isfinite(value)]
    low = min(map(min, known), default=0.0)
    high = max(map(max, known), default=1.0)
    return round_ticks(low, high)


def _size_frame(sizes: Sequence[float], bottom: float) -> Frame:
    known = [math.log10(max(size, 1)) for size in sizes if math.isfinite(size)] or [0.0]
    low, high = math.floor(min(known)), math.ceil(max(known))
    return Frame(392, 540, 14, bottom, low, high if high > low else low + 1)


def _decades(frame: Frame) -> list[Markup]:
    first, last = int(frame.low), int(frame.high)
    stride = math.ceil((last - first + 1) / 5)
    return [grid_line(frame, power, _short(power)) for power in range(first, last + 1, stride)]


def _short(power: int) -> str:
    """Write ten to a power as a number that fits under a tick.

    Examples
    --------
    >>> _short(2), _short(4)
    ('100', '10k')
    """
    return f"{10 ** (power % 3)}{('', 'k', 'M', 'G', 'T')[power // 3]}"
