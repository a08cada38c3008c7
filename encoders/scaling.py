"""Scaling by powers of two, so that squares of numbers neither underflow nor overflow in float32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from encoders.codes import Codes

#: Range of the largest absolute value in which float32 arithmetic on squares and their small differences is safe.
LOWEST, HIGHEST = 2.0**-32, 2.0**40


def largest_of(values: Codes) -> float:
    """Return the largest absolute value of a matrix without NaN; 0 if it is empty.

    Examples
    --------
    >>> largest_of(np.array([[1.0, -3.0]]))
    3.0
    """
    entries: Any = values.data if issparse(values) else values
    if not entries.size:
        return 0.0
    return float(max(np.fmax.reduce(entries, axis=None), -np.fmin.reduce(entries, axis=None), 0.0))


def unit_of(largest: float, lowest: float = LOWEST, highest: float = HIGHEST) -> float:
    """Return the power of two that scales numbers up to `largest` to about 1; 1.0 if no scaling is needed.

    Multiplication by a power of two is exact.

    Examples
    --------
    >>> unit_of(3.0), unit_of(0.0), unit_of(2.0**-80), unit_of(2.0**90)
    (1.0, 1.0, 1.2089258196146292e+24, 8.077935669463161e-28)
    """
    if not 0 < largest < math.inf or lowest <= largest <= highest:
        return 1.0
    return math.ldexp(1.0, min(1 - math.frexp(largest)[1], 126))


def moderate(matrix: Codes) -> Codes:
    """Return a float32 matrix, scaled if its squares would underflow or overflow."""
    return times(matrix, unit_of(largest_of(matrix)))


def times(matrix: Codes, unit: float) -> Codes:
    """Return a float32 matrix multiplied by `unit`; the same matrix if `unit` is 1.

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
