"""Progress of long work on standard error: what it does, how far it is, how much time is left.

A terminal shows bars. Elsewhere, in a log file for example, one line is written every ten seconds.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

#: Called with one line for each step of long work.
ProgressCallback = Callable[[str], None]
#: Work that takes less time than this, in seconds, shows no bar.
DELAY = 1.0
#: Seconds between two lines of progress where standard error is not a terminal.
LINE_SECONDS = 10.0
#: Columns of a bar, and how often the bars are drawn in a second.
BAR_WIDTH, REFRESHES = 24, 8


def say(line: str) -> None:
    """Write one line to standard error, above the bars, without control characters; `watching` keeps it instead.

    Examples
    --------
    >>> say("2 files are not read")
    """
    watched = _WATCHED.get()
    if watched is not None:
        watched.lines.append(line)
        return
    print("".join(letter if letter.isprintable() else "?" for letter in line), file=sys.stderr)


def quiet(line: str) -> None:
    """Report nothing: the default `ProgressCallback`."""


def span(seconds: float) -> str:
    """Return a time span as text.

    Examples
    --------
    >>> span(0.0213), span(7.4), span(95), span(7265)
    ('21 ms', '7.4 s', '1 min 35 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{1000 * seconds:.0f} ms" if 0 < seconds < 0.1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


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
        _DISPLAY.remove(self)
        _LOG.remove(self)

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


@dataclass
class Watched:
    """Work that a program watches instead of a person: its bars, the innermost last, and the lines that it says."""

    bars: list[Bar] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def standing(self) -> str:
        """Return what the innermost work does and how far it is; empty when nothing shows its progress."""
        bars = list(self.bars)
        return f"{bars[-1].what}: {bars[-1].standing(time.monotonic())}" if bars else ""


_WATCHED: ContextVar[Watched | None] = ContextVar("watched", default=None)


@contextmanager
def watching(watched: Watched) -> Iterator[None]:
    """Let a program watch the work of a block in this context; nothing is written to standard error.

    Examples
    --------
    >>> with watching(Watched()) as _, progress("adding", 2, "numbers") as bar:
    ...     say("half done")
    """
    token = _WATCHED.set(watched)
    try:
        yield
    finally:
        _WATCHED.reset(token)


class _Display:
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


class _Log:
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
        say(f"{bar.what}: {bar.standing(time.monotonic())}")


_DISPLAY = _Display()
_LOG = _Log()


@contextmanager
def progress(
    what: str, total: int | None = None, unit: str = "", divisor: int = 1, shown: bool = True
) -> Iterator[Bar]:
    """Show the progress of a block that takes long, unless it is not to be `shown`; see `Bar`.

    Examples
    --------
    >>> with progress("adding", 3, "numbers") as bar:
    ...     for number in range(3):
    ...         bar.update()
    >>> bar.done
    3
    """
    bar = Bar(what, total, unit, divisor)
    watched = _WATCHED.get()
    if watched is not None:
        watched.bars.append(bar)
    elif shown:
        (_DISPLAY if sys.stderr.isatty() else _LOG).add(bar)
    try:
        yield bar
    finally:
        if watched is not None:
            watched.bars.remove(bar)
        bar.close()


def steps(count: int, what: str, unit: str = "passes") -> Iterator[int]:
    """Count to `count` with a bar; the caller may stop earlier.

    Examples
    --------
    >>> list(steps(3, "fitting"))
    [0, 1, 2]
    """
    with progress(what, count, unit) as bar:
        for step in range(count):
            yield step
            bar.update()


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show the time that work takes whose progress is unknown, for example in a library.

    Examples
    --------
    >>> with waiting("k-means"):
    ...     total = sum(range(10))
    >>> total
    45
    """
    with progress(what):
        yield


@contextmanager
def passes(count: int, what: str) -> Iterator[Callable[[int, float], None]]:
    """Show a bar of `count` passes; yield the function that takes how many are done and which error is left."""
    with progress(what, count, "passes") as bar:

        def report(done: int, error: float) -> None:
            bar.note = f"error {error:.4g}"
            bar.update(done - bar.done)

        yield report


def say_once(line: str) -> None:
    """Say a line, unless it was said before: several spaces of one table have the same columns.

    Within `watching`, only what this work has said counts: every request of a service hears its own notes.
    """
    watched = _WATCHED.get()
    if watched is None:
        _print_once(line)
    elif line not in watched.lines:
        say(line)


@lru_cache(maxsize=256)
def _print_once(line: str) -> None:
    say(line)
