"""The figures, as hand-written SVG: in the page's light or dark colours, the same bytes for the same data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from retrieval.comparison import Comparison, SpaceResult
from retrieval.report.colours import colour_of, stroke_of
from retrieval.report.markup import Markup, element, join
from retrieval.report.specs import middle_cut
from retrieval.report.verdict import cost_title, curves_title, main_measure

WIDTH = 560
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
_LABEL_LETTERS, _LINE = 23, 17
#: Half width of a 95 % interval in standard errors (normal approximation).
_Z95 = 1.96


class _Frame(NamedTuple):
    """The rectangle of a plot and the values at its edges."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float

    def across(self, value: float) -> float:
        return self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left)


def precision_recall_svg(comparison: Comparison, key: str = "precision-recall") -> Markup:
    """Draw interpolated precision against recall, one line a space, each with its name at its end.

    Parameters
    ----------
    comparison : Comparison
        With 11 precisions a space.
    key : str
        Prefix of the ids; distinct for every figure of a page.

    Returns
    -------
    Markup
        One ``<svg>``; a file of its own when written as it is.
    """
    spaces = comparison.spaces
    height = max(340, len(spaces) * _LINE + 90)
    frame = _Frame(46, 356, 14, height - 48, 0, 1)
    rise = frame.bottom - frame.top
    ends = [_height(frame, space.precision_recall[-1]) for space in spaces]
    places = spread(ends, _LINE, frame.top, frame.bottom)
    told = "; ".join(
        f"{space.spec}: " + ", ".join(f"{value:.2f}" for value in space.precision_recall) for space in spaces
    )
    return _svg(
        key,
        curves_title(comparison),
        f"Precision at recall 0, 0.1, ..., 1, mean over the queries. {told}",
        height,
        join(
            *(_level(frame, frame.bottom - rise * step / 5, f"{step / 5:.1f}") for step in range(6)),
            *(_tick(frame, step / 5, f"{step / 5:.1f}") for step in range(6)),
            _words(
                (frame.left + frame.right) / 2,
                frame.bottom + 38,
                "recall (share of the relevant items found)",
                "middle",
            ),
            _words(14, (frame.top + frame.bottom) / 2, "precision (share relevant)", "middle", upright=True),
            *(_curve(frame, space, place) for place, space in enumerate(spaces)),
            *(
                _end_label(frame, space.spec, place, end, at)
                for place, (space, end, at) in enumerate(zip(spaces, ends, places, strict=True))
            ),
        ),
    )


