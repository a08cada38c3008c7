"""The losses of a training as a curve in the terminal, drawn again after every epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from copy import deepcopy
from itertools import groupby
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from encoders.neural.encoder import MAIN, NeuralEncoder
from encoders.numbers import span
from retrieval.report.figures.training_loss import LOGARITHMIC
from retrieval.report.spec_wrapping import middle_cut
from retrieval.spaces.training_history import measures_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from encoders.neural.training_config import History

#: Cells of the drawing: a line of the terminal is four dots high, a column two dots wide.
HEIGHT, MAX_WIDTH = 10, 100
_AXIS, _NAMES = 8, 24
#: The dots of a braille cell, from its upper left corner down, then its right column (Unicode, section 21.1).
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
#: Okabe and Ito's sky blue and orange, visible on dark and light backgrounds; one of the two curves is dashed.
_TRAINING, _VALIDATION = "#56B4E9", "#E69F00"
_DASH = 4


class LiveCurve:
    """Shows the current phase of a training on a terminal: a context manager that is called after every epoch.

    Parameters
    ----------
    console : rich.console.Console
    """

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._console = console
        self._state: tuple[NeuralEncoder, str, History] | None = None
        self._since = time.monotonic()
        self._live = Live(console=console, get_renderable=self._drawn, refresh_per_second=4, redirect_stdout=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def __call__(self, stage: NeuralEncoder, phase: str, history: History) -> None:
        """Record the state of the training for the next drawing; the first call starts to draw."""
        self._state, self._since = (stage, phase, deepcopy(history)), time.monotonic()  # another thread draws
        if not self._live.is_started:
            self._live.start()

    def _drawn(self) -> Text:
        from rich.text import Text

        if self._state is None:
            return Text("")
        stage, phase, history = self._state
        width = min(self._console.width, MAX_WIDTH)
        head = status(stage, phase, history, time.monotonic() - self._since)
        first, second = measures_of(stage, phase)
        drawn = curve(history, width - _AXIS - _NAMES, measure=second, training=first == second)
        lines = [Text(middle_cut(head, width), style="bold"), *drawn]
        return Text("\n").join(lines)


def status(stage: NeuralEncoder, phase: str, history: History, since: float = 0.0) -> str:
    """Return one line: the current epoch, the seconds of an epoch, and the time left.

    Parameters
    ----------
    stage : NeuralEncoder
    phase : str
    history : History
    since : float
        Seconds since the last epoch ended.
    """
    done = len(history.seconds)
    planned = stage.epochs if phase == MAIN else getattr(stage, "pretrain_epochs", None)
    name = stage.name if phase == MAIN else f"{stage.name}, {phase.replace('-', ' ')}"
    parts = [f"{name}: epoch {done}" + (f" of {planned:,}" if planned else "")]
    if done:
        pace = float(np.mean(history.seconds[-5:]))
        parts.append(f"{span(pace)} an epoch")
        left = max(0.0, (planned - done) * pace - since) if planned else math.inf
        if stage.minutes is not None:
            spent = sum(sum(other.seconds) for key, other in stage.phases.items() if key != phase)
            left = min(left, max(0.0, 60 * stage.minutes - spent - sum(history.seconds) - since))
        if math.isfinite(left):
            parts.append(f"{span(left)} left")
    else:
        parts.append(f"{span(since)} so far")
    return ", ".join(parts)


def curve(
    history: History, columns: int, height: int = HEIGHT, measure: str = "loss", training: bool = True
) -> list[Text]:
    """Draw the losses of a phase, the validation's dashed, with their names and last values at their ends.

    Parameters
    ----------
    history : History
        With at least one epoch; before that nothing is drawn.
    columns, height : int
        Cells of the drawing itself.
    measure : str
        What the validation measures.
    training : bool
        Draw the training's too: it measures the same.
    """
    from rich.text import Text

    if not history.validation_loss or columns < 8:
        return []
    validation = np.asarray(history.validation_loss, float)
    losses = [np.asarray(history.train_loss, float) if training else validation, validation]
    low, high = min(map(np.min, losses)), max(map(np.max, losses))
    scale: Any = np.log if low > 0 and high / low > LOGARITHMIC else np.asarray
    bottom, top = float(scale(low)), float(scale(high))
    if top - bottom < 1e-12:
        bottom, top = bottom - 0.5, top + 0.5
    rows = [(top - scale(line)) / (top - bottom) * (4 * height - 1) for line in losses]
    drawn = [_traced(line, columns, height, dashed) for line, dashed in zip(rows, (False, True), strict=True)]
    drawn[0] *= training
    names = _names(history, [float(line[-1]) for line in rows], height, training)
    shown = np.linspace(top, bottom, height)
    lines = []
    for row in range(height):
        value = float(np.exp(shown[row]) if scale is np.log else shown[row])
        line = Text(f"{value:>{_AXIS - 2}.4g} │" if row % 3 == 0 else f"{'│':>{_AXIS}}", style="dim")
        cells = zip(drawn[0][row].tolist(), drawn[1][row].tolist(), strict=True)
        for training, run in groupby(cells, key=lambda both: bool(both[0])):
            dots = "".join(chr(0x2800 + (one | other)) for one, other in run)
            line.append(dots, style=f"not dim {_TRAINING if training else _VALIDATION}")
        name, style = names.get(row, ("", ""))
        lines.append(line.append(f" {name}", style=f"not dim {style}"))
    best = history.best_epoch
    last = len(history.train_loss)
    foot = f"{'└':>{_AXIS}}" + "─" * columns
    summary = (
        f"epochs 1 to {last:,}; lowest validation {measure} {history.validation_loss[best]:.4g}, in epoch {best + 1:,}"
    )
    lines += [Text(foot, style="dim"), Text(f"{'':>{_AXIS}}{summary}")]
    return lines


def _traced(line: NDArray[np.float64], columns: int, height: int, dashed: bool) -> NDArray[np.int64]:
    """Return the braille dots of each cell that a line goes through, given in rows of dots from the top."""
    across = np.linspace(0, len(line) - 1, 2 * columns) if len(line) > 1 else np.zeros(2 * columns)
    rows = np.rint(np.interp(across, np.arange(len(line)), line)).astype(int)
    cells = np.zeros((height, columns), dtype=np.int64)
    for column, (row, before) in enumerate(zip(rows, [rows[0], *rows[:-1]], strict=True)):
        if dashed and column // _DASH % 2:
            continue
        between = range(min(row, before + 1), max(row, before - 1) + 1)  # no gap where the line is steep
        for at in between:
            cells[at // 4, column // 2] |= _DOTS[at % 4, column % 2]
    return cells


def _names(history: History, ends: Sequence[float], height: int, training: bool) -> dict[int, tuple[str, str]]:
    """Return what stands behind which line: the names of the curves, one line apart at least."""
    rows = [min(height - 1, int(end) // 4) for end in ends]
    validation = f"validation {history.validation_loss[-1]:.4g}"
    if not training:
        return {rows[1]: (validation, _VALIDATION)}
    if rows[0] == rows[1]:
        upper = 0 if ends[0] < ends[1] else 1
        if rows[upper] > 0:
            rows[upper] -= 1
        else:
            rows[1 - upper] += 1
    texts = (f"training {history.train_loss[-1]:.4g}", validation)
    return dict(zip(rows, zip(texts, (_TRAINING, _VALIDATION), strict=True), strict=True))
