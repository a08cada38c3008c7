"""The losses of a training by epoch, with the epoch whose weights were kept."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.report.figures.drawing import (
    LINE_HEIGHT,
    Frame,
    dot,
    level,
    polyline,
    round_ticks,
    spread,
    svg,
    tick,
    tick_labels,
    words,
)
from retrieval.report.figures.markup import Markup, element, join
from retrieval.spaces.training_history import Phase

_WIDTH, _HEIGHT = 380.0, 198.0
#: Letters in a line of the name of the vertical axis, which stands above it.
_AXIS_LETTERS = 50
#: A logarithmic scale where the largest loss is more than this multiple of the smallest.
LOGARITHMIC = 4.0


def loss_svg(phase: Phase, spec: str, position: int, key: str) -> Markup:
    """Draw the losses of one phase of a training.

    Parameters
    ----------
    phase : Phase
        With at least one epoch.
    spec : str
        The space.
    position : int
        Its position in the comparison, which gives its colour.
    key : str
        Prefix of the ids.
    """
    losses = [np.asarray(values, float) for values in _curves(phase).values()]
    low, high = min(map(np.min, losses)), max(map(np.max, losses))
    logarithmic = bool(low > 0 and high / low > LOGARITHMIC)
    count = len(losses[0])
    axis = textwrap.wrap(axis_name(phase, logarithmic), _AXIS_LETTERS)
    height = _HEIGHT + 28 + LINE_HEIGHT * len(axis)
    frame = Frame(58, _WIDTH - 132, height - _HEIGHT, height - 42, 1, max(count, 2))
    ticks = decade_ticks(low, high) if logarithmic else round_ticks(low, high if high > low else low + 1, 3)
    heights = [_heights(frame, ticks, values, logarithmic) for values in losses]
    labels = [f"{value:g}" for value in ticks] if logarithmic else tick_labels(ticks)
    at = _heights(frame, ticks, np.asarray(ticks), logarithmic)
    parts = [level(frame, y, text) for y, text in zip(at.tolist(), labels, strict=True)]
    parts += [tick(frame, epoch, f"{epoch:,}") for epoch in epoch_ticks(count)]
    parts.append(words((frame.left + frame.right) / 2, frame.bottom + 36, "epoch", "middle"))
    parts += [words(4, 12 + LINE_HEIGHT * number, text) for number, text in enumerate(axis)]
    parts += [_line(frame, curve, position, faint=True) for curve in heights[:-1]]
    parts.append(_line(frame, heights[-1], position, faint=False))
    parts.append(_best(frame, phase, float(heights[-1][phase.best_epoch]), position))
    parts += _names(frame, phase, [float(curve[-1]) for curve in heights])
    trained = phase.train_loss
    ends = f"training {phase.train_measure} from {trained[0]:.4g} to {trained[-1]:.4g}"
    title = f"{spec}, {phase.name}: {phase.validation_measure} by epoch"
    return svg(key, title, f"{best_epoch(phase)}; {ends}", height, join(*parts), _WIDTH)


def best_epoch(phase: Phase) -> str:
    """Return the answer of the figure: the lowest validation loss, and its epoch.

    Examples
    --------
    >>> best_epoch(Phase("vae", [2.0, 1.0], [2.5, 1.5], 0.1, 1))
    'Lowest validation loss 1.5 in epoch 2'
    """
    lowest = phase.validation_loss[phase.best_epoch]
    return f"Lowest validation {phase.validation_measure} {lowest:.4g} in epoch {phase.best_epoch + 1:,}"


def axis_name(phase: Phase, logarithmic: bool) -> str:
    """Return the name of the vertical axis with its unit, and with the scale where that is logarithmic.

    Examples
    --------
    >>> axis_name(Phase("vae", [2.0], [2.0], 0.1, 0, loss_unit="nats per item, minus the ELBO"), True)
    'loss in nats per item, minus the ELBO (log)'
    >>> axis_name(Phase("layer 1", [2.0], [2.0], 0.1, 0, "loss", "squared error per item"), False)
    'squared error per item'
    """
    name = phase.validation_measure
    if name == "loss" and phase.loss_unit:
        name = f"loss in {phase.loss_unit}" if phase.loss_unit.startswith("nats") else f"loss: {phase.loss_unit}"
    return f"{name} (log)" if logarithmic else name


def _curves(phase: Phase) -> dict[str, list[float]]:
    """Return the curves that share an axis: where the two measure different things, the validation only."""
    training = {"training": phase.train_loss} if phase.comparable else {}
    return {**training, "validation": phase.validation_loss}


def decade_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten that contain an interval, or only powers where those are many.

    Examples
    --------
    >>> decade_ticks(1.2, 9), decade_ticks(0.02, 300)
    ([1.0, 2.0, 5.0, 10.0], [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0])
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [float(f"{factor}e{power}") for power in powers for factor in (1, 2, 5)]
    first = max(rank for rank, value in enumerate(every) if value <= low)
    last = min(rank for rank, value in enumerate(every) if value >= high)
    if last - first < 6:
        return every[first : last + 1]
    stride = math.ceil((len(powers) - 1) / 6)
    return [float(f"1e{power}") for power in [*powers[:-1:stride], powers[-1]]]


def epoch_ticks(count: int) -> list[int]:
    """Return the first epoch and round numbers after it.

    Examples
    --------
    >>> epoch_ticks(1), epoch_ticks(40)
    ([1], [1, 20, 40])
    """
    return [1, *(int(value) for value in round_ticks(0, count, 3) if 1 < value <= count and value == int(value))]


def _heights(
    frame: Frame, ticks: Sequence[float], values: NDArray[np.float64], logarithmic: bool
) -> NDArray[np.float64]:
    low, high = (math.log(ticks[0]), math.log(ticks[-1])) if logarithmic else (ticks[0], ticks[-1])
    scaled = np.log(values) if logarithmic else values
    return frame.bottom - (scaled - low) / (high - low) * (frame.bottom - frame.top)


def _line(frame: Frame, heights: NDArray[np.float64], position: int, faint: bool) -> Markup:
    if len(heights) == 1:
        return dot(frame.across(1), float(heights[0]), position, 2.5)
    points = [(frame.across(epoch), y) for epoch, y in enumerate(heights.tolist(), 1)]
    return polyline(points, position, 1.5, "5 3") if faint else polyline(points, position)


def _best(frame: Frame, phase: Phase, height: float, position: int) -> Markup:
    x = frame.across(phase.best_epoch + 1)
    ruler = element("line", x1=x, x2=x, y1=frame.top, y2=frame.bottom, stroke="currentColor", stroke_opacity=0.4,
                    stroke_dasharray="2 3")  # fmt: skip
    text = f"best epoch: {phase.best_epoch + 1:,}"
    name = words(min(max(x, frame.left + 48), frame.right + 20), frame.top - 8, text, "middle")
    return join(ruler, name, dot(x, height, position, 4.5))


def _names(frame: Frame, phase: Phase, ends: list[float]) -> list[Markup]:
    names = [f"{name} {values[-1]:.3g}" for name, values in _curves(phase).items()]
    heights = spread(ends, 16, frame.top, frame.bottom)
    return [words(frame.right + 9, at + 4, name) for name, at in zip(names, heights, strict=True)]
