"""Product quantisation: the code in parts, each replaced by the nearest of 256 centroids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Items, Kind, Space, slices
from encoders.cpu_count import available_cores
from encoders.errors import OptionError
from encoders.options import LARGEST_SEED, option
from encoders.packing import even_groups
from encoders.products import Distances
from encoders.scaling import largest_of, times, unit_of
from encoders.unreduced import metric_before, unreduced

#: Centroids of each part: one byte names one of them.
CENTROIDS = 256
#: Rows that k-means reads at most, as FAISS does: 256 for each centroid.
SAMPLE = 256 * CENTROIDS
#: Rows per block when rows are assigned to centroids.
ROWS = 16_384


@dataclass
class ProductQuantizer(Encoder):
    """Product quantisation: the code in m parts, each replaced by the nearest of 256 centroids; m bytes per item.

    Use it when you need very few bytes, and can spend time on fitting.

    Queries are not reduced (asymmetric distance). FAISS fits the centroids of each part by k-means; with at most 256
    different rows, the rows are the centroids. If the width is no multiple of m, the first parts have one component
    more. The code holds the centroids as numbers, float32 (n, dim); an exact index stores one byte for each part. Codes
    are compared by the metric of the space before, where cosine quantises rows of unit length. Decoding returns the
    centroids. A random rotation before it (``random-projection``) spreads the variance over the parts.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)
    >>> encoder = ProductQuantizer(4).fit(rows)
    >>> encoder.space.bytes_per_item, encoder.encode(rows).shape
    (4, (300, 8))

    References
    ----------
    Jégou, Douze & Schmid, Product quantization for nearest neighbor search, TPAMI 33(1), 2011, §II.B, §III.A.
    """

    name: ClassVar[str] = "pq"
    reads_sparse: ClassVar[bool] = False
    m: int = option(8, "Number of parts, and of bytes per item.", ge=1)
    iterations: int = option(25, "Iterations of k-means.", ge=1)
    seed: int = option(0, "Random seed of the initial centroids.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        rows = unreduced(self, collect(batches))
        dim = rows.shape[1]
        if self.m > dim:
            raise OptionError(f"pq: m={self.m} is more than the {dim} components of the codes: use at most {dim}")
        packing = even_groups(dim, self.m, 8)
        if len(rows) > SAMPLE:
            rows = rows[np.sort(np.random.default_rng(self.seed).choice(len(rows), SAMPLE, replace=False))]
        widths = [part.width for part in packing for _ in range(part.groups)]
        parts = np.split(rows, np.cumsum(widths)[:-1], axis=1)
        self._set([_centroids(part, self.iterations, self.seed) for part in parts])
        return Space(dim, Kind.DENSE, metric_before(self), packing=packing)

    def _encode(self, items: Any) -> Codes:
        rows, codes, start = unreduced(self, items), np.empty(items.shape, dtype=np.float32), 0
        for centroids, distances in zip(self.centroids, self._distances, strict=True):
            columns = slice(start, start + centroids.shape[1])
            start = columns.stop
            for block, code_block in zip(slices(rows[:, columns], ROWS), slices(codes[:, columns], ROWS), strict=True):
                code_block[...] = centroids[distances.squared(block).argmin(axis=1)]  # the first of equal distances
        return codes

    def _encode_queries(self, items: Any) -> Codes:
        return unreduced(self, items)

    def _decode(self, codes: Codes) -> Items:
        return np.array(codes, dtype=np.float32)

    def state(self) -> State:
        """Return the centroids of every part, (256 or fewer, width) each."""
        return {f"centroids.{number}": part for number, part in enumerate(self.centroids)}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._set([state[f"centroids.{number}"] for number in range(len(state))])

    def _set(self, centroids: list[NDArray[np.float32]]) -> None:
        self.centroids, self._distances = centroids, [Distances(part) for part in centroids]


def _centroids(rows: NDArray[np.float32], iterations: int, seed: int) -> NDArray[np.float32]:
    """Return the centroids of one part, float32 (256 or fewer, width)."""
    different = np.unique(rows[: 4 * CENTROIDS], axis=0)
    if len(rows) > 4 * CENTROIDS and len(different) <= CENTROIDS:
        different = np.unique(rows, axis=0)
    if len(different) <= CENTROIDS:
        return np.ascontiguousarray(different)
    import faiss

    unit = unit_of(largest_of(rows))  # FAISS sums squares in float32
    faiss.omp_set_num_threads(available_cores())
    model = faiss.Kmeans(
        rows.shape[1], CENTROIDS, niter=iterations, seed=seed + 1, min_points_per_centroid=1,
        max_points_per_centroid=len(rows),
    )  # fmt: skip
    model.train(np.ascontiguousarray(times(rows, unit), dtype=np.float32))
    return np.asarray(times(np.asarray(model.centroids, dtype=np.float32), 1 / unit), dtype=np.float32)
