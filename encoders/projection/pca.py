"""Principal component analysis, fitted in one pass over the data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.errors import BadItemError, OptionError
from encoders.options import option

#: Above this width the (dim, dim) scatter matrix no longer pays.
MAX_WIDTH = 8192


@dataclass
class PCA(Encoder):
    """Projection on the k directions of largest variance: z = W(x - mean), x^ = W'z + mean.

    The scatter matrix is summed batch by batch in float64, so that the data are read once and never held.

    Examples
    --------
    >>> line = np.array([[0, 0], [1, 1], [2, 2], [3, 3]], dtype=np.float32)
    >>> encoder = PCA(1).fit(line)
    >>> np.allclose(encoder.decode(encoder.encode(line)), line, atol=1e-6)
    True

    References
    ----------
    Pearson, On lines and planes of closest fit to systems of points in space, 1901; Bishop, Pattern Recognition and
    Machine Learning, 2006, §12.1.
    """

    name: ClassVar[str] = "pca"
    k: int = option(30, "number of components", ge=1)
    metric: str = option("euclidean", "how two codes are compared", choices=("euclidean", "cosine"))

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        total, mean, scatter = _moments(batches)
        if self.k > min(total, len(mean)):
            raise OptionError(f"pca: k={self.k} is more than {total} items of {len(mean)} numbers can give")
        variance, vectors = np.linalg.eigh(scatter / total)
        order = np.argsort(-variance, kind="stable")[: self.k]
        self.mean = mean.astype(np.float32)
        self.components = np.ascontiguousarray(_signed(vectors[:, order].T), dtype=np.float32)
        self.explained_variance = np.maximum(variance[order], 0).astype(np.float32)
        self.total_variance = np.asarray([variance.sum()], dtype=np.float32)
        return Space(self.k, Kind.DENSE, Metric(self.metric))

    def _encode(self, items: Any) -> Codes:
        # W x - W mean, not W (x - mean): no second copy of the batch, and sparse rows stay sparse
        return np.asarray(items @ self.components.T - self.mean @ self.components.T, dtype=np.float32)

    def _decode(self, codes: Codes) -> Items:
        return np.asarray(codes @ self.components + self.mean, dtype=np.float32)

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
                raise OptionError(f"pca takes vectors of up to {MAX_WIDTH} numbers, got {rows.shape[1]}; use lsa")
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
