"""One Gaussian: the parametric density that every other is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import State
from encoders.codes import Batches, Space, collect
from encoders.density.density import LOG_TAU, SPACE, Density, require_above_ridge
from encoders.errors import BadItemError
from encoders.options import option


@dataclass
class Gaussian(Density):
    """The log-likelihood under a multivariate normal distribution with the mean and covariance of the data.

    `ridge` is added to every variance, so that constant components have a density too.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((500, 2)).astype(np.float32)
    >>> near, far = Gaussian().fit(rows).log_likelihood([[0.0, 0.0], [5.0, 5.0]])
    >>> bool(near > far)
    True

    References
    ----------
    Bishop, Pattern Recognition and Machine Learning, 2006, §2.3.4 (maximum likelihood).
    """

    name: ClassVar[str] = "gaussian"
    ridge: float = option(1e-6, "added to every variance", ge=0)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        matrix = np.asarray(collect(batches), dtype=np.float64)
        mean = matrix.mean(axis=0)
        centred = matrix - mean
        require_above_ridge(self.name, centred, self.ridge)
        covariance = centred.T @ centred / len(matrix) + self.ridge * np.eye(len(mean))
        try:
            lower = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            raise BadItemError(
                "gaussian: the covariance has no inverse, as some components are constant or follow from others: "
                "raise ridge, or put pca before it"
            ) from None
        self.mean = mean.astype(np.float32)
        # whitening W with W' W = covariance^-1, so that a query is one matrix product
        self.whitening = np.linalg.solve(lower, np.eye(len(mean)))
        return SPACE

    def _log_likelihood(self, items: NDArray[Any]) -> NDArray[np.float64]:
        whitened = (items - self.mean) @ self.whitening.T
        log_volume = float(np.log(np.diag(self.whitening)).sum())
        return np.asarray(log_volume - 0.5 * (np.square(whitened).sum(axis=1) + LOG_TAU * len(self.mean)))

    def state(self) -> State:
        """Mean (dim,) and whitening matrix (dim, dim)."""
        return {"mean": self.mean, "whitening": self.whitening}

    def restore(self, state: State) -> None:
        """Take back what `state` returned."""
        self.mean, self.whitening = state["mean"], state["whitening"]
