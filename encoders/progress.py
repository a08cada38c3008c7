"""Progress of long fits, on standard error, for a person who waits; nothing where nobody looks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def say(line: str) -> None:
    """Say one line on standard error, above whatever bar is there; what a terminal would obey is left out.

    Examples
    --------
    >>> say("2 files are not read")
    """
    from tqdm import tqdm

    tqdm.write("".join(letter if letter.isprintable() else "?" for letter in line), file=sys.stderr)


#: Called with one line for each step of long work.
ProgressCallback = Callable[[str], None]


def quiet(line: str) -> None:
    """Report nothing: the default `ProgressCallback`."""


def steps(count: int, what: str, unit: str = "pass") -> Iterator[int]:
    """Count to `count` with a bar that shows speed and time left; the caller may stop before.

    The bar appears after a second, on a terminal only.

    Examples
    --------
    >>> list(steps(3, "fitting"))
    [0, 1, 2]
    """
    from tqdm import tqdm

    yield from tqdm(range(count), desc=what, unit=f" {unit}", disable=None, leave=False, delay=1)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show that a library is at work, and for how long; it does not say how far it is.

    Nothing is shown within the first second, or where nobody looks.

    Examples
    --------
    >>> with waiting("k-means"):
    ...     total = sum(range(10))
    >>> total
    45
    """
    from tqdm import tqdm

    bar = tqdm(desc=what, disable=None, leave=False, delay=1, bar_format="{desc}: {elapsed}")
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(1):
            bar.update()

    ticker = threading.Thread(target=tick, daemon=True)
    if not bar.disable:
        ticker.start()
    try:
        yield
    finally:
        ended.set()
        if ticker.ident is not None:
            ticker.join()
        bar.close()


@contextmanager
def passes(count: int, what: str) -> Iterator[Callable[[int, float], None]]:
    """Show a bar of `count` passes; give the function that is told how many are done and what error is left."""
    from tqdm import tqdm

    bar = tqdm(total=count, desc=what, unit=" pass", disable=None, leave=False, delay=1)

    def report(done: int, error: float) -> None:
        bar.set_postfix_str(f"error {error:.4g}")
        bar.update(done - bar.n)

    try:
        yield report
    finally:
        bar.close()


def share_done(what: str, parts: int, shown: bool = True) -> Any:
    """Return a bar of so many parts that tells the share done and the time left, unless it is not to be `shown`."""
    from tqdm import tqdm

    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
    return tqdm(total=parts, desc=what, bar_format=layout, disable=None if shown else True, leave=False)
