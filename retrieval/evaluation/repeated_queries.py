"""Queries of the same content, which count as one query in a test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.significance import Floats, order_of_queries


def by_content(values: Floats, repeats: NDArray[np.int64]) -> Floats:
    """Return one row for each different query: the sum of its repeats, scaled so that the mean of all rows stays.

    Parameters
    ----------
    values : ndarray float64 (n_queries, n_spaces)
    repeats : ndarray int64 (n_queries,)
        Queries of the same content have one number.

    Returns
    -------
    ndarray float64 (number of different queries, n_spaces)

    Examples
    --------
    >>> sorted(by_content(np.array([[0.25], [0.25], [0.5], [0.5]]), np.array([0, 0, 1, 1])).ravel().tolist())
    [0.25, 0.5]
    """
    _, group = np.unique(repeats, return_inverse=True)
    count = int(group.max(initial=-1)) + 1
    totals: Floats = np.zeros((count, values.shape[1]))
    np.add.at(totals, group, values)
    scaled: Floats = totals * (count / max(1, len(values)))
    return scaled[order_of_queries(scaled)]
