"""A random sample of a corpus, in one pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from retrieval.corpora.base import Item


def draw(items: Iterable[Item], size: int, seed: int = 0) -> list[Item]:
    """Return up to `size` random items in their own order; each is equally likely, and only they are kept in memory.

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
    drawn: list[tuple[int, Any]] = []
    for position, item in enumerate(items):
        if position < size:
            drawn.append((position, item))
        elif (slot := int(generator.integers(position + 1))) < size:
            drawn[slot] = (position, item)
    return [item for _, item in sorted(drawn, key=lambda pair: pair[0])]
