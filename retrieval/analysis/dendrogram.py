"""A dendrogram, cut into clusters and reduced to few leaves so that it can be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.cluster.linkage import cut

#: Largest number of leaves in a drawing: the lowest merges of a larger tree become leaves.
LEAVES = 36


@dataclass(frozen=True)
class FoldedTree:
    """A dendrogram whose leaves are groups of items.

    Attributes
    ----------
    merges : list of tuple
        (left position, left height, right position, right height, height), positions in units of leaves.
    members : list of ndarray of int
        The items of each leaf, from left to right.
    heights : list of float
        The height at which the items of each leaf were joined.
    clusters : list of int
        The cluster of each leaf, numbered from left to right.
    cut : float
        The height between the last merge within clusters and the first between them.
    """

    merges: list[tuple[float, float, float, float, float]]
    members: list[NDArray[np.int64]]
    heights: list[float]
    clusters: list[int]
    cut: float


def folded(merges: NDArray[Any], k: int, leaves: int = LEAVES) -> FoldedTree:
    """Return the tree with few leaves, and the height at which it is cut into k clusters.

    Parameters
    ----------
    merges : ndarray (m - 1, 4)
        The result of `encoders.cluster.linkage.tree`.
    k : int
        Number of clusters; at least k leaves are drawn.
    leaves : int
        Largest number of leaves.
    """
    count = len(merges) + 1
    shown = min(count, max(leaves, k))
    groups = cut(merges, shown)
    first = count - shown  # merges before this one are inside leaves
    node_group = {int(node): int(groups[node]) for node in range(count)}
    below: dict[int, float] = dict.fromkeys(range(shown), 0.0)
    for merge in range(first):
        node_group[count + merge] = node_group[int(merges[merge, 0])]
        below[node_group[count + merge]] = float(merges[merge, 2])
    order = _order(merges, count, first, node_group)
    column = {group: position for position, group in enumerate(order)}
    position = {
        node: (float(column[group]), below[group])
        for node, group in node_group.items()
        if _is_top(merges, node, count, first)
    }
    drawn = []
    for merge in range(first, count - 1):
        left, right = merges[merge, :2].astype(int)
        (x, low), (y, high) = position[left], position[right]
        height = float(merges[merge, 2])
        drawn.append((x, low, y, high, height))
        position[count + merge] = ((x + y) / 2, height)
    clusters = cut(merges, k)
    members = [np.flatnonzero(groups == group) for group in order]
    numbers = [int(clusters[rows[0]]) for rows in members]
    renumbered = {cluster: number for number, cluster in enumerate(dict.fromkeys(numbers))}
    heights = np.append(merges[:, 2], merges[-1, 2] * 1.05)
    line = float((heights[count - k - 1] if count > k else 0.0) + heights[count - k]) / 2
    return FoldedTree(
        drawn, members, [below[group] for group in order], [renumbered[cluster] for cluster in numbers], line
    )


def _is_top(merges: NDArray[Any], node: int, count: int, first: int) -> bool:
    """Return whether a node is a whole leaf of the drawing: no merge inside a leaf joins it."""
    inner = merges[:first, :2]
    return not bool((inner == node).any()) and node < count + first


def _order(merges: NDArray[Any], count: int, first: int, node_group: dict[int, int]) -> list[int]:
    """Return the groups from left to right, so that no lines cross."""
    if count - 1 == first:
        return [node_group[node] for node in node_group if _is_top(merges, node, count, first)]
    order: list[int] = []
    stack = [2 * count - 2]
    while stack:
        node = stack.pop()
        if node < count + first:
            order.append(node_group[node])
            continue
        left, right = merges[node - count, :2].astype(int)
        stack += [int(right), int(left)]
    return order


def medoid(rows: NDArray[Any], members: NDArray[np.int64]) -> int:
    """Return the medoid: the member that is nearest to the mean of the members."""
    group = rows[members]
    return int(members[np.square(group - group.mean(axis=0)).sum(axis=1).argmin()])
