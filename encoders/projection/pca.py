"""Principal component analysis: exactly in one pass, randomised for wide data, or incrementally."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, collect, n_rows
from encoders.errors import BadItemError, OptionError
from encoders.options import LARGEST_SEED, option
from encoders.projection.feature_scores import means, variances

#: Above this width the (dim, dim) scatter matrix no longer pays.
MAX_WIDTH = 8192
#: Directions beyond k in which the randomised solver looks.
OVERSAMPLES = 20
#: Rows that the incremental solver takes at a time, at least.
STEP_ROWS = 2048
#: Standard deviation, as a share of the length of a row, that rounding alone gives a direction, at most.
ROUNDING = 8 * float(np.finfo(np.float32).eps)

#: Mean (dim,), components (k, dim), their variances (k,), and the variance of all components together.
Solution = tuple[NDArray[Any], NDArray[Any], NDArray[Any], float]


@dataclass
class PCA(Encoder):
    """Projection on the k directions of largest variance: z = W(x - mean), x^ = W'z + mean.

    ``exact`` sums the scatter matrix batch by batch in float64: the data are read once and never held, whatever their
    number. ``randomized`` holds them, and is the one for wide or sparse data; they are centred in the products only,
    so that sparse rows stay sparse. ``incremental`` holds a few thousand rows and k components at a time.
    ``auto``: exact up to a width of 8,192, randomized above. With `whiten`, codes have variance 1 in every component in
    which the data vary, and are 0 in others.

    Examples
    --------
    >>> line = np.array([[0, 0], [1, 1], [2, 2], [3, 3]], dtype=np.float32)
    >>> encoder = PCA(1).fit(line)
    >>> np.allclose(encoder.decode(encoder.encode(line)), line, atol=1e-6)
    True

    References
    ----------
    Pearson, On lines and planes of closest fit to systems of points in space, 1901; Bishop, Pattern Recognition and
    Machine Learning, 2006, §12.1; Halko, Martinsson & Tropp, Finding structure with randomness, SIAM Review 53(2),
    2011, Algorithm 4.4 (``randomized``); Ross, Lim, Lin & Yang, Incremental learning for robust visual tracking, IJCV
    77, 2008, Figure 1 (``incremental``).
    """

    name: ClassVar[str] = "pca"
    k: int = option(30, "number of components", ge=1)
    metric: str = option("euclidean", "how two codes are compared", choices=("euclidean", "cosine"))
    whiten: bool = option(False, "scale every component to variance 1")
    solver: str = option("auto", "how it is fitted", choices=("auto", "exact", "randomized", "incremental"))
    iterations: int = option(4, "power iterations of the randomized solver", ge=0, le=100)
    seed: int = option(0, "seed of the randomized solver", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        fit = {"exact": self._exact, "randomized": self._randomized, "incremental": self._incremental}
        solver = self.solver
        if solver == "auto":
            solver = "randomized" if _width(batches) > MAX_WIDTH else "exact"
        mean, components, variance, total = fit[solver](batches)
        self.mean = mean.astype(np.float32)
        self.components = np.ascontiguousarray(_signed(components), dtype=np.float32)
        # float64 holds the squares of whatever float32 holds
        self.explained_variance = np.maximum(variance, 0).astype(np.float64)
        self.total_variance = np.asarray([total], dtype=np.float64)
        return Space(self.k, Kind.DENSE, Metric(self.metric))

    def _exact(self, batches: Batches) -> Solution:
        total, mean, scatter = _moments(batches)
        self._require_enough(total, len(mean))
        variance, vectors = np.linalg.eigh(scatter / total)
        order = np.argsort(-variance, kind="stable")[: self.k]
        return mean, vectors[:, order].T, variance[order], float(variance.sum())

    def _randomized(self, batches: Batches) -> Solution:
        matrix = collect(batches)
        self._require_enough(*matrix.shape)
        mean, total = means(matrix), float(variances(matrix).sum())
        components, variance = _randomized_svd(matrix, mean.astype(np.float32), self.k, self.iterations, self.seed)
        return mean, components, variance, total

    def _incremental(self, batches: Batches) -> Solution:
        from sklearn.decomposition import IncrementalPCA

        model = IncrementalPCA(self.k)
        total = 0
        for rows in _steps(batches, max(STEP_ROWS, 2 * self.k)):
            self._require_enough(total + len(rows), rows.shape[1])
            model.partial_fit(rows.astype(np.float64))
            total += len(rows)
        if total == 0:
            raise BadItemError("there is nothing to fit on: the corpus holds no items")
        variance = model.explained_variance_ * (total - 1) / total
        return model.mean_, model.components_, variance, float(model.var_.sum())

    def _require_enough(self, rows: int, width: int) -> None:
        if self.k > min(rows, width):
            most = min(rows, width)
            raise OptionError(
                f"pca: k={self.k} is more than {rows:,} items of {width:,} numbers can give: at most {most:,}"
            )

    def spreads(self) -> NDArray[np.float64]:
        """Return the standard deviation of every component (k,); 0 where nothing but rounding varies.

        Rows of length r are rounded by about r times float32's epsilon, which looks like a direction of its own.
        """
        spread = np.sqrt(self.explained_variance.astype(np.float64))
        length = np.sqrt(float(self.total_variance[0]) + float(np.square(self.mean, dtype=np.float64).sum()))
        return np.where(spread > ROUNDING * length, spread, 0.0)

    def _encode(self, items: Any) -> Codes:
        codes = self._products.of(self.components, self.mean)(items)
        if not self.whiten:
            return codes
        spreads = self.spreads()
        inverse = np.divide(1, spreads, out=np.zeros_like(spreads), where=spreads > 0)
        return np.asarray(codes * inverse, dtype=np.float32)

    def _decode(self, codes: Codes) -> Items:
        lengths = codes * self.spreads() if self.whiten else codes
        return np.asarray(lengths @ self.components + self.mean, dtype=np.float32)

    def state(self) -> State:
        """Mean, components (k, dim), their variances and the total."""
        return {
            "mean": self.mean,
            "components": self.components,
            "explained_variance": self.explained_variance,
            "total_variance": self.total_variance,
        }

    def restore(self, state: State) -> None:
        """Take back what `state` returned."""
        self.mean, self.components = state["mean"], state["components"]
        self.explained_variance, self.total_variance = state["explained_variance"], state["total_variance"]


def _moments(batches: Batches) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Return count, mean and scatter about the mean, from one pass about a provisional centre (no cancellation)."""
    total, centre, shift, scatter = 0, np.empty(0), np.empty(0), np.empty(0)
    for batch in batches:
        rows: Any = batch.items.toarray() if issparse(batch.items) else batch.items
        rows = rows.astype(np.float64)
        if total == 0:
            if rows.shape[1] > MAX_WIDTH:
                raise OptionError(
                    f"pca: solver=exact takes vectors of up to {MAX_WIDTH:,} numbers, got {rows.shape[1]:,}: "
                    "use randomized or incremental"
                )
            centre = rows.mean(axis=0)
            shift, scatter = np.zeros(rows.shape[1]), np.zeros((rows.shape[1], rows.shape[1]))
        rows -= centre
        shift += rows.sum(axis=0)
        scatter += rows.T @ rows
        total += len(rows)
    if total == 0:
        raise BadItemError("there is nothing to fit on: the corpus holds no items")
    shift /= total
    return total, centre + shift, scatter - total * np.outer(shift, shift)


