"""Powers of two that bring numbers to a size at which their squares neither vanish nor overflow in float32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from encoders.codes import Codes

#: Largest absolute values within which float32 arithmetic on squares and on small differences of them is safe.
LEAST, MOST = 2.0**-32, 2.0**40


def largest_of(values: Codes) -> float:
    """Return the largest absolute value of a matrix, NaN left out; 0 where there is none.

    Examples
    --------
    >>> largest_of(np.array([[1.0, -3.0]]))
    3.0
    """
    entries: Any = values.data if issparse(values) else values
    if not entries.size:
        return 0.0
    return float(max(np.fmax.reduce(entries, axis=None), -np.fmin.reduce(entries, axis=None), 0.0))


def unit_of(largest: float, least: float = LEAST, most: float = MOST) -> float:
    """Return the power of two that brings numbers up to `largest` to the order of 1; 1.0 where that is not needed.

    A product with a power of two is exact, so that nothing but the unit of the numbers changes.

    Examples
    --------
    >>> unit_of(3.0), unit_of(0.0), unit_of(2.0**-80), unit_of(2.0**90)
    (1.0, 1.0, 1.2089258196146292e+24, 8.077935669463161e-28)
    """
    if not 0 < largest < math.inf or least <= largest <= most:
        return 1.0
    return math.ldexp(1.0, min(1 - math.frexp(largest)[1], 126))


def moderate(matrix: Codes) -> Codes:
    """Return a float32 matrix in the unit in which its squares neither vanish nor overflow; mostly itself."""
    return times(matrix, unit_of(largest_of(matrix)))


def times(matrix: Codes, unit: float) -> Codes:
    """Return a float32 matrix in another unit; itself where the unit is 1.

    Examples
    --------
    >>> times(np.array([[2.0]], dtype=np.float32), 0.5).tolist()
    [[1.0]]
    """
    if unit == 1:
        return matrix
    if issparse(matrix):
        return csr_array((matrix.data * np.float32(unit), matrix.indices, matrix.indptr), shape=matrix.shape)
    return matrix * np.float32(unit)
