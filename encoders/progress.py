"""Progress of long work on standard error: what it does, how far it is, how much time is left.

`encoders.progress_bar` shows it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache

from encoders.progress_bar import DISPLAY, LOG, Bar, write_line

#: Called with one line for each step of long work.
ProgressCallback = Callable[[str], None]


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
    write_line(line)


def quiet(line: str) -> None:
    """Report nothing: the default `ProgressCallback`."""


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
        (DISPLAY if sys.stderr.isatty() else LOG).add(bar)
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
