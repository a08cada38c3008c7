"""Bit depth: pictures of 16 bits or of real numbers become pictures of 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The value of white, for pictures of 16 bits that use both halves of their range, and for values from 0 to 1.
_WHITE_16, _WHITE_1 = 65_535, 1


def eight_bits(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    """Return values scaled so that black becomes 0 and white 255; values outside are clipped.

    Examples
    --------
    >>> eight_bits(np.array([0, 2048, 4095, 9000], np.uint16), 0, 4095)
    array([  0, 128, 255, 255], dtype=uint8)
    """
    shares = (values.astype(np.float64) - black) / max(white - black, np.finfo(np.float64).tiny)
    return np.asarray(np.rint(np.clip(shares, 0, 1) * 255), dtype=np.uint8)


def levels_of(low: float, high: float, floating: bool) -> tuple[float, float]:
    """Return the values that become black and white, given the lowest and the highest value.

    The whole range of the format if both halves of it are used; else the used range.

    Examples
    --------
    >>> levels_of(12, 60_000, False), levels_of(0, 230, False), levels_of(0, 0.9, True), levels_of(-1, 1, True)
    ((0, 65535), (0, 230), (0, 1), (-1, 1))
    """
    white = _WHITE_1 if floating else _WHITE_16
    if 0 <= low < white / 2 < high <= white:
        return 0, white
    return low, high


def have_contrast(low: float, high: float, black: float, white: float) -> bool:
    """Return whether two values are two grey levels of 8 bits."""
    first, last = eight_bits(np.array([low, high]), black, white)
    return bool(first != last)
