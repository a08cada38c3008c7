"""A measure of every query in one space against another, with the diagonal on which both are equal."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from retrieval.report.figures.drawing import (
    LINE_HEIGHT,
    Frame,
    level,
    lines_of_text,
    round_ticks,
    svg,
    tick,
    tick_labels,
    words,
)
from retrieval.report.figures.markup import Markup, element, join
from retrieval.report.spec_wrapping import wrapped

#: Letters in a line of the name of a space beside an axis.
_NAME = 48
_SIDE = 330.0
#: Radius of the dot of one query, and the largest one.
_RADIUS, _LARGEST = 2.2, 13.0


def query_scatter_svg(key: str, labels: tuple[str, str], values: tuple[ArrayLike, ArrayLike], measure: str) -> Markup:
    """Draw a dot for every pair of values; its area grows with the number of queries that have them.

    Parameters
    ----------
    key : str
        Prefix of the ids.
    labels : (str, str)
        The spaces: the first is on the horizontal axis.
    values : (array-like float (n_queries,), array-like float (n_queries,))
    measure : str
    """
    across, upward = (np.round(np.asarray(value, np.float64), 6) for value in values)
    points, counts = np.unique(np.stack([across, upward], axis=1), axis=0, return_counts=True)
    ticks = round_ticks(min(0.0, float(points.min(initial=0))), max(1.0, float(points.max(initial=1))), 5)
    names = [wrapped(f"{measure} in {label}", _NAME) for label in labels]
    top = 12 + LINE_HEIGHT * len(names[1])
    frame = Frame(46, 46 + _SIDE, top, top + _SIDE, ticks[0], ticks[-1])
    up = Frame(frame.bottom, frame.top, 0, 0, ticks[0], ticks[-1])
    dots = [
        element(
            "circle", cx=round(frame.across(x), 2), cy=round(up.across(y), 2),
            r=round(min(_LARGEST, _RADIUS * math.sqrt(count)), 2),
        )
        for (x, y), count in zip(points.tolist(), counts.tolist(), strict=True)
    ]  # fmt: skip
    wins = [int((across > upward).sum()), int((across == upward).sum()), int((across < upward).sum())]
    title = f"{labels[0]} is better on {wins[0]:,} queries, {labels[1]} on {wins[2]:,}; equal on {wins[1]:,}"
    return svg(
        key,
        title,
        f"{measure} of {len(across):,} queries; {labels[0]} across, {labels[1]} upward.",
        frame.bottom + 34 + LINE_HEIGHT * len(names[0]),
        join(
            lines_of_text(8, 4 + LINE_HEIGHT * len(names[1]) / 2, names[1]),
            *(level(frame, up.across(value), text) for value, text in zip(ticks, tick_labels(ticks), strict=True)),
            *(tick(frame, value, text) for value, text in zip(ticks, tick_labels(ticks), strict=True)),
            element(
                "line", x1=frame.left, y1=frame.bottom, x2=frame.right, y2=frame.top, stroke="currentColor",
                stroke_opacity=0.4, stroke_dasharray="4 4",
            ),
            element("g", *dots, fill="#0072B2", fill_opacity=0.55, stroke="currentColor", stroke_opacity=0.3),
            *(
                words((frame.left + frame.right) / 2, frame.bottom + 38 + LINE_HEIGHT * at, text, "middle")
                for at, text in enumerate(names[0])
            ),
        ),
        frame.right + 16,
    )  # fmt: skip
