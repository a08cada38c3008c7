"""Binarisation: one bit per component."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, slices
from encoders.options import option

#: Rows per block.
ROWS = 4096


@dataclass
class Binarize(Encoder):
    """One bit per component: 1 where it is above its threshold; codes are compared by Hamming distance.

    Use it when memory matters most, after ``pca``, ``lsa`` or an autoencoder.

    Decoding returns, for each component, the mean of the training values on the bit's side of the threshold: the value
    of least squared error.

    Examples
    --------
    >>> codes = Binarize().fit([[0.0, 5.0], [1.0, 6.0], [2.0, 7.0]]).encode([[2.0, 5.0]])
    >>> np.unpackbits(codes, axis=1)[:, :2].tolist()
    [[1, 0]]

    References
    ----------
    Salakhutdinov & Hinton, Semantic hashing, 2009, §4 (thresholded codes); the median makes each bit as likely as not,
    as in Weiss, Torralba & Fergus, Spectral hashing, 2008, §1.
    """

    name: ClassVar[str] = "binarize"
    reads_sparse: ClassVar[bool] = False
    gives_bits: ClassVar[bool] = True
    threshold: str = option("median", "Threshold of each component.", choices=("median", "mean", "zero"))

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        matrix = collect(batches)
        dim = int(matrix.shape[1])
        self.thresholds = np.zeros(dim, dtype=np.float32)
        if self.threshold != "zero":
            centre = np.median if self.threshold == "median" else np.mean
            self.thresholds = _between(matrix, np.asarray(centre(matrix, axis=0), dtype=np.float32))
        above = matrix > self.thresholds
        self.levels = np.stack([_mean_where(matrix, ~above), _mean_where(matrix, above)]).astype(np.float32)
        return Space(dim, Kind.BINARY, Metric.HAMMING)

    def _encode(self, items: Any) -> Codes:
        return np.packbits(items > self.thresholds, axis=1)

    def _decode(self, codes: Codes) -> Items:
        bits = np.unpackbits(np.asarray(codes, dtype=np.uint8), axis=1, count=self.space.dim)
        return np.where(bits == 1, self.levels[1], self.levels[0])

    def state(self) -> State:
        """Thresholds (dim,) and the two decoding levels (2, dim)."""
        return {"thresholds": self.thresholds, "levels": self.levels}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.thresholds, self.levels = state["thresholds"], state["levels"]


def _between(matrix: NDArray[np.float32], thresholds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move each threshold half-way to the next larger value; the same items are above it.

    A median is the value of an item. Codes of a network differ in their last digits from batch to batch, so the bit of
    this item would differ too.
    """
    below, above = np.full(len(thresholds), -np.inf), np.full(len(thresholds), np.inf)
    for rows in slices(matrix, ROWS):
        over = rows > thresholds
        above = np.minimum(above, np.where(over, rows, np.inf).min(axis=0))
        below = np.maximum(below, np.where(over, -np.inf, rows).max(axis=0))
    inner = np.isfinite(above) & np.isfinite(below)
    below, above = np.where(inner, below, thresholds), np.where(inner, above, thresholds)
    middle = (0.5 * below + 0.5 * above).astype(np.float32)
    return np.where(middle < above, middle, below.astype(np.float32))  # no float32 is between two neighbouring numbers


def _mean_where(matrix: Any, mask: Any) -> Any:
    count = mask.sum(axis=0)
    return np.where(count > 0, (matrix * mask).sum(axis=0) / np.maximum(count, 1), 0)
