"""Nearest-neighbour density."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import State
from encoders.codes import Batches, Space
from encoders.density.density import SPACE, Density
from encoders.density.sample import distances_to, points_of
from encoders.errors import OptionError
from encoders.options import LARGEST_SEED, option

#: Smallest squared distance, as a share of the variance: at distance 0 the density would be infinite.
MIN_DISTANCE = 1e-12


@dataclass
class NearestDensity(Density):
    """Log-likelihood by the distance to the k-th nearest training item.

    Use it when you look for outliers and the density differs from region to region.

    The density is k / (n V r^dim): r is the distance to the k-th nearest of n training items, V the volume of the unit
    ball. A training item is its own first neighbour.

    Examples
    --------
    >>> encoder = NearestDensity(1).fit([[0.0], [10.0]])
    >>> encoder.log_likelihood([[1.0]]).round(4).tolist()  # ln(1 / (2 * 2 * 1))
    [-1.3863]

    References
    ----------
    Loftsgaarden & Quesenberry, A nonparametric estimate of a multivariate density function, Ann. Math. Stat. 36(3),
    1965; Bishop, Pattern Recognition and Machine Learning, 2006, §2.5.2.
    """

    name: ClassVar[str] = "nearest-density"
    k: int = option(10, "Rank of the neighbour whose distance is used.", ge=1)
    points: int = option(20_000, "Largest number of training items to store.", ge=1)
    seed: int = option(0, "Random seed of the sample.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        self.stored = points_of(batches, self.points, self.seed)
        if self.k > len(self.stored):
            raise OptionError(
                f"nearest-density: k={self.k} is more than the {len(self.stored):,} training items: lower k"
            )
        self._measure()
        return SPACE

    def _measure(self) -> None:
        self._min_distance = MIN_DISTANCE * (float(self.stored.var(axis=0, dtype=np.float64).sum()) or 1.0)

    def _log_likelihood(self, items: NDArray[Any]) -> NDArray[np.float64]:
        squares = np.partition(distances_to(items, self.stored), self.k - 1, axis=1)[:, self.k - 1]
        dim = self.stored.shape[1]
        log_ball = 0.5 * dim * math.log(math.pi) - math.lgamma(dim / 2 + 1)
        radius = 0.5 * np.log(np.maximum(squares, self._min_distance))
        return np.asarray(math.log(self.k / len(self.stored)) - log_ball - dim * radius)

    def state(self) -> State:
        """Return stored training items (m, dim)."""
        return {"kept": self.stored}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.stored = state["kept"]
        self._measure()
