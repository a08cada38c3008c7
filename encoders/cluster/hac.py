"""Hierarchical agglomerative clustering."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.batches import collect
from encoders.cluster.kmeans import KMeans
from encoders.cluster.linkage import LINKAGES, cut, largest_jump, tree
from encoders.cluster.membership import clusters_of, one_hot
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, n_rows
from encoders.errors import NotInvertibleError, OptionError
from encoders.options import LARGEST_SEED, option
from encoders.products import Distances
from encoders.progress import waiting

#: New items per block when they are compared with all leaves.
ROWS = 1024


@dataclass
class HAC(Encoder):
    """Hierarchical agglomerative clustering: a tree of merges, cut into clusters.

    Use it when you want groups and a tree that shows how they merge.

    The two nearest clusters merge again and again; the tree is cut at k clusters or at a height. With neither k nor
    `height`, it is cut below its largest jump, so you do not need to know the number of clusters. Above `max_items`
    items, k-means first forms `groups` groups and the tree is built from them, weighted by size; the matrix of all
    pairs of items is never computed.

    A new item belongs to the cluster that is nearest by the linkage: by its nearest item (``single``), its farthest
    item (``complete``), the mean distance (``average``), or the increase of the squared error (``ward``). This also
    holds for an item of the tree when you encode it; `leaf_clusters` are the clusters of the tree itself.

    Examples
    --------
    >>> rows = np.array([[0, 0], [0, 1], [9, 9], [9, 8], [9, 7]], dtype=np.float32)
    >>> encoder = HAC().fit(rows)
    >>> encoder.space.dim, encoder.leaf_clusters.tolist()
    (2, [0, 0, 1, 1, 1])

    References
    ----------
    Ward, Hierarchical grouping to optimize an objective function, JASA 58, 1963; Lance & Williams, A general theory of
    classificatory sorting strategies, Computer Journal 9, 1967; Müllner, fastcluster, JSS 53(9), 2013.
    """

    name: ClassVar[str] = "hac"
    reads_sparse: ClassVar[bool] = False
    k: int | None = option(None, "Number of clusters; none: cut at height, or below the largest jump.", ge=1)
    height: float | None = option(None, "Height at which to cut the tree; none: cut by k.", gt=0)
    linkage: str = option("ward", "Distance between two clusters.", choices=LINKAGES)
    codes: str = option("indicator", "What a code contains.", choices=("indicator", "distances"))
    max_items: int = option(
        12_000, "Largest number of items to cluster directly; k-means groups more of them first.", ge=2
    )
    groups: int = option(2_000, "Number of k-means groups when there are more items.", ge=2)
    seed: int = option(0, "Random seed of the k-means groups.", ge=0, le=LARGEST_SEED)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k is not None and self.height is not None:
            raise OptionError(f"hac: cut at k={self.k} clusters or at height={self.height:g}, not both")

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        matrix = np.asarray(collect(batches), dtype=np.float32)
        if len(matrix) < 2 or len(matrix) < (self.k or 1):
            raise OptionError(f"hac: {len(matrix):,} items cannot form {self.k or 2} clusters: lower k")
        self.leaves, self.sizes = self._leaves(matrix)
        with waiting(f"tree of {len(self.leaves):,} leaves"):
            self.merges = tree(self.leaves, self.linkage, None if len(self.leaves) == len(matrix) else self.sizes)
        self._set_clusters(self._cut())
        kind, metric = (Kind.SPARSE, Metric.COSINE) if self.codes == "indicator" else (Kind.DENSE, Metric.EUCLIDEAN)
        return Space(len(self.centroids), kind, metric)

    def _leaves(self, matrix: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        if len(matrix) <= self.max_items:
            return matrix, np.ones(len(matrix), dtype=np.int64)
        groups = KMeans(min(self.groups, len(matrix)), restarts=1, iterations=10, seed=self.seed).fit(matrix)
        sizes = np.bincount(clusters_of(groups.encode(matrix)), minlength=groups.k)
        return groups.centroids[sizes > 0], sizes[sizes > 0].astype(np.int64)

    def _cut(self) -> NDArray[np.int64]:
        if self.height is None:
            k = self.k if self.k is not None else largest_jump(self.merges)
            if k > len(self.leaves):
                raise OptionError(f"hac: k={k} is more than the {len(self.leaves)} leaves of the tree: raise groups")
            return cut(self.merges, k)
        if self.height >= self.merges[-1, 2]:
            raise OptionError(
                f"hac: height={self.height:g} gives one cluster: the last merge is at {self.merges[-1, 2]:.4g}; "
                f"cut below it, e.g. at {self.merges[-1:, 2].mean() * 0.7:.4g}"
            )
        return cut(self.merges, height=self.height)

    def _set_clusters(self, leaf_clusters: NDArray[np.int64]) -> None:
        self.leaf_clusters = leaf_clusters
        self._order = np.argsort(leaf_clusters, kind="stable")
        self._starts = np.flatnonzero(np.diff(leaf_clusters[self._order], prepend=-1))
        self._weights = np.add.reduceat(self.sizes[self._order], self._starts).astype(np.float64)
        weighted = self.leaves[self._order] * self.sizes[self._order, None]
        self.centroids = (np.add.reduceat(weighted, self._starts, axis=0) / self._weights[:, None]).astype(np.float32)
        self._measured = Distances(self.centroids if self.linkage == "ward" else self.leaves)

    def _encode(self, items: Any) -> Codes:
        distances = np.empty((n_rows(items), self.space.dim))
        for start in range(0, len(distances), ROWS):
            distances[start : start + ROWS] = self._distances(items[start : start + ROWS])
        return (
            distances.astype(np.float32)
            if self.codes == "distances"
            else one_hot(distances.argmin(axis=1), self.space.dim)
        )

    def _distances(self, items: Any) -> NDArray[Any]:
        """Return the distance of each item (a cluster of one) to every cluster by the linkage (n, clusters)."""
        if self.linkage == "ward":
            return np.asarray(np.sqrt(2 * self._weights / (self._weights + 1) * self._measured.squared(items)))
        distances = np.sqrt(self._measured.squared(items)[:, self._order])
        if self.linkage == "average":
            sizes = self.sizes[self._order]
            return np.asarray(np.add.reduceat(distances * sizes, self._starts, axis=1) / self._weights)
        reduce_by = np.minimum if self.linkage == "single" else np.maximum
        return np.asarray(reduce_by.reduceat(distances, self._starts, axis=1))

    def _decode(self, codes: Codes) -> Items:
        if self.codes != "indicator":
            raise NotInvertibleError(
                "hac: codes=distances cannot be decoded; codes=indicator decodes to the mean of the cluster"
            )
        return self.centroids[clusters_of(codes)]

    def state(self) -> State:
        """Return merges (m - 1, 4), leaves (m, dim), items per leaf (m,), and cluster of each leaf (m,)."""
        return {
            "merges": self.merges,
            "leaves": self.leaves,
            "sizes": self.sizes,
            "leaf_clusters": self.leaf_clusters,
        }

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.merges, self.leaves, self.sizes = state["merges"], state["leaves"], state["sizes"]
        self._set_clusters(state["leaf_clusters"])
