"""When segments are merged: adding costs what is added, while searching costs no more than a few segments.

The rule is that of Lucene's LogMergePolicy (McCandless, "Visualizing Lucene's segment merges", 2011): segments of one
size class are merged when there are ten of them, so that each item is written again about once a size class. In
addition, the first segment is merged with all others when they, and the removed items, are a quarter of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

#: A first segment with fewer items is merged at every change: it takes no longer than the rest of the change.
SMALL = 10_000
#: Share of the first segment that later and removed items may have.
SHARE = 0.25
#: Number of segments of one size class that are merged, and the size of the smallest class.
AT_ONCE, CLASS = 10, 1_000


class Size(NamedTuple):
    """Size of a segment: items that are left, and items that were removed."""

    left: int
    removed: int


def next_merge(sizes: Sequence[Size], small: int | None = None) -> range | None:
    """Return which neighbouring segments to merge next; None if none.

    Parameters
    ----------
    sizes : sequence of Size
    small : int, optional
        A first segment with fewer items is always merged; by default `SMALL`.

    Examples
    --------
    >>> next_merge([Size(50, 0), Size(3, 0)])
    range(0, 2)
    >>> next_merge([Size(1_000_000, 0), Size(1_000, 0)]) is None
    True
    >>> next_merge([Size(1_000_000, 0), Size(90_000, 0), *[Size(1_000, 0)] * 10])
    range(2, 12)
    """
    first, *later = sizes
    removed = sum(one.removed for one in sizes)
    if not later and not removed:
        return None
    changed = sum(one.left for one in later) + removed
    if first.left < (SMALL if small is None else small) or changed >= SHARE * (first.left + first.removed):
        return range(len(sizes))
    return _of_one_class(sizes)


def _of_one_class(sizes: Sequence[Size]) -> range | None:
    """Return the last segments if they are enough of one class, or if small ones come before a larger one."""
    classes = [_class(one) for one in sizes]
    start = len(sizes) - 1
    while start > 1 and classes[start - 1] <= classes[-1]:
        start -= 1
    smaller = any(one < classes[-1] for one in classes[start:])
    enough = len(sizes) - start >= AT_ONCE
    return range(start, len(sizes)) if smaller or enough else None


def _class(size: Size) -> int:
    return int(math.log(max(size.left, CLASS) / CLASS, AT_ONCE) + 1e-9)
