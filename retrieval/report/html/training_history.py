"""The training of every space: its losses epoch by epoch, and the epoch whose weights were kept."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from encoders.numbers import counted
from retrieval.experiment.result import Comparison
from retrieval.report.colours import colour_of
from retrieval.report.figures.drawing import Frame, level, round_ticks, spread, svg, tick, ticks_told, words
from retrieval.report.html.markup import Markup, element, join
from retrieval.report.specs import breakable
from retrieval.spaces.history import Phase

_WIDTH, _HEIGHT = 380.0, 220.0
#: A logarithmic scale where the largest loss is so many times the smallest.
LOGARITHMIC = 4.0


def training_section(comparison: Comparison, key: str) -> Markup | None:
    """Write one figure for every phase of every space that was trained by gradient descent; None without any."""
    trained: dict[str, tuple[int, list[Phase]]] = {}  # in however many indexes a space is, it was trained once
    for place, space in enumerate(comparison.spaces):
        trained.setdefault(space.spec, (place, space.phases))
    figures = [
        _figure(phase, spec, place, f"{key}-loss-{place}-{number}")
        for spec, (place, phases) in trained.items()
        for number, phase in enumerate(phases)
    ]
    if not figures:
        return None
    note = (
        "The loss of every epoch, on a logarithmic scale where it falls far; validation is measured on items that "
        "were held out, and the weights of its best epoch are kept. Every method has a loss of its own: heights are "
        "compared within a figure only. Of restricted Boltzmann machines, whose training goes down a difference of "
        "free energies, the squared error of the reconstruction is shown."
    )
    return element(
        "section",
        element("h3", "How the spaces were trained", id=f"{key}-training"),
        element("p", note, class_="note"),
        element("div", *figures, class_="small-multiples"),
        aria_labelledby=f"{key}-training",
    )


def _figure(phase: Phase, spec: str, place: int, key: str) -> Markup:
    facts = f"{phase.name}: {counted(len(phase.train_loss), 'epoch')} in {phase.seconds:,.1f} s"
    caption = element("figcaption", breakable(spec), element("br"), element("small", facts))
    return element("figure", caption, loss_svg(phase, spec, place, key))


def loss_svg(phase: Phase, spec: str, place: int, key: str) -> Markup:
    """Draw the losses of one phase.

    Parameters
    ----------
    phase : Phase
        With at least one epoch.
    spec : str
        The space.
    place : int
        Its place in the comparison, which gives its colour.
    key : str
        Prefix of the ids.
    """
    losses = [np.asarray(values, float) for values in _drawn(phase).values()]
    low, high = min(map(np.min, losses)), max(map(np.max, losses))
    logarithmic = bool(low > 0 and high / low > LOGARITHMIC)
    count = len(losses[0])
    frame = Frame(58, _WIDTH - 118, 22, _HEIGHT - 42, 1, max(count, 2))
    ticks = decade_ticks(low, high) if logarithmic else round_ticks(low, high if high > low else low + 1, 3)
    heights = [_heights(frame, ticks, line, logarithmic) for line in losses]
    told = [f"{value:g}" for value in ticks] if logarithmic else ticks_told(ticks)
    at = _heights(frame, ticks, np.asarray(ticks), logarithmic)
    parts = [level(frame, y, name) for y, name in zip(at.tolist(), told, strict=True)]
    parts += [tick(frame, epoch, f"{epoch:,}") for epoch in epoch_ticks(count)]
    parts.append(words((frame.left + frame.right) / 2, frame.bottom + 36, "epoch", "middle"))
    measure = phase.validation_measure
    axis = f"{measure} (log)" if logarithmic else measure
    parts.append(words(12, (frame.top + frame.bottom) / 2, axis, "middle", True))
    parts += [_line(frame, line, place, faint=True) for line in heights[:-1]]
    parts.append(_line(frame, heights[-1], place, faint=False))
    parts.append(_best(frame, phase, float(heights[-1][phase.best_epoch]), place))
    parts += _names(frame, phase, [float(line[-1]) for line in heights])
    best = f"lowest validation {measure} {phase.validation_loss[phase.best_epoch]:.4g} in epoch {phase.best_epoch + 1}"
    trained = phase.train_loss
    ends = f"training {phase.train_measure} from {trained[0]:.4g} to {trained[-1]:.4g}"
    return svg(key, f"{spec}, {phase.name}: {measure} by epoch", f"{best}; {ends}", _HEIGHT, join(*parts), _WIDTH)


def _drawn(phase: Phase) -> dict[str, list[float]]:
    """Return the curves that have an axis in common: of two measures, that of the validation."""
    training = {"training": phase.train_loss} if phase.comparable else {}
    return {**training, "validation": phase.validation_loss}


def decade_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten that take in an interval, or powers alone where those are many.

    Examples
    --------
    >>> decade_ticks(1.2, 9), decade_ticks(0.02, 300)
    ([1.0, 2.0, 5.0, 10.0], [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0])
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [float(f"{factor}e{power}") for power in powers for factor in (1, 2, 5)]
    first = max(place for place, value in enumerate(every) if value <= low)
    last = min(place for place, value in enumerate(every) if value >= high)
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


def _heights(frame: Frame, ticks: list[float], values: NDArray[np.float64], logarithmic: bool) -> NDArray[np.float64]:
    low, high = (math.log(ticks[0]), math.log(ticks[-1])) if logarithmic else (ticks[0], ticks[-1])
    scaled = np.log(values) if logarithmic else values
    return frame.bottom - (scaled - low) / (high - low) * (frame.bottom - frame.top)


def _line(frame: Frame, heights: NDArray[np.float64], place: int, faint: bool) -> Markup:
    if len(heights) == 1:
        return element("circle", cx=frame.across(1), cy=float(heights[0]), r=2.5, fill=colour_of(place))
    points = " ".join(f"{frame.across(epoch):.1f},{y:.1f}" for epoch, y in enumerate(heights.tolist(), 1))
    return element("polyline", points=points, fill="none", stroke=colour_of(place), stroke_width=1.5 if faint else 2.25,
                   stroke_dasharray="5 3" if faint else None, stroke_linejoin="round")  # fmt: skip


def _best(frame: Frame, phase: Phase, height: float, place: int) -> Markup:
    x = frame.across(phase.best_epoch + 1)
    ruler = element("line", x1=x, x2=x, y1=frame.top, y2=frame.bottom, stroke="currentColor", stroke_opacity=0.4,
                    stroke_dasharray="2 3")  # fmt: skip
    told = words(min(max(x, frame.left + 30), frame.right), frame.top - 7, f"best: {phase.best_epoch + 1:,}", "middle")
    return join(ruler, told, element("circle", cx=x, cy=height, r=4.5, fill=colour_of(place)))


def _names(frame: Frame, phase: Phase, ends: list[float]) -> list[Markup]:
    told = [f"{name} {values[-1]:.3g}" for name, values in _drawn(phase).items()]
    places = spread(ends, 16, frame.top, frame.bottom)
    return [words(frame.right + 9, at + 4, name) for name, at in zip(told, places, strict=True)]
