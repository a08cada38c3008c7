"""The density of one Gaussian."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import State
from encoders.codes import Batch, Batches, Space
from encoders.density.density import LOG_TAU, SPACE, Density, require_above_ridge
from encoders.errors import BadItemError, OptionError
from encoders.moments import MAX_WIDTH, moments
from encoders.options import option


@dataclass
class Gaussian(Density):
    """Log-likelihood under one multivariate normal distribution with the mean and covariance of the data.

    Use it when you look for outliers and one bell shape describes the data.

    The data are read once, batch by batch, and never held. `ridge` is added to every variance, so that constant
    components also have a density.

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
    ridge: float = option(1e-6, "Constant added to every variance.", ge=0)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        from scipy.linalg.lapack import dtrtri

        count, mean, covariance = moments(self._narrow(batches))
        covariance /= count
        require_above_ridge(self.name, covariance.diagonal(), self.ridge)
        np.fill_diagonal(covariance, covariance.diagonal() + self.ridge)
        try:
            lower = np.linalg.cholesky(covariance)
            # whitening W with W' W = covariance^-1: one matrix product encodes items
            self.whitening = np.ascontiguousarray(dtrtri(lower, lower=1)[0])
        except np.linalg.LinAlgError:
            raise BadItemError(
                "gaussian: the covariance has no inverse, because components are constant or depend on others: "
                "raise ridge, or put pca before it"
            ) from None
        self.mean = mean.astype(np.float32)
        return SPACE

    def _narrow(self, batches: Batches) -> Iterator[Batch]:
        for batch in batches:
            width = int(batch.items.shape[1])
            if width > MAX_WIDTH:
                raise OptionError(
                    f"gaussian: vectors may have up to {MAX_WIDTH:,} numbers, got {width:,}: put pca before it"
                )
            yield batch

    def _log_likelihood(self, items: NDArray[Any]) -> NDArray[np.float64]:
        whitened = (items - self.mean) @ self.whitening.T
        log_volume = float(np.log(np.diag(self.whitening)).sum())
        return np.asarray(log_volume - 0.5 * (np.square(whitened).sum(axis=1) + LOG_TAU * len(self.mean)))

    def state(self) -> State:
        """Return mean (dim,) and whitening matrix (dim, dim)."""
        return {"mean": self.mean, "whitening": self.whitening}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.mean, self.whitening = state["mean"], state["whitening"]
