"""A sample of a corpus that is small enough to be looked at from all sides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from retrieval.corpora.base import Item


def draw(items: Iterable[Item], most: int, seed: int = 0) -> list[Item]:
    """Return up to `most` items, each as likely as any other, in their own order; one pass, nothing else is held.

    Examples
    --------
    >>> [item.id for item in draw((Item(str(n), "text") for n in range(1000)), 3)] == sorted(
    ...     item.id for item in draw((Item(str(n), "text") for n in range(1000)), 3)
    ... )
    True

    References
    ----------
    Vitter, Random sampling with a reservoir, ACM TOMS 11(1), 1985, Algorithm R.
    """
    generator = np.random.default_rng(seed)
    kept: list[tuple[int, Any]] = []
    for place, item in enumerate(items):
        if place < most:
            kept.append((place, item))
        elif (at := int(generator.integers(place + 1))) < most:
            kept[at] = (place, item)
    return [item for _, item in sorted(kept, key=lambda pair: pair[0])]