def quality_cost_svg(comparison: Comparison, key: str = "quality-cost") -> Markup | None:
    """Draw the main measure with its 95 % interval and, beside it, the stored bytes: one row a space.

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
    spans = [_half_interval(space, measure) for space in spaces]
    row = 34
    height = row * len(spaces) + 76
    bottom = height - 52
    ticks = _ticks(values, spans)
    quality = _Frame(186, 362, 14, bottom, ticks[0], ticks[-1])
    size = _size_frame([space.bytes_per_item for space in spaces], bottom)
    parts: list[Markup] = [*_linear_ticks(quality, ticks), *_decades(size)]
    for place, (space, value, span) in enumerate(zip(spaces, values, spans, strict=True)):
        y = 14 + row * (place + 0.5)
        parts.append(_words(174, y + 4, middle_cut(space.spec, _LABEL_LETTERS), "end"))
        if math.isfinite(value):
            parts.append(_bar(quality, value, span, y, place))
        parts.append(_dot(size.across(math.log10(max(space.bytes_per_item, 1))), y, place))
    parts.append(_words((quality.left + quality.right) / 2, bottom + 38, f"{measure}, 95% interval", "middle"))
    parts.append(_words((size.left + size.right) / 2, bottom + 38, "stored bytes per item (log)", "middle"))
    told = "; ".join(
        f"{space.spec}: {measure} {value:.3f} ± {span:.3f}, {space.bytes_per_item:,.0f} bytes per item"
        for space, value, span in zip(spaces, values, spans, strict=True)
    )
    return _svg(key, cost_title(comparison), told, height, join(*parts))


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


def _svg(key: str, title: str, description: str, height: float, content: Markup) -> Markup:
    return element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", description, id=f"{key}-desc"),
        content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        font_family=_FONT,
        font_size=12,
        fill="currentColor",
    )


def _height(frame: _Frame, precision: float) -> float:
    return frame.bottom - float(np.clip(np.nan_to_num(precision), 0, 1)) * (frame.bottom - frame.top)


def _words(x: float, y: float, words: str, anchor: str = "start", upright: bool = False) -> Markup:
    turn = f"rotate(-90 {x:g} {y:g})" if upright else None
    return element("text", words, x=x, y=y, text_anchor=anchor, transform=turn)


def _line(x1: float, y1: float, x2: float, y2: float, opacity: float) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke="currentColor", stroke_opacity=opacity)


def _level(frame: _Frame, y: float, words: str) -> Markup:
    return join(_line(frame.left, y, frame.right, y, 0.15), _words(frame.left - 8, y + 4, words, "end"))


def _tick(frame: _Frame, value: float, words: str) -> Markup:
    x = frame.across(value)
    return join(_line(x, frame.bottom, x, frame.bottom + 4, 0.5), _words(x, frame.bottom + 18, words, "middle"))


def _grid_line(frame: _Frame, value: float, words: str) -> Markup:
    x = frame.across(value)
    return join(_line(x, frame.top, x, frame.bottom, 0.15), _words(x, frame.bottom + 18, words, "middle"))


def _curve(frame: _Frame, space: SpaceResult, place: int) -> Markup:
    points = " ".join(
        f"{frame.across(level / 10):.1f},{_height(frame, value):.1f}"
        for level, value in enumerate(space.precision_recall)
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


def _end_label(frame: _Frame, spec: str, place: int, end: float, at: float) -> Markup:
    x = frame.right
    return join(
        element(
            "polyline",
            points=f"{x + 3:.1f},{end:.1f} {x + 16:.1f},{at:.1f} {x + 22:.1f},{at:.1f}",
            fill="none",
            stroke=colour_of(place),
            stroke_width=1.25,
        ),
        _words(x + 27, at + 4, middle_cut(spec, _LABEL_LETTERS)),
    )


def _dot(x: float, y: float, place: int) -> Markup:
    return element("circle", cx=x, cy=y, r=5, fill=colour_of(place))


def _bar(frame: _Frame, value: float, span: float, y: float, place: int) -> Markup:
    low, high = frame.across(value - span), frame.across(value + span)
    interval = element("line", x1=low, y1=y, x2=high, y2=y, stroke=colour_of(place), stroke_width=2)
    return join(interval, _dot(frame.across(value), y, place))


def _half_interval(space: SpaceResult, measure: str) -> float:
    values = np.asarray(space.per_query.get(measure, ()), dtype=np.float64)
    values = values[np.isfinite(values)]
    return float(_Z95 * values.std(ddof=1) / math.sqrt(values.size)) if values.size > 1 else 0.0


def _ticks(values: Sequence[float], spans: Sequence[float]) -> list[float]:
    """Return round numbers around every interval; not from 0, for a dot's place is read, not its length."""
    known = [(value, span) for value, span in zip(values, spans, strict=True) if math.isfinite(value)]
    low = min((value - span for value, span in known), default=0.0)
    high = max((value + span for value, span in known), default=1.0)
    rough = max(high - low, 1e-3) / 3
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [tick * step for tick in range(first, last + 1)]


def _linear_ticks(frame: _Frame, ticks: Sequence[float]) -> list[Markup]:
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    return [_grid_line(frame, tick, f"{tick:.{decimals}f}") for tick in ticks]


def _size_frame(sizes: Sequence[float], bottom: float) -> _Frame:
    known = [math.log10(max(size, 1)) for size in sizes if math.isfinite(size)] or [0.0]
    low, high = math.floor(min(known)), math.ceil(max(known))
    return _Frame(392, 540, 14, bottom, low, high if high > low else low + 1)


def _decades(frame: _Frame) -> list[Markup]:
    first, last = int(frame.low), int(frame.high)
    stride = math.ceil((last - first + 1) / 5)
    return [_grid_line(frame, power, _short(power)) for power in range(first, last + 1, stride)]


def _short(power: int) -> str:
    """Write ten to a power as a number that fits under a tick.

    Examples
    --------
    >>> _short(2), _short(4)
    ('100', '10k')
    """
    return f"{10 ** (power % 3)}{('', 'k', 'M', 'G', 'T')[power // 3]}"
