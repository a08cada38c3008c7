"""Distances of many items to many points at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes


def squared_distances(items: Codes, points: NDArray[Any]) -> NDArray[Any]:
    """Return squared Euclidean distances (n, m) by one matrix product, in the precision of `points`.

    Examples
    --------
    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])).tolist()
    [[25.0]]
    """
    if issparse(items):
        norms = np.asarray(items.multiply(items).sum(axis=1)).reshape(-1, 1)
    else:
        norms = np.einsum("ij,ij->i", items, items)[:, None]
    squares = np.asarray(items @ points.T)
    squares *= -2
    squares += norms
    squares += np.einsum("ij,ij->i", points, points)
    return np.asarray(np.maximum(squares, 0, out=squares))
