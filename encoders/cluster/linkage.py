"""The tree of an agglomerative clustering, of items or of groups of several items."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.distances import squared_distances

LINKAGES = ("ward", "average", "complete", "single")
Distances = NDArray[np.float64]
#: Rows of the distance matrix, and pairs of points, per block.
BLOCK = 4096


def tree(points: NDArray[Any], linkage: str, sizes: NDArray[np.int64] | None = None) -> Distances:
    """Return the merges in the form of SciPy, float64 (m - 1, 4): two nodes, height, number of items.

    Parameters
    ----------
    points : ndarray (m, dim)
        Items, or centroids of groups.
    linkage : str
        ``ward``, ``average``, ``complete`` or ``single``; for ``ward`` the height is
        ``sqrt(2 |A| |B| / (|A| + |B|)) |mean A - mean B|``.
    sizes : ndarray int (m,), optional
        Number of items of each point, a weight in ``average`` and ``ward``.

    References
    ----------
    Müllner, fastcluster: fast hierarchical, agglomerative clustering routines for R and Python, JSS 53(9), 2013;
    Murtagh, A survey of recent advances in hierarchical clustering algorithms, Computer Journal 26(4), 1983
    (nearest-neighbour chain, used where points have sizes, which fastcluster does not offer).
    """
    distances, positions = _distances(np.asarray(points, dtype=np.float64))
    if sizes is None:
        import fastcluster

        return np.asarray(fastcluster.linkage(_condensed(distances, positions), linkage, preserve_input=False))
    return _chain(
        distances if positions is None else distances[np.ix_(positions, positions)], linkage, sizes.astype(np.float64)
    )


def _condensed(distances: Distances, positions: NDArray[np.intp] | None) -> Distances:
    """Return the distance of every pair once, row by row, without a second matrix of all distances."""
    from scipy.spatial.distance import squareform

    if positions is None:
        return np.asarray(squareform(distances, checks=False))
    pairs = np.empty(len(positions) * (len(positions) - 1) // 2)
    start = 0
    for row in range(len(positions) - 1):
        stop = start + len(positions) - 1 - row
        np.take(distances[positions[row]], positions[row + 1 :], out=pairs[start:stop], mode="clip")
        start = stop
    return pairs


def _distances(points: Distances) -> tuple[Distances, NDArray[np.intp] | None]:
    """Return all distances (m, m); small ones, for which a matrix product loses digits, are computed one by one.

    If points are repeated, return the distances of the distinct points, and the position of every point among these.
    """
    points = points - points.mean(axis=0)
    distinct, positions = np.unique(points, axis=0, return_inverse=True)
    repeated = len(distinct) < len(points)
    points = distinct if repeated else points
    squares = squared_distances(points, points)
    threshold = 1e-6 * float(np.einsum("ij,ij->i", points, points).max(initial=0.0))
    for start in range(0, len(points), BLOCK):
        rows, columns = np.nonzero(squares[start : start + BLOCK] < threshold)
        for first in range(0, len(rows), BLOCK):
            firsts, seconds = rows[first : first + BLOCK] + start, columns[first : first + BLOCK]
            squares[firsts, seconds] = np.square(points[firsts] - points[seconds]).sum(axis=1)
    np.fill_diagonal(squares, 0)
    return np.asarray(np.sqrt(squares, out=squares)), positions.reshape(-1) if repeated else None


def _chain(distances: Distances, linkage: str, sizes: Distances) -> Distances:
    """Return the merges by the nearest-neighbour chain algorithm with Lance-Williams updates."""
    count = len(sizes)
    squared = linkage == "ward"
    if squared:
        distances = distances**2 * (2 * sizes[:, None] * sizes / (sizes[:, None] + sizes))
    np.fill_diagonal(distances, np.inf)
    active = np.ones(count, dtype=bool)
    merges: list[tuple[int, int, Any]] = []
    chain: list[int] = []
    sizes = sizes.copy()
    for _ in range(count - 1):
        if not chain:
            chain.append(int(np.flatnonzero(active)[0]))
        while True:
            current = chain[-1]
            nearest = int(distances[current].argmin())
            if len(chain) > 1 and distances[current, chain[-2]] <= distances[current, nearest]:
                break
            chain.append(nearest)
        target, source = chain.pop(), chain.pop()
        height = distances[target, source]
        merges.append((target, source, height))
        joined = _joined(distances[target], distances[source], height, sizes[target], sizes[source], sizes, linkage)
        active[source] = False
        joined[~active] = np.inf
        joined[target] = np.inf
        distances[target], distances[:, target] = joined, joined
        distances[source], distances[:, source] = np.inf, np.inf
        sizes[target] += sizes[source]
    return _ordered(merges, count, sizes, squared)


def _joined(
    first: Distances, second: Distances, height: Any, n: Any, m: Any, sizes: Distances, linkage: str
) -> Distances:
    """Return the distances of the union of two clusters of n and m items to all others (Lance & Williams 1967)."""
    with np.errstate(invalid="ignore"):  # inf - inf, of clusters that no longer exist
        if linkage == "single":
            return np.minimum(first, second)
        if linkage == "complete":
            return np.maximum(first, second)
        if linkage == "average":
            return np.asarray((n * first + m * second) / (n + m))
        return np.asarray(((n + sizes) * first + (m + sizes) * second - sizes * height) / (n + m + sizes))


def _ordered(merges: list[tuple[int, int, Any]], count: int, sizes: Distances, squared: bool) -> Distances:
    """Sort merges by height and number the nodes as SciPy does."""
    order = np.argsort([height for _, _, height in merges], kind="stable")
    parent = np.arange(count)
    node, weight = np.arange(count), np.ones(count)
    result = np.empty((count - 1, 4))

    def root(leaf: int) -> int:
        while parent[leaf] != leaf:
            parent[leaf] = parent[parent[leaf]]
            leaf = int(parent[leaf])
        return leaf

    for number, at in enumerate(order):
        first, second, height = merges[at]
        first, second = root(first), root(second)
        low, high = sorted((node[first], node[second]))
        weight[first] += weight[second]
        result[number] = low, high, np.sqrt(height) if squared else height, weight[first]
        parent[second], node[first] = first, count + number
    return result


def cut(merges: Distances, k: int | None = None, height: float | None = None) -> NDArray[np.int64]:
    """Return the cluster of every leaf (m,), numbered in the order of the leaves, for k clusters or a height.

    Examples
    --------
    >>> merges = np.array([[0, 1, 1.0, 2], [2, 3, 5.0, 3]])  # leaves 0, 1, 2; node 3 is the first merge
    >>> cut(merges, k=2).tolist(), cut(merges, height=0.5).tolist()
    ([0, 0, 1], [0, 1, 2])
    """
    count = len(merges) + 1
    joins = int(np.searchsorted(merges[:, 2], height, side="right")) if height is not None else count - (k or 1)
    cluster = np.arange(count + joins)
    for number in range(joins - 1, -1, -1):  # from the top down: a node passes its cluster to its two children
        cluster[merges[number, :2].astype(int)] = cluster[count + number]
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
