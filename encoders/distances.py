"""Distances of many items to many points at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes

#: Rows compared at a time: a centred copy of so many, never of all.
ROWS = 4096


def squared_distances(items: Codes, points: NDArray[Any]) -> NDArray[Any]:
    """Return squared Euclidean distances (n, m) by products of matrices, in the precision of `points`.

    Dense rows are taken about the mean of the points, so that few digits cancel; sparse rows stay sparse.

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
    """Return |x|² - 2 x.p + |p|², not below 0, in place of the products."""
    squares = np.asarray(products)
    squares *= -2
    squares += norms
    squares += np.einsum("ij,ij->i", points, points)
    return np.asarray(np.maximum(squares, 0, out=squares))
