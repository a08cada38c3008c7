"""Progress of long fits, on standard error, for a person who waits; nothing where nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
