"""What distances say: their contrast, whether cosine and dot agree, and queries that are far from all items."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Metric
from retrieval.evaluation.health.hubness import NEIGHBOURS, memberships
from retrieval.evaluation.health.similarity import mask_query_rows, score_matrix

Floats = NDArray[np.float64]
#: A query is far from all items when its nearest is farther than this share of the items have theirs.
FAR = 0.99


def relative_contrast(distances: Floats) -> float:
    """Return the mean distance divided by the mean distance of the nearest item; 1 means that none is nearer.

    Parameters
    ----------
    distances : ndarray float64 (n, n)
        The diagonal is not read.

    Returns
    -------
    float
        Infinite when every nearest item is at distance 0.

    References
    ----------
    He, Kumar & Chang, On the difficulty of nearest neighbor search, ICML 2012 (relative contrast); Beyer et al., When
    is "nearest neighbor" meaningful?, ICDT 1999.

    Examples
    --------
    >>> relative_contrast(np.array([[0.0, 1.0, 3.0], [1.0, 0.0, 2.0], [3.0, 2.0, 0.0]]))
    1.5
    """
    n = len(distances)
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    nearest = float(others.min(axis=1).mean())
    np.fill_diagonal(others, 0)
    mean = float(others.sum()) / (n * (n - 1))
    return mean / nearest if nearest > 0 else float("inf")


def disagreement(rows: Any, k: int = NEIGHBOURS) -> float:
    """Return the share of the k nearest by cosine that are not among the k nearest by dot product; 0 is the same lists.

    Examples
    --------
    >>> disagreement(np.array([[1.0, 0.0], [1.0, 0.1], [9.0, 9.0]]), 1).__round__(3)
    0.667
    """
    query_rows = np.arange(rows.shape[0])
    lists = [
        memberships(mask_query_rows(score_matrix(rows, rows, metric), query_rows), k)
        for metric in (Metric.COSINE, Metric.DOT)
    ]
    both = np.minimum(*lists).sum()
    return 1 - float(both) / max(float(lists[0].sum()), 1e-12)


def far_queries(query_distances: Floats, item_distances: Floats, share: float = FAR) -> float:
    """Return the share of queries that are farther from their nearest item than nearly all items are from theirs.

    If queries were drawn like items, the expected share would be 1 - `share`.

    Parameters
    ----------
    query_distances : ndarray float64 (n_queries, n)
    item_distances : ndarray float64 (n, n)
        The diagonal is not read.

    Examples
    --------
    >>> items = np.abs(np.arange(100.0)[:, None] - np.arange(100.0))
    >>> far_queries(np.array([[0.5, 1.0], [7.0, 9.0]]), items)
    0.5
    """
    others = item_distances.copy()
    np.fill_diagonal(others, np.inf)
    limit = float(np.quantile(others.min(axis=1), share))
    return float(np.mean(query_distances.min(axis=1) > limit * (1 + 1e-9)))
