"""Kernel density."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import State
from encoders.codes import Batches, Space
from encoders.density.density import LOG_TAU, SPACE, Density, log_sum_exp
from encoders.density.sample import distances_to, points_of
from encoders.errors import BadItemError
from encoders.options import LARGEST_SEED, option


@dataclass
class KernelDensity(Density):
    """Log-likelihood under a kernel density: the mean of Gaussian kernels around training items.

    Use it when you look for outliers in a few dimensions and know nothing about the shape of the data.

    At most `points` training items are stored, a random sample of more. Without a `bandwidth`, Scott's rule is used:
    the mean standard deviation of a component times n^(-1 / (dim + 4)).

    Examples
    --------
    >>> encoder = KernelDensity(bandwidth=1.0).fit([[0.0]])
    >>> encoder.log_likelihood([[0.0]]).round(4).tolist()  # -ln sqrt(2 pi)
    [-0.9189]

    References
    ----------
    Parzen, On estimation of a probability density function and mode, Ann. Math. Stat. 33(3), 1962; Scott, Multivariate
    Density Estimation, 1992, §6.3.
    """

    name: ClassVar[str] = "kernel-density"
    bandwidth: float | None = option(None, "Standard deviation of the kernels; none: Scott's rule.", gt=0)
    points: int = option(20_000, "Largest number of training items to store.", ge=1)
    seed: int = option(0, "Random seed of the sample.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        self.stored = points_of(batches, self.points, self.seed)
        width = self.bandwidth
        if width is None:
            spread = float(self.stored.std(axis=0, dtype=np.float64).mean())
            if not spread > 0:
                raise BadItemError("kernel-density: all items are equal, so Scott's rule does not apply: set bandwidth")
            width = spread * len(self.stored) ** (-1 / (self.stored.shape[1] + 4))
        self.width = np.asarray([width])
        return SPACE

    def _log_likelihood(self, items: NDArray[Any]) -> NDArray[np.float64]:
        width, dim = float(self.width[0]), self.stored.shape[1]
        logs = log_sum_exp(distances_to(items, self.stored) * (-0.5 / width**2))
        return np.asarray(logs - np.log(len(self.stored)) - dim * (np.log(width) + 0.5 * LOG_TAU))

    def state(self) -> State:
        """Return stored training items (m, dim) and the bandwidth."""
        return {"kept": self.stored, "width": self.width}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.stored, self.width = state["kept"], state["width"]
