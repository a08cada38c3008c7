"""Figures of the health of spaces: how often items are neighbours, and what remedies change."""

from __future__ import annotations

import math

import numpy as np

from retrieval.evaluation.health.hubness import NEIGHBOURS
from retrieval.evaluation.health.trials import Gain, Trial
from retrieval.experiment.health.result import Health, SpaceHealth
from retrieval.report.figures.drawing import (
    LINE_HEIGHT,
    Frame,
    dot,
    line,
    lines_of_text,
    polyline,
    round_ticks,
    svg,
    tick,
    words,
)
from retrieval.report.figures.markup import Markup, join
from retrieval.report.figures.plots import Series, lines_svg
from retrieval.report.health_text import interval_text
from retrieval.report.signed import signed
from retrieval.report.spec_wrapping import wrapped

#: Numbers of lists at which the share of items is drawn.
LISTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
#: Letters in a line of the name above a row.
_NAME_LETTERS = 58
#: The smallest range of an axis of differences.
_MIN_RANGE = 0.02


def occurrence_svg(health: Health, key: str) -> tuple[str, Markup] | None:
    """Draw the share of items that are in at least so many lists of the ten nearest; return title and figure.

    Returns
    -------
    tuple or None
        None when no space has lists.
    """
    spaces = [space for space in health.spaces if space.occurrence.size]
    if not spaces:
        return None
    largest = max(float(space.occurrence.max()) for space in spaces)
    grid = [count for count in LISTS if count <= max(largest, 2)]
    series = [Series(space.spec, [float((space.occurrence >= count).mean()) for count in grid]) for space in spaces]
    hub = max(spaces, key=lambda space: float(space.occurrence.max()))
    title = (
        f"The largest hub is in {hub.occurrence.max():,.0f} of {hub.occurrence.size:,} lists of {NEIGHBOURS} "
        f"({hub.spec}); without hubs, every item is in about {NEIGHBOURS}"
    )
    axis = f"lists of the {NEIGHBOURS} nearest that hold an item, at least"
    return title, lines_svg(key, title, grid, series, axis, "share of items", mark=NEIGHBOURS, logarithmic=True)


def remedies_svg(space: SpaceHealth, measure: str, key: str) -> tuple[str, Markup] | None:
    """Draw what each remedy changes in the measure, with its interval; return title and figure.

    Returns
    -------
    tuple or None
        None when no remedy was measured.
    """
    tried = [(trial, trial.gain) for trial in space.trials if trial.gain is not None]
    if not tried:
        return None
    ticks = _ticks([gain for _, gain in tried])
    row = LINE_HEIGHT + 22
    frame = Frame(34, 406, 6, 6 + row * len(tried), ticks[0], ticks[-1])
    parts: list[Markup] = [tick(frame, value, signed(value)) for value in ticks]
    parts.append(line(frame.across(0), frame.top, frame.across(0), frame.bottom, 0.6))
    for position, (trial, gain) in enumerate(tried):
        top = frame.top + position * row
        parts += _row(frame, trial, gain, top)
    parts.append(
        words((frame.left + frame.right) / 2, frame.bottom + 38, f"change of {measure}, 95% interval", "middle")
    )
    described = "; ".join(f"{trial.label}: {signed(gain.difference)}, {interval_text(gain)}" for trial, gain in tried)
    gaining = sum(gain.interval.low > 0 for _, gain in tried)
    subject = f"{gaining} of {len(tried)} remedies {'raises' if gaining == 1 else 'raise'}"
    title = f"{subject if gaining else f'No remedy of {len(tried)} raises'} {measure} of {space.spec}"
    return title, svg(key, title, described, frame.bottom + 48, join(*parts))


def _row(frame: Frame, trial: Trial, gain: Gain, top: float) -> list[Markup]:
    y = top + LINE_HEIGHT + 9
    low, high = (max(frame.low, min(frame.high, end)) for end in gain.interval)
    ends = [(frame.across(low), y), (frame.across(high), y)]
    return [
        lines_of_text(10, top + 7, wrapped(trial.label, _NAME_LETTERS)[:1]),
        polyline(ends, 0, 2),
        dot(frame.across(max(frame.low, min(frame.high, gain.difference))), y, 0, 4.5),
    ]


def _ticks(gains: list[Gain]) -> list[float]:
    ends = [end for gain in gains for end in (*gain.interval, gain.difference) if math.isfinite(end)]
    low, high = min([*ends, -_MIN_RANGE / 2]), max([*ends, _MIN_RANGE / 2])
    return [float(value) for value in np.round(round_ticks(low, high, 4), 6)]