def _signed(components: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fix the sign that the mathematics leaves open: the largest entry of a component is positive."""
    largest = components[np.arange(len(components)), np.abs(components).argmax(axis=1)]
    return np.asarray(components * np.where(largest < 0, -1, 1)[:, None])


def _width(batches: Batches) -> int:
    return next((int(batch.items.shape[1]) for batch in batches), 0)


def _randomized_svd(
    matrix: Codes, mean: NDArray[np.float32], k: int, iterations: int, seed: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return k components and their variances; scikit-learn's randomized_svd would need a centred, dense copy."""
    size = min(k + OVERSAMPLES, *matrix.shape)
    probe = np.random.default_rng(seed).standard_normal((matrix.shape[1], size), dtype=np.float32)
    basis = np.linalg.qr(matrix @ probe - mean @ probe)[0]
    for _ in range(iterations):
        probe = np.linalg.qr(matrix.T @ basis - np.outer(mean, basis.sum(axis=0)))[0]
        basis = np.linalg.qr(matrix @ probe - mean @ probe)[0]
    small = (matrix.T @ basis - np.outer(mean, basis.sum(axis=0))).T
    _, values, right = np.linalg.svd(small, full_matrices=False)
    return right[:k], values[:k].astype(np.float64) ** 2 / matrix.shape[0]


def _steps(batches: Batches, least: int) -> Iterator[NDArray[Any]]:
    """Yield dense rows, at least `least` at a time: what is left over goes with the last ones."""
    held: list[NDArray[Any]] = []
    for batch in batches:
        held.append(batch.items.toarray() if issparse(batch.items) else batch.items)
        if sum(map(n_rows, held)) >= 2 * least:
            whole = np.concatenate(held)
            while len(whole) >= 2 * least:
                yield whole[:least]
                whole = whole[least:]
            held = [whole]
    if held:
        yield np.concatenate(held)
