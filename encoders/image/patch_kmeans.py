"""k-means features of small patches of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import identity

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Kind, Metric, Modality, Space
from encoders.cpu_count import in_parallel
from encoders.errors import BadItemError, DimensionError, OptionError
from encoders.options import LARGEST_SEED, option
from encoders.products import Distances, Product

#: Added to the variance of a patch (of values in [0, 1]) and to every eigenvalue of the covariance, so that flat
#: patches and directions without contrast are not amplified.
FLAT, NOISE = 10 / 255**2, 0.1
#: Smallest divisor of a number of the code, as a share of the median standard deviation.
MIN_DEVIATION = 0.05
#: Largest number of pictures from which the scale of the code is learnt.
SCALED = 5_000
#: Pictures per task of a core.
ROWS = 16


@dataclass
class PatchKMeans(Encoder):
    """Activations of k-means centroids over small whitened patches, summed in four quarters of the picture.

    Use it when pictures show objects in colour at different positions, and you want strong features without a neural
    network.

    Each patch is scaled to equal contrast, whitened, and compared with k centroids. The code contains, for each quarter
    of the picture, the sum over its patches of ``max(0, mean distance - distance)`` to each centroid: 4 k numbers.
    About half of the terms are 0.

    Examples
    --------
    >>> pictures = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
    >>> PatchKMeans(5, patch=3).fit(pictures).encode(pictures).shape
    (20, 20)

    References
    ----------
    Coates, Lee & Ng, An analysis of single-layer networks in unsupervised feature learning, AISTATS 2011, §3.
    """

    name: ClassVar[str] = "patch-kmeans"
    reads: ClassVar[Modality] = Modality.IMAGE
    k: int = option(400, "Number of centroids; a code has 4 k numbers.", ge=2)
    patch: int = option(6, "Side of a patch, in pixels.", ge=2)
    patches: int = option(200_000, "Number of patches to learn from.", ge=10)
    scale: bool = option(True, "Standardise every number of the code to mean 0 and variance 1 on the training data.")
    metric: str = option("cosine", "How two codes are compared.", choices=("cosine", "euclidean"))
    seed: int = option(0, "Random seed of the patches and of k-means.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        generator = np.random.default_rng(self.seed)
        total = sum(len(batch.items) for batch in batches)
        if total == 0:
            raise BadItemError("there is nothing to fit on: the corpus holds no pictures")
        per_picture = -(-self.patches // total)
        self.shape = next(np.asarray(picture).shape for batch in batches for picture in batch.items)
        if min(self.shape[:2]) < self.patch:
            raise OptionError(f"patch-kmeans: patch={self.patch} is larger than the pictures, {_written(self.shape)}")
        samples = [self._some(picture, per_picture, generator) for batch in batches for picture in batch.items]
        patches = np.concatenate(samples)
        if self.k > len(patches):
            raise OptionError(
                f"patch-kmeans: k={self.k} is more than {len(patches):,} patches: lower k, or raise patches"
            )
        self.mean = patches.mean(axis=0)
        self.whitening = _whitening(patches - self.mean)
        self._set_centroids(self._learnt((patches - self.mean) @ self.whitening))
        self.middle, self.spread = np.zeros(4 * self.k, np.float32), np.ones(4 * self.k, np.float32)
        if self.scale:
            self._learn_scale(batches, total)
        return Space(4 * self.k, Kind.DENSE, Metric(self.metric))

    def _learnt(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        from encoders.registry import create

        clusters = create(f"kmeans:{self.k},restarts=1,iterations=25,seed={self.seed}").fit(patches)
        return np.ascontiguousarray(clusters.decode(identity(self.k, np.float32, "csr")), dtype=np.float32)

    def _learn_scale(self, batches: Batches, total: int) -> None:
        """Learn mean and standard deviation of the codes from up to `SCALED` pictures, at equal intervals."""
        every = -(-total // SCALED)
        all_pictures = (picture for batch in batches for picture in batch.items)
        pictures = list(islice(all_pictures, 0, None, every))
        codes = self._encode(pictures)
        spread = codes.std(axis=0)
        # a centroid that is near hardly any patch of the sample would be amplified
        smallest = max(1e-6, MIN_DEVIATION * float(np.median(spread)))
        self.middle, self.spread = codes.mean(axis=0), np.maximum(spread, smallest)

    def _some(self, picture: Any, count: int, generator: np.random.Generator) -> NDArray[np.float32]:
        every = self._patches(picture)
        return every[generator.integers(len(every), size=count)]

    def _patches(self, picture: Any) -> NDArray[np.float32]:
        """Return the patch at every position, row by row, with mean 0 and equal contrast, float32 (positions, size)."""
        array = np.asarray(picture)
        if array.shape != self.shape:
            raise DimensionError(
                f"expected pictures of {_written(self.shape)} as in training, got {_written(array.shape)}: "
                "scale them with ?size= of the corpus"
            )
        values: NDArray[Any] = array.astype(np.float32)
        if array.dtype == np.uint8:
            values /= 255
        windows = np.lib.stride_tricks.sliding_window_view(values, (self.patch, self.patch), axis=(0, 1))
        rows: NDArray[np.float32] = windows.reshape(windows.shape[0] * windows.shape[1], -1)
        centred = rows - rows.mean(axis=1, keepdims=True)
        spread = np.sqrt(np.einsum("ij,ij->i", centred, centred) / centred.shape[1] + np.float32(FLAT))
        return np.asarray(centred / spread[:, None], dtype=np.float32)

    def _encode(self, items: Any) -> Codes:
        codes = np.empty((len(items), 4 * self.k), dtype=np.float32)

        def work(start: int) -> None:
            for row in range(start, min(start + ROWS, len(items))):
                codes[row] = self._code(items[row])

        in_parallel(work, range(0, len(items), ROWS))
        return codes

    def _code(self, picture: Any) -> NDArray[np.float32]:
        whitened = self._whitened(self._patches(picture))
        distances = np.sqrt(self._to_centroids.squared(whitened)).astype(np.float32)
        active = np.maximum(distances.mean(axis=1, keepdims=True) - distances, 0)
        height, width = (side - self.patch + 1 for side in self.shape[:2])
        active = active.reshape(height, width, self.k)
        down, right = max(1, height // 2), max(1, width // 2)
        quarters = [rows for half in (active[:down], active[down:]) for rows in (half[:, :right], half[:, right:])]
        return (np.concatenate([quarter.sum(axis=(0, 1)) for quarter in quarters]) - self.middle) / self.spread

    def state(self) -> State:
        """Return picture shape, mean patch, whitening (size, size), centroids (k, size) and code scale (4 k,)."""
        return {
            "shape": np.asarray(self.shape),
            "mean": self.mean,
            "whitening": self.whitening,
            "centroids": self.centroids,
            "middle": self.middle,
            "spread": self.spread,
        }

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.shape = tuple(int(side) for side in state["shape"])
        self.mean, self.whitening = state["mean"], state["whitening"]
        self._set_centroids(state["centroids"])
        self.middle, self.spread = state["middle"], state["spread"]

    def _set_centroids(self, centroids: NDArray[np.float32]) -> None:
        self.centroids, self._to_centroids = centroids, Distances(centroids)
        self._whitened = Product(self.whitening, self.mean)  # the matrix is symmetric


def _whitening(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the symmetric matrix that scales all directions to equal variance (ZCA)."""
    covariance = (patches.T @ patches).astype(np.float64) / len(patches)
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors / np.sqrt(np.maximum(values, 0) + NOISE) @ vectors.T, dtype=np.float32)


def _written(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
