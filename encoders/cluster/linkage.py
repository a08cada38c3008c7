"""The tree of an agglomerative clustering, for items that count once and for groups that count many times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.distances import squared_distances

LINKAGES = ("ward", "average", "complete", "single")
Distances = NDArray[np.float64]
#: Rows of the matrix of distances, and pairs of points, that are looked at a time.
BLOCK = 4096


def tree(points: NDArray[Any], linkage: str, sizes: NDArray[np.int64] | None = None) -> Distances:
    """Return the merges in scipy's form, float64 (m - 1, 4): the two nodes, their height, the items below.

    Parameters
    ----------
    points : ndarray (m, dim)
        Items, or centroids of groups.
    linkage : str
        ``ward``, ``average``, ``complete`` or ``single``; for ``ward`` the height is
        ``sqrt(2 |A| |B| / (|A| + |B|)) |mean A - mean B|``.
    sizes : ndarray int (m,), optional
        How many items each point stands for. ``average`` and ``ward`` weigh by it.

    References
    ----------
    Müllner, fastcluster: fast hierarchical, agglomerative clustering routines for R and Python, JSS 53(9), 2013;
    Murtagh, A survey of recent advances in hierarchical clustering algorithms, Computer Journal 26(4), 1983
    (nearest-neighbour chain, used where points have sizes, which fastcluster does not offer).
    """
    distances, place = _distances(np.asarray(points, dtype=np.float64))
    if sizes is None:
        import fastcluster

        return np.asarray(fastcluster.linkage(_condensed(distances, place), linkage, preserve_input=False))
    return _chain(distances if place is None else distances[np.ix_(place, place)], linkage, sizes.astype(np.float64))


def _condensed(distances: Distances, place: NDArray[np.intp] | None) -> Distances:
    """Return the distances of every pair once, row by row: a second matrix of all is never made."""
    from scipy.spatial.distance import squareform

    if place is None:
        return np.asarray(squareform(distances, checks=False))
    pairs = np.empty(len(place) * (len(place) - 1) // 2)
    start = 0
    for row in range(len(place) - 1):
        stop = start + len(place) - 1 - row
        np.take(distances[place[row]], place[row + 1 :], out=pairs[start:stop], mode="clip")
        start = stop
    return pairs


def _distances(points: Distances) -> tuple[Distances, NDArray[np.intp] | None]:
    """Return all distances (m, m); the small ones, in which a product of matrices loses digits, one by one.

    Where points are repeated, those of the distinct points, and the place of every point among these.
    """
    points = points - points.mean(axis=0)
    distinct, place = np.unique(points, axis=0, return_inverse=True)
    repeated = len(distinct) < len(points)
    points = distinct if repeated else points
    squares = squared_distances(points, points)
    least = 1e-6 * float(np.einsum("ij,ij->i", points, points).max(initial=0.0))
    for start in range(0, len(points), BLOCK):
        rows, columns = np.nonzero(squares[start : start + BLOCK] < least)
        for first in range(0, len(rows), BLOCK):
            some, others = rows[first : first + BLOCK] + start, columns[first : first + BLOCK]
            squares[some, others] = np.square(points[some] - points[others]).sum(axis=1)
    np.fill_diagonal(squares, 0)
    return np.asarray(np.sqrt(squares, out=squares)), place.reshape(-1) if repeated else None


def _chain(distances: Distances, linkage: str, sizes: Distances) -> Distances:
    """Merge nearest neighbours of each other, found by following nearest neighbours, with Lance-Williams updates."""
    count = len(sizes)
    squared = linkage == "ward"
    if squared:
        distances = distances**2 * (2 * sizes[:, None] * sizes / (sizes[:, None] + sizes))
    np.fill_diagonal(distances, np.inf)
    live = np.ones(count, dtype=bool)
    merges: list[tuple[int, int, Any]] = []
    chain: list[int] = []
    sizes = sizes.copy()
    for _ in range(count - 1):
        if not chain:
            chain.append(int(np.flatnonzero(live)[0]))
        while True:
            here = chain[-1]
            nearest = int(distances[here].argmin())
            if len(chain) > 1 and distances[here, chain[-2]] <= distances[here, nearest]:
                break
            chain.append(nearest)
        kept, gone = chain.pop(), chain.pop()
        height = distances[kept, gone]
        merges.append((kept, gone, height))
        joined = _joined(distances[kept], distances[gone], height, sizes[kept], sizes[gone], sizes, linkage)
        live[gone] = False
        joined[~live] = np.inf
        joined[kept] = np.inf
        distances[kept], distances[:, kept] = joined, joined
        distances[gone], distances[:, gone] = np.inf, np.inf
        sizes[kept] += sizes[gone]
    return _ordered(merges, count, sizes, squared)


def _joined(
    first: Distances, second: Distances, height: Any, n: Any, m: Any, sizes: Distances, linkage: str
) -> Distances:
    """Return the distances of the union of two clusters of n and m items to all others (Lance & Williams 1967)."""
    with np.errstate(invalid="ignore"):  # inf - inf, of clusters that are gone
        if linkage == "single":
            return np.minimum(first, second)
        if linkage == "complete":
            return np.maximum(first, second)
        if linkage == "average":
            return np.asarray((n * first + m * second) / (n + m))
        return np.asarray(((n + sizes) * first + (m + sizes) * second - sizes * height) / (n + m + sizes))


def _ordered(merges: list[tuple[int, int, Any]], count: int, sizes: Distances, squared: bool) -> Distances:
    """Sort merges by height and number the nodes as scipy does."""
    order = np.argsort([height for _, _, height in merges], kind="stable")
    parent = np.arange(count)
    node, weight = np.arange(count), np.ones(count)
    result = np.empty((count - 1, 4))

    def root(leaf: int) -> int:
        while parent[leaf] != leaf:
            parent[leaf] = parent[parent[leaf]]
            leaf = int(parent[leaf])
        return leaf

    for place, at in enumerate(order):
        first, second, height = merges[at]
        first, second = root(first), root(second)
        low, high = sorted((node[first], node[second]))
        weight[first] += weight[second]
        result[place] = low, high, np.sqrt(height) if squared else height, weight[first]
        parent[second], node[first] = first, count + place
    return result


def cut(merges: Distances, k: int | None = None, height: float | None = None) -> NDArray[np.int64]:
    """Return the cluster of every leaf (m,), numbered as the leaves come: k clusters, or those that are joined below
    a height.

    Examples
    --------
    >>> merges = np.array([[0, 1, 1.0, 2], [2, 3, 5.0, 3]])  # leaves 0, 1, 2; node 3 is the first merge
    >>> cut(merges, k=2).tolist(), cut(merges, height=0.5).tolist()
    ([0, 0, 1], [0, 1, 2])
    """
    count = len(merges) + 1
    joins = int(np.searchsorted(merges[:, 2], height, side="right")) if height is not None else count - (k or 1)
    cluster = np.arange(count + joins)
    for place in range(joins - 1, -1, -1):  # from the top down: a node hands its cluster to its two parts
        cluster[merges[place, :2].astype(int)] = cluster[count + place]
    _, first, member = np.unique(cluster[:count], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[member.reshape(-1)].astype(np.int64)


def largest_jump(merges: Distances) -> int:
    """Return the number of clusters just below the largest step between two merges' heights, at least 2.

    Examples
    --------
    >>> largest_jump(np.array([[0, 1, 1.0, 2], [3, 4, 1.2, 2], [5, 6, 9.0, 4]]))
    2
    """
    heights = merges[:, 2]
    if len(heights) < 2:
        return min(2, len(heights) + 1)
    return int(len(heights) - int(np.argmax(np.diff(heights))))
