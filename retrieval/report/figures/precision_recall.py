"""Figures of a comparison: precision against recall, and quality beside size."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.significance import Interval, bootstrap_interval
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.colours import stroke_of
from retrieval.report.figure_titles import cost_title, curves_title, stored_bytes
from retrieval.report.figures.drawing import (
    LINE_HEIGHT,
    Frame,
    dot,
    level,
    line,
    lines_of_text,
    polyline,
    round_ticks,
    spread,
    svg,
    tick,
    tick_labels,
    words,
)
from retrieval.report.figures.markup import Markup, join
from retrieval.report.leaders import main_measure
from retrieval.report.spec_wrapping import wrapped

#: Letters in a line of the label beside a curve, and in a line of the name above a row.
LABEL_LETTERS, NAME_LETTERS = 21, 58
#: Letters in a line under the axis of the sizes.
_AXIS_LETTERS = 28
#: Size of the dot of a space.
_RADIUS = 5
#: The smallest range of an axis of precision or of a measure: smaller differences are not worth a figure.
MIN_RANGE = 0.05
#: Samples of the bootstrap: enough for a bar that is read by eye.
ROUNDS = 1000


def precision_recall_svg(comparison: Comparison, key: str = "precision-recall") -> Markup | None:
    """Draw interpolated precision against recall, one line per space, with its name at its end.

    Parameters
    ----------
    comparison : Comparison
        With 11 precisions for each space that has a curve.
    key : str
        Prefix of the ids; different for every figure of a page.

    Returns
    -------
    Markup or None
        One ``<svg>``. None if no space has a curve.
    """
    curves = [
        (position, space, np.nan_to_num(space.precision_recall))
        for position, space in enumerate(comparison.spaces)
        if space.precision_recall is not None
    ]
    if not curves:
        return None
    labels = [wrapped(space.label, LABEL_LETTERS) for _, space, _ in curves]
    gap = LINE_HEIGHT * max(map(len, labels)) + 3
    height = max(320.0, len(curves) * gap + 80)
    frame = Frame(46, 254, 14 + gap / 2, height - 48, 0, 1)
    every = np.concatenate([curve for _, _, curve in curves])
    top = min(1.0, float(every.max()))
    ticks = round_ticks(min(float(every.min()), top - MIN_RANGE), top, 5)
    upward = Frame(frame.bottom, frame.top, 0, 0, ticks[0], ticks[-1])
    ends = [upward.across(curve[-1]) for _, _, curve in curves]
    heights = spread(ends, gap, frame.top, frame.bottom)
    values = "; ".join(f"{space.label}: " + ", ".join(f"{value:.2f}" for value in curve) for _, space, curve in curves)
    return svg(
        key,
        curves_title(comparison),
        f"Precision at recall 0, 0.1, ..., 1, mean over the queries. {values}",
        height,
        join(
            *(level(frame, upward.across(value), text) for value, text in zip(ticks, tick_labels(ticks), strict=True)),
            *(tick(frame, step / 5, f"{step / 5:.1f}") for step in range(6)),
            words((frame.left + frame.right) / 2, frame.bottom + 38, "recall (share of relevant found)", "middle"),
            words(12, (frame.top + frame.bottom) / 2, "precision (share relevant)", "middle", upright=True),
            *(_curve(frame, upward, curve, position) for position, _, curve in curves),
            *(
                _end_label(frame.right, label, position, end, at)
                for (position, _, _), label, end, at in zip(curves, labels, ends, heights, strict=True)
            ),
        ),
    )


def quality_cost_svg(comparison: Comparison, key: str = "quality-cost") -> Markup | None:
    """Draw the main measure with its 95% bootstrap interval and, beside it, the bytes on disk: one row per space.

    Returns
    -------
    Markup or None
        None if nothing was measured.
    """
    measure = main_measure(comparison)
    if measure is None:
        return None
    spaces = comparison.spaces
    values = [space.measures.get(measure, math.nan) for space in spaces]
    intervals = [_interval(space, measure) for space in spaces]
    names = [wrapped(space.label, NAME_LETTERS) for space in spaces]
    rows = [LINE_HEIGHT * len(name) + 28 for name in names]
    bottom = 6 + sum(rows)
    ticks = _ticks(values, intervals)
    quality = Frame(16, 196, 6, bottom, ticks[0], ticks[-1])
    size = _size_frame([space.stored_bytes_per_item for space in spaces], bottom)
    axes = [(quality, ticks, tick_labels(ticks)), (size, *_decades(size))]
    parts: list[Markup] = [
        tick(frame, value, text) for frame, at, texts in axes for value, text in zip(at, texts, strict=True)
    ]
    top = quality.top
    for position, (space, value, interval, name) in enumerate(zip(spaces, values, intervals, names, strict=True)):
        parts.append(lines_of_text(10, top + 7 + LINE_HEIGHT * len(name) / 2, name))
        y = top + LINE_HEIGHT * len(name) + 16
        parts += [_grid(frame, value, y) for frame, at, _ in axes for value in at]
        if math.isfinite(value):
            parts.append(_bar(quality, value, interval, y, position))
        parts.append(dot(size.across(math.log10(max(space.stored_bytes_per_item, 1))), y, position, _RADIUS))
        top += rows[position]
    parts.append(words((quality.left + quality.right) / 2, bottom + 38, f"{measure}, 95% interval", "middle"))
    axis = textwrap.wrap(f"{stored_bytes(spaces)} per item (log)", _AXIS_LETTERS)
    middle = (size.left + size.right) / 2
    parts += [words(middle, bottom + 38 + LINE_HEIGHT * number, text, "middle") for number, text in enumerate(axis)]
    described = "; ".join(
        f"{space.label}: {measure} {value:.3f}{_between(interval)}, {space.stored_bytes_per_item:,.0f} bytes per item"
        for space, value, interval in zip(spaces, values, intervals, strict=True)
    )
    height = bottom + 48 + LINE_HEIGHT * (len(axis) - 1)
    return svg(key, cost_title(comparison), described, height, join(*parts))


def _curve(frame: Frame, upward: Frame, curve: NDArray[np.float64], position: int) -> Markup:
    points = [(frame.across(level / 10), upward.across(value)) for level, value in enumerate(curve.tolist())]
    return polyline(points, position, dashes=stroke_of(position))


def _end_label(x: float, label: Sequence[str], position: int, end: float, at: float) -> Markup:
    return join(
        polyline([(x + 3, end), (x + 14, at), (x + 20, at)], position, 1.25),
        lines_of_text(x + 24, at, label),
    )


def _bar(frame: Frame, value: float, interval: Interval | None, y: float, position: int) -> Markup:
    mean = dot(frame.across(value), y, position, _RADIUS)
    if interval is None:
        return mean
    return join(polyline([(frame.across(interval.low), y), (frame.across(interval.high), y)], position, 2), mean)


def _interval(space: SpaceResult, measure: str) -> Interval | None:
    """Return the 95% bootstrap interval of the mean over the queries; None if it has no width."""
    values = np.asarray(space.per_query.get(measure, ()), dtype=np.float64)
    values = values[np.isfinite(values)]
    return bootstrap_interval(values, rounds=ROUNDS) if values.size > 1 else None


def _between(interval: Interval | None) -> str:
    return "" if interval is None else f" (95% interval {interval.low:.3f} to {interval.high:.3f})"


def _ticks(values: Sequence[float], intervals: Sequence[Interval | None]) -> list[float]:
    """Return round numbers around every interval; not from 0, because a dot is read by its position."""
    known = [value for value in values if math.isfinite(value)]
    ends = [end for interval in intervals if interval is not None for end in interval]
    low, high = min([*known, *ends], default=0.0), max([*known, *ends], default=1.0)
    return round_ticks(min(low, high - MIN_RANGE), high)


def _size_frame(sizes: Sequence[float], bottom: float) -> Frame:
    known = [math.log10(max(size, 1)) for size in sizes if math.isfinite(size)] or [0.0]
    low, high = math.floor(min(known)), math.ceil(max(known))
    return Frame(250, 424, 6, bottom, low, high if high > low else low + 1)


def _grid(frame: Frame, value: float, y: float) -> Markup:
    """Draw a grid line beside one row of dots only, so that it does not cross the name above."""
    return line(frame.across(value), y - 10, frame.across(value), y + 10, 0.15)


def _decades(frame: Frame) -> tuple[list[float], list[str]]:
    """Return powers of ten, at most five, and their labels."""
    first, last = int(frame.low), int(frame.high)
    powers = range(first, last + 1, math.ceil((last - first + 1) / 5))
    return [float(power) for power in powers], [_short(power) for power in powers]


def _short(power: int) -> str:
    """Write a power of ten as a number that fits under a tick.

    Examples
    --------
    >>> _short(2), _short(4)
    ('100', '10k')
    """
    return f"{10 ** (power % 3)}{('', 'k', 'M', 'G', 'T')[power // 3]}"
