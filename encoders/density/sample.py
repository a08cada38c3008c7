"""Training items stored by a non-parametric density."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.batches import collect
from encoders.codes import Batches
from encoders.distances import squared_distances


def points_of(batches: Batches, max_points: int, seed: int) -> NDArray[np.float32]:
    """Return the items, or a random sample of `max_points`, float32 (m, dim)."""
    matrix: NDArray[Any] = collect(batches)
    if len(matrix) > max_points:
        matrix = matrix[np.sort(np.random.default_rng(seed).choice(len(matrix), max_points, replace=False))]
    return np.array(matrix, dtype=np.float32)


def distances_to(items: NDArray[Any], points: NDArray[Any]) -> NDArray[np.float64]:
    """Return squared distances float64 (n, m)."""
    return squared_distances(np.asarray(items, dtype=np.float64), np.asarray(points, dtype=np.float64))
