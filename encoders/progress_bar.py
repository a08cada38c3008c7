"""The bars of long work, on a terminal; elsewhere, in a log file for example, one line every ten seconds."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from encoders.numbers import span

if TYPE_CHECKING:
    from rich.table import Table

#: Work that takes less time than this, in seconds, shows no bar.
DELAY = 1.0
#: Seconds between two lines of progress where standard error is not a terminal.
LINE_SECONDS = 10.0
#: Columns of a bar, and how often the bars are drawn in a second.
BAR_WIDTH, REFRESHES = 24, 8


def write_line(line: str) -> None:
    """Write one line to standard error, above the bars, without control characters."""
    print("".join(letter if letter.isprintable() else "?" for letter in line), file=sys.stderr)


class Bar:
    """The progress of one piece of work; each step costs an addition, and a thread draws it.

    Parameters
    ----------
    what : str
        Name of the work, e.g. ``encoding bm25``.
    total : int or None
        Number of its parts; None if unknown.
    unit : str
        Name of the parts, in the plural; if it is empty, only the share is shown.
    divisor : int
        Parts of one `unit`: 10**6 for bytes shown in MB.

    Attributes
    ----------
    done : int
    note : str
        More text to show, e.g. the last loss.
    """

    def __init__(self, what: str, total: int | None = None, unit: str = "", divisor: int = 1) -> None:
        self.what, self.total, self.unit, self.divisor = what, total, unit, divisor
        self.done, self.note = 0, ""
        self.begun = time.monotonic()
        self._first: tuple[float, int] | None = None
        self._last = self.begun

    def update(self, parts: int = 1) -> None:
        """Add parts that are done."""
        self.done += parts
        self._last = time.monotonic()
        if self._first is None:  # where resumed work starts
            self._first = self._last, self.done

    def reset(self) -> None:
        """Set the count to 0."""
        self.done = 0

    def close(self) -> None:
        """Stop showing it."""
        DISPLAY.remove(self)
        LOG.remove(self)

    def seconds_left(self, now: float) -> float | None:
        """Return the time that the rest takes at the average pace; None if that is unknown yet."""
        if not self.total or self._first is None or self.done <= self._first[1]:
            return None
        pace = (self._last - self._first[0]) / (self.done - self._first[1])
        return max(0.0, (self.total - self.done) * pace - (now - self._last))

    def standing(self, now: float) -> str:
        """Return how much is done, and how much time is left.

        Examples
        --------
        >>> bar = Bar("encoding", 1400, "items")
        >>> bar.begun, bar._last, bar._first, bar.done = 0.0, 4.0, (0.0, 0), 700
        >>> bar.standing(5.0)
        '50%, 700 of 1,400 items, 3.0 s left'
        """
        left = self.seconds_left(now)
        known = self.done if self.total is None else min(self.done, self.total)
        done, total = known // self.divisor, None if self.total is None else self.total // self.divisor
        parts = [f"{min(1.0, self.done / self.total):.0%}"] if self.total else []
        if self.unit and (self.done or total):
            parts.append(f"{done:,}" + ("" if total is None else f" of {total:,}") + f" {self.unit}")
        parts.append(f"{span(now - self.begun)} so far" if left is None else f"{span(left)} left")
        return ", ".join([*parts, *([self.note] if self.note else [])])


class Display:
    """The bars on a terminal; work within other work is shown below it."""

    def __init__(self) -> None:
        self._bars: list[Bar] = []
        self._live: Any = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def add(self, bar: Bar) -> None:
        """Show a bar if its work takes longer than the delay."""
        with self._lock:
            self._bars.append(bar)
            if self._live is None and self._timer is None:
                self._timer = threading.Timer(DELAY, self._start)
                self._timer.daemon = True
                self._timer.start()

    def remove(self, bar: Bar) -> None:
        """Stop showing a bar; without bars, the display ends."""
        with self._lock:
            self._bars = [other for other in self._bars if other is not bar]
            if self._bars:
                return
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        with self._lock:
            self._timer = None
            if not self._bars:
                return
            # standard output is not redirected, as results may go to a file
            self._live = Live(
                get_renderable=self._drawn, console=Console(stderr=True), refresh_per_second=REFRESHES, transient=True,
                redirect_stdout=False,
            )  # fmt: skip
            live = self._live
        live.start()

    def _drawn(self) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        now = time.monotonic()
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True, overflow="ellipsis")
        for bar in self._bars:
            share: Any = ProgressBar(bar.total, bar.done, BAR_WIDTH) if bar.total else Text("")
            grid.add_row(Text(bar.what), share, Text(bar.standing(now), no_wrap=True))
        return grid


class Log:
    """Progress as lines, where standard error is not a terminal: one line of the innermost work every ten seconds."""

    def __init__(self) -> None:
        self._bars: list[Bar] = []
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def add(self, bar: Bar) -> None:
        """Write lines about a bar until it is removed."""
        with self._lock:
            self._bars.append(bar)
            if self._timer is None:
                self._wait()

    def remove(self, bar: Bar) -> None:
        """Stop writing about a bar."""
        with self._lock:
            self._bars = [other for other in self._bars if other is not bar]
            if not self._bars and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _wait(self) -> None:
        self._timer = threading.Timer(LINE_SECONDS, self._write)
        self._timer.daemon = True
        with suppress(RuntimeError):  # no thread can be started, for example under a limit of memory
            self._timer.start()

    def _write(self) -> None:
        with self._lock:
            self._timer = None
            if not self._bars:
                return
            bar = self._bars[-1]
            self._wait()
        write_line(f"{bar.what}: {bar.standing(time.monotonic())}")


DISPLAY = Display()
LOG = Log()
