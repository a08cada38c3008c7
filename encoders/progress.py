"""Progress of long fits, on standard error, for a person who waits; nothing where nobody looks."""

from __future__ import annotations

from collections.abc import Iterator


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
