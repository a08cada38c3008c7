"""Distances between items and points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes

#: Rows per block; only one block of centred rows is in memory.
ROWS = 4096


def squared_distances(items: Codes, points: NDArray[Any]) -> NDArray[Any]:
    """Return squared Euclidean distances (n, m) by products of matrices, in the precision of `points`.

    Dense rows are centred at the mean of the points, so that few digits cancel; sparse rows stay sparse.

    Examples
    --------
    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])).tolist()
    [[25.0]]
    """
    if issparse(items):
        norms = np.asarray(items.multiply(items).sum(axis=1)).reshape(-1, 1)
        return _expanded(norms, items @ points.T, points)
    centre = points.mean(axis=0, dtype=np.float64).astype(points.dtype)
    about = points - centre
    squares = np.empty((len(items), len(points)), dtype=np.result_type(items, points))
    for start in range(0, len(items), ROWS):
        rows = items[start : start + ROWS] - centre
        squares[start : start + ROWS] = _expanded(np.einsum("ij,ij->i", rows, rows)[:, None], rows @ about.T, about)
    return squares


def _expanded(norms: NDArray[Any], products: Any, points: NDArray[Any]) -> NDArray[Any]:
    """Return |x|² - 2 x.p + |p|², at least 0; the array of products is reused."""
    squares = np.asarray(products)
    squares *= -2
    squares += norms
    squares += np.einsum("ij,ij->i", points, points)
    return np.asarray(np.maximum(squares, 0, out=squares))
