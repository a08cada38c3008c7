"""Exact and near duplicates: items that a space cannot tell apart, or hardly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Two items are near duplicates when their distance is below this share of the median distance.
NEAR = 0.01


@dataclass(frozen=True)
class Duplicates:
    """The duplicates among some items.

    Attributes
    ----------
    exact, near : float
        Share of the items whose code equals that of another item with another content; share of the others that have
        an item with another content nearer than 1% of the median distance.
    exact_pair, near_pair : tuple of int, optional
        The rows of one such pair.
    same_content : float
        Share of the items whose content another item has too: no space can tell them apart.
    """

    exact: float
    near: float
    exact_pair: tuple[int, int] | None
    near_pair: tuple[int, int] | None
    same_content: float


def duplicates(distances: Floats, contents: Sequence[bytes], share: float = NEAR) -> Duplicates:
    """Return the duplicates of a space.

    Parameters
    ----------
    distances : ndarray float64 (n, n)
    contents : sequence of bytes
        Equal for items with equal content, such as a digest of it.
    share : float
        See `NEAR`.

    Examples
    --------
    >>> shares = duplicates(np.array([[0.0, 0.0, 5.0], [0.0, 0.0, 5.0], [5.0, 5.0, 0.0]]), [b"a", b"b", b"c"])
    >>> round(shares.exact, 3), shares.exact_pair, shares.near
    (0.667, (0, 1), 0.0)
    """
    numbers = np.unique(np.array([content.hex() for content in contents]), return_inverse=True)[1]
    same = numbers[:, None] == numbers
    others = np.where(same, np.inf, distances)  # the diagonal too
    nearest, smallest = others.argmin(axis=1), others.min(axis=1)
    apart = others[np.isfinite(others) & (others > 0)]
    median = float(np.median(apart)) if apart.size else 0.0
    equal = smallest == 0
    near = ~equal & (smallest < share * median)
    twice = np.bincount(numbers)[numbers] > 1
    return Duplicates(
        float(equal.mean()), float(near.mean()), _pair(equal, nearest), _pair(near, nearest), float(twice.mean())
    )


def distinct_rows(distances: Floats) -> NDArray[np.int64]:
    """Return the first of every group of rows at distance 0.

    Examples
    --------
    >>> distinct_rows(np.array([[0.0, 0.0, 5.0], [0.0, 0.0, 5.0], [5.0, 5.0, 0.0]]))
    array([0, 2])
    """
    return np.flatnonzero((distances <= 0).argmax(axis=1) == np.arange(len(distances)))


def _pair(chosen: NDArray[np.bool_], nearest: NDArray[np.int64]) -> tuple[int, int] | None:
    first = int(chosen.argmax()) if chosen.any() else -1
    return None if first < 0 else (first, int(nearest[first]))
