"""Reconstruction error: how far an item is from what its code says about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import State
from encoders.codes import Codes
from encoders.errors import UnsupportedSpaceError
from retrieval.applications.anomaly.score import Score
from retrieval.applications.anomaly.stages import Stages, blocks, dense

Floats = NDArray[np.float64]
#: The smallest scale of a component, relative to the median of all: one that training items always reconstruct exactly.
SMALLEST_SCALE = 1e-3
#: The error of a space that leaves nothing out, relative to the length of the items: the rounding of float32.
EXACT = 1e-5


class ReconstructionError(Score):
    """The squared difference between an item and its reconstruction, summed over the components.

    For word counts, whose reconstruction is a share for each word, it is the cross-entropy in nats per word.

    Parameters
    ----------
    stages : Stages
    standardise : bool
        Divide the difference of each component by its root mean square over the training items, so that components in
        different units count alike, and a component that is usually reconstructed well counts more. In a table of n
        rows it is at least 1 / sqrt(n + 1): a category that no training row has counts as if one more row had it.

    References
    ----------
    Hawkins, He, Williams & Baxter, Outlier detection using replicator neural networks, DaWaK 2002; the standardised
    form: Jackson & Mudholkar, Control procedures for residuals associated with principal component analysis,
    Technometrics 21(3), 1979.
    """

    name: ClassVar[str] = "reconstruction"
    meaning: ClassVar[str] = "squared reconstruction error"

    def __init__(self, stages: Stages, standardise: bool = False) -> None:
        super().__init__(stages)
        self.standardise = standardise
        self.scale: Floats | None = None

    @classmethod
    def why_not(cls, stages: Stages) -> str:
        """Return why an encoder cannot reconstruct."""
        if not stages.learners:
            return f"its codes are the items themselves: put a stage after it, as in '{stages.encoder}+pca:8'"
        if not stages.decodes:
            return "its codes cannot be decoded: use --score neighbours, or a space such as pca or deep-ae"
        return ""

    def fit(self, blocks_of_rows: Iterable[Codes]) -> None:
        """Learn the root mean square of the difference of each component."""
        if not self.standardise or self.counts:
            return
        total, size, count = np.zeros(self.stages.width), 0.0, 0
        for rows in blocks_of_rows:
            for block in blocks(rows):
                total += np.square(self._difference(block)).sum(axis=0)
                size += float(np.square(dense(block), dtype=np.float64).sum())
                count += block.shape[0]
        if total.sum() <= EXACT**2 * size and self.stages.encoder.space.dim >= self.stages.width:
            raise UnsupportedSpaceError(
                f"'{self.stages.encoder}' has {self.stages.encoder.space.dim} components for {self.stages.width} and "
                "leaves nothing out, so no item has an error: give fewer components, or --score neighbours"
            )
        scale = np.sqrt(total / max(1, count))
        positive = scale[scale > 0]
        floor = SMALLEST_SCALE * float(np.median(positive)) if len(positive) else 1.0
        if self.stages.table is not None:
            # A category or flag that no training row has: as if one more row had it. The codes of columns share a unit.
            floor = max(floor, 1 / np.sqrt(count + 1))
        self.scale = np.maximum(scale, floor)

    @property
    def counts(self) -> bool:
        """Whether the last stage reconstructs shares of words."""
        loss: Any = getattr(self.stages.learners[-1], "_reconstruction_loss", None)
        return loss is not None and loss.loss == "counts" and len(self.stages.learners) == 1

    def by_component(self, rows: Codes) -> tuple[Floats, Floats, Floats]:
        """Return the part that each component adds to the score, what is observed, and what is expected.

        Parameters
        ----------
        rows : float32 or sparse (n, dim)

        Returns
        -------
        tuple of ndarray float64 (n, dim)
            The first one sums to the score of each row. Word counts are shares.
        """
        observed, expected = dense(rows).astype(np.float64), self.stages.reconstruct(rows).astype(np.float64)
        if self.counts:
            observed = observed / np.maximum(observed.sum(axis=1, keepdims=True), 1e-9)
            return -observed * np.log(np.maximum(expected, 1e-9)), observed, expected
        difference = observed - expected
        if self.scale is not None:
            difference = difference / self.scale
        return np.square(difference), observed, expected

    def _score(self, rows: Codes) -> Floats:
        return np.asarray(self.by_component(rows)[0].sum(axis=1))

    def _difference(self, rows: Codes) -> Floats:
        return dense(rows).astype(np.float64) - self.stages.reconstruct(rows)

    def options(self) -> dict[str, Any]:
        """Return whether it is standardised."""
        return {"standardise": self.standardise}

    def state(self) -> State:
        """Return the scale of each component (dim,), if it is standardised."""
        return {} if self.scale is None else {"scale": self.scale}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        scaled = self.standardise and not self.counts
        if state.keys() != ({"scale"} if scaled else set()):
            raise ValueError("the scales of a standardised score are missing" if scaled else "a score has no scales")
        if not scaled:
            return
        scale = state["scale"]
        if scale.shape != (self.stages.width,) or scale.dtype != np.float64:
            raise ValueError(f"scales are {scale.dtype} {scale.shape} for rows of width {self.stages.width}")
        if not np.isfinite(scale).all() or not (scale > 0).all():
            raise ValueError("a scale is not a number above 0")
        self.scale = scale
