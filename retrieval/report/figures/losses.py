"""Losses as stacked bars: one bar per row, one part per step; gains stand to the left of zero."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.report.figures.drawing import (
    LINE_HEIGHT,
    Frame,
    line,
    lines_of_text,
    round_ticks,
    svg,
    text_width,
    tick,
    tick_labels,
    words,
)
from retrieval.report.figures.markup import Markup, element, join
from retrieval.report.losses import DECIMALS, RowLoss
from retrieval.report.spec_wrapping import wrapped

#: Step -> its colour; the colours of the spaces are not used for steps, as a bar belongs to one space.
STEP_COLOURS = {
    "space": "#8A8F98",
    "quantisation": "#E69F00",
    "approximation": "#0072B2",
    "filter": "#009E73",
    "fusion": "#CC79A7",
}
_BAR, _LETTERS = 16.0, 52


def losses_svg(rows: Sequence[RowLoss], title: str, key: str = "losses") -> Markup:
    """Draw the loss of every row as one bar of its steps, with its total at the end.

    Parameters
    ----------
    rows : sequence of RowLoss
    title : str
        The answer that the figure shows.
    key : str
        Prefix of the ids.
    """
    names = [wrapped(row.space.label, _LETTERS) for row in rows]
    heights = [LINE_HEIGHT * len(name) + _BAR + 12 for name in names]
    bottom = 6 + sum(heights)
    lowest = min(0.0, *(sum(min(loss, 0.0) for loss in row.steps.values()) for row in rows))
    highest = max(0.01, *(sum(max(loss, 0.0) for loss in row.steps.values()) for row in rows))
    ticks = round_ticks(lowest, highest, 4)
    frame = Frame(28, 424 - text_width("-0.000"), 6, bottom, ticks[0], ticks[-1])
    labels = tick_labels(ticks)
    parts = [tick(frame, value, text) for value, text in zip(ticks, labels, strict=True)]
    top = frame.top
    for row, name, height in zip(rows, names, heights, strict=True):
        y = top + LINE_HEIGHT * len(name) + 3
        parts.append(lines_of_text(10, top + LINE_HEIGHT * len(name) / 2, name))
        # grid lines stand beside the bar only, so that they do not cross the name above
        parts += [line(frame.across(value), y - 2, frame.across(value), y + _BAR + 2, 0.15) for value in ticks]
        parts.append(_stacked(frame, row, y))
        top += height
    middle = (frame.left + frame.right) / 2
    parts.append(words(middle, bottom + 38, "loss against a perfect ranking", "middle"))
    described = "; ".join(
        f"{row.space.label}: total {row.total:.{DECIMALS}f}, "
        + ", ".join(f"{step} {loss:.{DECIMALS}f}" for step, loss in row.steps.items())
        for row in rows
    )
    return svg(key, title, described, bottom + 46, join(*parts))


def _stacked(frame: Frame, row: RowLoss, y: float) -> Markup:
    """Draw the parts of a bar: losses to the right of zero, gains to the left."""
    parts: list[Markup] = []
    ends = {1: 0.0, -1: 0.0}
    for step, loss in row.steps.items():
        if not loss:
            continue
        side = 1 if loss > 0 else -1
        start, ends[side] = ends[side], ends[side] + loss
        left, right = sorted((frame.across(start), frame.across(ends[side])))
        parts.append(
            element("rect", element("title", f"{step}: {loss:.{DECIMALS}f}"), x=round(left, 2), y=y,
                    width=round(right - left, 2), height=_BAR, fill=STEP_COLOURS[step])
        )  # fmt: skip
    zero = frame.across(0)
    parts.append(element("line", x1=zero, x2=zero, y1=y - 2, y2=y + _BAR + 2, stroke="currentColor"))
    parts.append(words(frame.across(ends[1]) + 6, y + _BAR - 4, f"{row.total:.{DECIMALS}f}"))
    return join(*parts)
