"""Principal component analysis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.options import LARGEST_SEED, option
from encoders.projection import pca_solvers as solvers

#: Largest standard deviation that rounding alone causes, as a share of the length of a row.
ROUNDING = 8 * float(np.finfo(np.float32).eps)


@dataclass
class PCA(Encoder):
    """Principal component analysis: projection on the directions of largest variance.

    Use it when you want a smaller dense code that is fast to fit and easy to explain: the first projection to try.

    z = W(x - mean), and x is reconstructed as W'z + mean. With `whiten`, codes have variance 1 in every component in
    which the data vary, and are 0 in the others. Solvers:

    - ``exact`` solves the eigenproblem of the smaller side. With fewer items than numbers per item, it holds the items
      and compares them with one another. Otherwise it sums the scatter matrix batch by batch in float64; the data are
      read once and never held.
    - ``randomized`` holds the data; it suits many items that are wide or sparse. They are centred inside the matrix
      products only, so sparse rows stay sparse.
    - ``incremental`` holds a few thousand rows and the components at a time.
    - ``auto`` is exact where either side is at most 500, where items of at most 1,000 numbers are ten times as many,
      where `n_components` is more than a tenth of the smaller side, or where the data take more than 1 GiB; otherwise
      randomized.

    Examples
    --------
    >>> line = np.array([[0, 0], [1, 1], [2, 2], [3, 3]], dtype=np.float32)
    >>> encoder = PCA(1).fit(line)
    >>> np.allclose(encoder.decode(encoder.encode(line)), line, atol=1e-6)
    True

    References
    ----------
    Pearson, On lines and planes of closest fit to systems of points in space, 1901; Bishop, Pattern Recognition and
    Machine Learning, 2006, §12.1; for the solvers see `encoders.projection.pca_solvers`.
    """

    name: ClassVar[str] = "pca"
    n_components: int = option(30, "Number of components.", ge=1)
    metric: str = option("euclidean", "How two codes are compared.", choices=("euclidean", "cosine"))
    whiten: bool = option(False, "Scale every component to variance 1.")
    solver: str = option("auto", "Algorithm of the fit.", choices=("auto", "exact", "randomized", "incremental"))
    iterations: int = option(4, "Power iterations of the randomized solver.", ge=0, le=100)
    seed: int = option(0, "Random seed of the randomized solver.", ge=0, le=LARGEST_SEED)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.keeps_distances: bool = not self.whiten  # type: ignore[misc]  # the components are orthonormal

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        solver = self.solver
        if solver == "auto":
            solver, batches = solvers.choose(batches, self.n_components)
        if solver == "exact":
            solution = solvers.exact(self.name, batches, self.n_components)
        elif solver == "incremental":
            solution = solvers.incremental(self.name, batches, self.n_components)
        else:
            solution = solvers.randomized(self.name, collect(batches), self.n_components, self.iterations, self.seed)
        self.mean = solution.mean.astype(np.float32)
        self.components = np.ascontiguousarray(_signed(solution.components), dtype=np.float32)
        # float64 can represent the square of every float32
        self.explained_variance = np.maximum(solution.variance, 0).astype(np.float64)
        self.total_variance = np.asarray([solution.total], dtype=np.float64)
        return Space(self.n_components, Kind.DENSE, Metric(self.metric))

    def spreads(self) -> NDArray[np.float64]:
        """Return the standard deviation of every component (n_components,); 0 where only rounding varies.

        Rows of length r are rounded by about r times the epsilon of float32, which looks like a direction.
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
        """Return mean, components (n_components, dim), their variances and the total variance."""
        return {
            "mean": self.mean,
            "components": self.components,
            "explained_variance": self.explained_variance,
            "total_variance": self.total_variance,
        }

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.mean, self.components = state["mean"], state["components"]
        self.explained_variance, self.total_variance = state["explained_variance"], state["total_variance"]


def _signed(components: NDArray[np.float64]) -> NDArray[np.float64]:
    """Choose the sign of each component so that its largest entry is positive."""
    largest = components[np.arange(len(components)), np.abs(components).argmax(axis=1)]
    return np.asarray(components * np.where(largest < 0, -1, 1)[:, None])
