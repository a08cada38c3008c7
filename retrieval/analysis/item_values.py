"""Numbers of every item that a map is coloured by: its cluster, how many lists it is in, its score for a query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.cluster.kmeans import KMeans
from encoders.cluster.membership import clusters_of
from encoders.codes import Codes, Metric, Space, n_rows
from encoders.progress import steps
from encoders.scaling import moderate
from indexers.base import Index
from retrieval.analysis.maps import narrow_codes
from retrieval.evaluation.health.hubness import NEIGHBOURS, memberships
from retrieval.evaluation.health.similarity import Floats, mask_query_rows, rows_of, score_matrix

#: Pairs of items that are compared at most: all of 20,000 items, fewer askers of more items.
MAX_PAIRS = 4 * 10**8
#: Scores held at a time (float64: 128 MiB), and numbers of dense codes that are copied in float64.
_BLOCK_SCORES, _MAX_EXACT = 2**24, 2**25


def item_clusters(codes: Codes, metric: Metric, k: int, seed: int = 0) -> NDArray[np.int64] | None:
    """Return the cluster of every item by k-means, the largest cluster first; None where too few items have a map.

    Parameters
    ----------
    codes : codes (n, dim)
        Cosine spaces are clustered by their directions, bits as numbers 0 and 1, wide codes by 50 components.
    metric : Metric
    k : int
        Number of clusters; some may be empty where many items are equal.

    Examples
    --------
    >>> codes = np.repeat(np.array([[0.0, 1], [9, 9]], np.float32), [2, 8], axis=0)
    >>> item_clusters(codes, Metric.EUCLIDEAN, 2).tolist()
    [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    """
    rows = narrow_codes(codes, metric)
    if rows is None:
        return None
    clusters = clusters_of(KMeans(min(k, len(rows)), seed=seed).fit_encode(rows))
    numbers, first, counts = np.unique(clusters, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    rank = np.empty(int(numbers.max()) + 1, np.int64)
    rank[numbers[order]] = np.arange(len(numbers))
    return np.asarray(rank[clusters])


def item_hubness(
    codes: Codes,
    space: Space,
    queries_of: Callable[[NDArray[np.int64]], Codes] | None = None,
    k: int = NEIGHBOURS,
    max_pairs: int = MAX_PAIRS,
    seed: int = 0,
) -> tuple[Floats, int]:
    """Return in how many lists of the k nearest each item is, and the number of lists: 0 lists is an anti-hub.

    Parameters
    ----------
    codes : codes (n, dim)
    space : Space
    queries_of : callable, optional
        Returns the codes of some rows as queries, in a space where they differ from those of the items.
    k : int
    max_pairs : int
        Where all pairs are more, this many are compared: random items ask.

    Returns
    -------
    ndarray float64 (n,), int
        Expected numbers under a random order of equal scores, as `nearby health` counts them.

    Examples
    --------
    >>> line = np.array([[0.0], [1.0], [3.0]], np.float32)
    >>> from encoders.codes import Kind
    >>> item_hubness(line, Space(1, Kind.DENSE, Metric.EUCLIDEAN), k=1)
    (array([1., 2., 0.]), 3)
    """
    n = n_rows(codes)
    asking = np.arange(n)
    if n * n > max_pairs:
        asking = np.sort(np.random.default_rng(seed).choice(n, max(1, max_pairs // n), replace=False))
    rows = _numbers(codes, space)
    asked = rows[asking] if queries_of is None else _numbers(queries_of(asking), space)
    total = np.zeros(n)
    height = max(1, _BLOCK_SCORES // n)
    for step in steps(-(-len(asking) // height), "counting neighbours"):
        start = step * height
        query_rows = asking[start : start + height]
        scores = score_matrix(asked[start : start + height], rows, space.metric)
        total += memberships(mask_query_rows(scores, query_rows), k).sum(axis=0)
    return total, len(asking)


def _numbers(codes: Codes, space: Space) -> Any:
    """Return codes as numbers; wide matrices stay float32, which takes half the memory."""
    if issparse(codes) or codes.dtype == np.uint8 or codes.size <= _MAX_EXACT:
        return rows_of(codes, space)
    return moderate(codes)


def item_scores(index: Index, query: Codes, rows: NDArray[np.int64]) -> Floats:
    """Return the exact score of some rows of an index for one query; NaN where an item is no answer.

    Raises
    ------
    NotInvertibleError
        When the index does not hold the codes.
    """
    scores = index.score_rows(query, rows[None])[0].astype(np.float64)
    absent = ~np.isfinite(scores)
    if index.positive_only:
        absent |= scores <= 0
    return np.where(absent, np.nan, scores)
