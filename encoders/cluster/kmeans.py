"""k-means clustering."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder, State
from encoders.batches import collect
from encoders.cluster.membership import clusters_of, one_hot
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, slices
from encoders.cpu_count import available_cores
from encoders.errors import NotInvertibleError, OptionError
from encoders.options import LARGEST_SEED, option
from encoders.products import Distances
from encoders.progress import waiting
from encoders.scaling import largest_of, times, unit_of

#: Rows of the sample on which restarts are compared: the larger of a minimum and a number per cluster.
SAMPLE_ROWS, SAMPLE_PER_CLUSTER = 5_000, 100
#: Largest number of values for which one core is faster than several.
SMALL = 2**21
#: Rows per block when rows are assigned to clusters.
ROWS = 16_384
#: Content of a code -> kind and metric of the space.
GEOMETRY = {
    "indicator": (Kind.SPARSE, Metric.COSINE),
    "distances": (Kind.DENSE, Metric.EUCLIDEAN),
    "triangle": (Kind.DENSE, Metric.COSINE),
}


@dataclass
class KMeans(Encoder):
    """k-means clustering: k centroids, each the mean of the items that are nearest to it.

    Use it when you want groups of items, or distances to group centres as a code.

    Codes: ``indicator``, a 1 for the nearest centroid (local representation); ``distances``, Euclidean distances to all
    centroids; ``triangle``, activations ``max(0, mean distance - distance)``, which are 0 for centroids farther away
    than average (distributed representation). FAISS fits dense data, scikit-learn sparse data. Both start with
    k-means++ and return the best of several `restarts`.

    Examples
    --------
    >>> rows = np.array([[0, 0], [0, 1], [9, 9], [9, 8]], dtype=np.float32)
    >>> codes = KMeans(2).fit_encode(rows).toarray()
    >>> codes[0].tolist() == codes[1].tolist() != codes[2].tolist()
    True

    References
    ----------
    Lloyd, Least squares quantization in PCM, IEEE Trans. IT 28(2), 1982; Arthur & Vassilvitskii, k-means++: the
    advantages of careful seeding, SODA 2007; Coates, Lee & Ng, An analysis of single-layer networks in unsupervised
    feature learning, AISTATS 2011, §3.2.1 (``triangle``).
    """

    name: ClassVar[str] = "kmeans"
    k: int = option(10, "Number of clusters.", ge=1)
    codes: str = option("indicator", "What a code contains.", choices=tuple(GEOMETRY))
    restarts: int = option(4, "Number of fits from different seeds; the best is used.", ge=1)
    iterations: int = option(50, "Largest number of iterations of each fit.", ge=1)
    seed: int = option(0, "Random seed of the initial centroids.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        matrix = collect(batches)
        if self.k > matrix.shape[0]:
            raise OptionError(f"kmeans: {matrix.shape[0]:,} items cannot form k={self.k} clusters: lower k")
        fit = _fit_sparse if issparse(matrix) else _fit_dense
        unit = unit_of(largest_of(matrix))
        with waiting("k-means"):
            centroids = fit(times(matrix, unit), self.k, self.restarts, self.iterations, self.seed)
        self._set_centroids(times(centroids, 1 / unit))
        return Space(self.k, *GEOMETRY[self.codes])

    def _encode(self, items: Any) -> Codes:
        squares = self._to_centroids.squared(items)
        if self.codes == "indicator":
            return one_hot(squares.argmin(axis=1), self.k)  # the first of equal distances
        distances = np.sqrt(squares).astype(np.float32)
        if self.codes == "distances":
            return distances
        return np.maximum(distances.mean(axis=1, keepdims=True) - distances, 0)

    def _decode(self, codes: Codes) -> Items:
        if self.codes != "indicator":
            raise NotInvertibleError(
                f"kmeans: codes={self.codes} cannot be decoded; codes=indicator decodes to the centroid"
            )
        return self.centroids[clusters_of(codes)]

    def state(self) -> State:
        """Return centroids (k, dim)."""
        return {"centroids": self.centroids}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._set_centroids(state["centroids"])

    def _set_centroids(self, centroids: NDArray[np.float32]) -> None:
        self.centroids, self._to_centroids = centroids, Distances(centroids)


def _fit_dense(matrix: NDArray[Any], k: int, restarts: int, iterations: int, seed: int) -> NDArray[np.float32]:
    import faiss

    def fitted(rows: NDArray[Any], redo: int, start: NDArray[Any] | None = None) -> NDArray[np.float32]:
        model = faiss.Kmeans(
            rows.shape[1],
            k,
            niter=iterations,
            nredo=redo,
            seed=seed + 1,  # FAISS takes 0 for none
            min_points_per_centroid=1,
            max_points_per_centroid=len(rows),  # all rows: FAISS must not take a sample
        )
        model.cp.init_method = faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS
        model.cp.early_stop_threshold = 1e-4
        model.train(np.ascontiguousarray(rows, dtype=np.float32), init_centroids=start)
        centroids = np.asarray(model.centroids, dtype=np.float32)
        split = any(step["nsplit"] for step in model.iteration_stats or [])
        return _settled(rows, centroids) if split else centroids

    # with few numbers, threads that wait for each other cost more than they save
    faiss.omp_set_num_threads(available_cores() if matrix.size > SMALL else 1)
    sample = max(SAMPLE_ROWS, SAMPLE_PER_CLUSTER * k)
    if restarts == 1 or len(matrix) <= 2 * sample:
        return fitted(matrix, restarts)
    # a sample is enough to choose the best start; only this one is fitted to all rows
    sample_rows = np.sort(np.random.default_rng(seed).choice(len(matrix), sample, replace=False))
    return fitted(matrix, 1, fitted(matrix[sample_rows], restarts))


def _settled(rows: NDArray[Any], centroids: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each centroid as the mean of its items; a centroid without items does not change.

    If there are more clusters than different items, FAISS places two centroids very close to one item, on either side
    of it; rounding would choose between them.
    """
    nearest = np.concatenate([Distances(centroids).squared(block).argmin(axis=1) for block in slices(rows, ROWS)])
    order = np.argsort(nearest, kind="stable")
    clusters, starts, counts = np.unique(nearest[order], return_index=True, return_counts=True)
    means = centroids.copy()
    for cluster, start, count in zip(clusters.tolist(), starts.tolist(), counts.tolist(), strict=True):
        means[cluster] = rows[order[start : start + count]].mean(axis=0, dtype=np.float64)
    return means


def _fit_sparse(matrix: Codes, k: int, restarts: int, iterations: int, seed: int) -> NDArray[np.float32]:
    from sklearn.cluster import KMeans as Model

    model = Model(k, n_init=restarts, max_iter=iterations, random_state=seed)
    return np.asarray(model.fit(matrix).cluster_centers_, dtype=np.float32)
