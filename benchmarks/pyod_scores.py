"""Scores of PyOD's detectors, in parts so small that the other tested items hardly count.

ECOD ranks tested items among its training items and each other: tested with a thousand attacks, an attack is usual.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Items that are tested together, as a share of the training items.
TOGETHER = 0.1


def scores_of(detector: Any, n_training: int, *parts: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return the scores of the rows of some parts, float64 (n,) each, all parts tested among each other.

    Examples
    --------
    >>> class Place:
    ...     def decision_function(self, rows):
    ...         return rows[:, 0] * len(rows)
    >>> [part.tolist() for part in scores_of(Place(), 10, np.array([[1.0], [2.0]]), np.array([[3.0]]))]
    [[1.0, 2.0], [3.0]]
    """
    rows = np.concatenate(parts)
    scores = np.zeros(len(rows))
    order = np.random.default_rng(0).permutation(len(rows))
    for some in np.array_split(order, max(1, -(-len(rows) // max(1, int(TOGETHER * n_training))))):
        scores[some] = detector.decision_function(rows[some])
    return np.split(scores, np.cumsum([len(part) for part in parts])[:-1])
