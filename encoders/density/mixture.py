"""Gaussian mixture."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Kind, Metric, Space
from encoders.density.density import LOG_TAU, SPACE, Density, log_sum_exp, require_above_ridge
from encoders.errors import BadItemError, OptionError
from encoders.options import LARGEST_SEED, option
from encoders.progress import waiting

#: Largest size of all covariances together, in numbers (float64: 1 GiB; the fit holds several copies).
LARGEST = 2**27


@dataclass
class Mixture(Density):
    """Gaussian mixture, fitted by expectation maximisation (scikit-learn).

    Use it when you look for outliers or soft clusters, and several bell shapes describe the data.

    Codes: ``log-likelihood``, one number; ``responsibilities``, the probability of each Gaussian given the item, a soft
    clustering.

    Examples
    --------
    >>> rows = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]], dtype=np.float32)
    >>> codes = Mixture(2, codes="responsibilities").fit_encode(rows)
    >>> codes.round(2)[0].tolist() == codes.round(2)[1].tolist() != codes.round(2)[5].tolist()
    True

    References
    ----------
    Dempster, Laird & Rubin, Maximum likelihood from incomplete data via the EM algorithm, JRSS B 39, 1977; Bishop,
    Pattern Recognition and Machine Learning, 2006, §9.2.
    """

    name: ClassVar[str] = "mixture"
    n_components: int = option(10, "Number of Gaussians.", ge=1)
    codes: str = option("log-likelihood", "What a code contains.", choices=("log-likelihood", "responsibilities"))
    covariance: str = option("full", "Form of the covariance matrices.", choices=("full", "diag", "spherical", "tied"))
    ridge: float = option(1e-6, "Constant added to every variance.", gt=0)
    iterations: int = option(100, "Largest number of iterations of expectation maximisation.", ge=1)
    seed: int = option(0, "Random seed of the k-means that initialises the fit.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        matrix = np.asarray(collect(batches), dtype=np.float64)
        if self.n_components > len(matrix):
            raise OptionError(
                f"mixture: n-components={self.n_components} Gaussians cannot be fitted to {len(matrix):,} items: "
                "use fewer"
            )
        self._require_narrow(matrix.shape[1])
        require_above_ridge(self.name, matrix.var(axis=0), self.ridge)
        model = GaussianMixture(
            self.n_components,
            covariance_type=self.covariance,
            reg_covar=self.ridge,
            max_iter=self.iterations,
            random_state=self.seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the result is used even if it has not converged
            try:
                with waiting("Gaussian mixture"):
                    model.fit(matrix)
            except ValueError as error:
                raise BadItemError(f"mixture: a Gaussian has collapsed onto few items: raise ridge ({error})") from None
        self.weights, self.means = model.weights_, model.means_
        self.precisions = self._cholesky(model.precisions_cholesky_, matrix.shape[1])
        if self.codes == "log-likelihood":
            return SPACE
        return Space(self.n_components, Kind.DENSE, Metric.COSINE)

    def _require_narrow(self, width: int) -> None:
        matrices = {"full": self.n_components, "tied": 1}.get(self.covariance, 0)
        if matrices * width**2 > LARGEST:
            raise OptionError(
                f"mixture: covariance={self.covariance} needs {matrices} x {width:,} x {width:,} numbers, more than "
                f"{LARGEST:,}: use covariance=diag, or put pca before it"
            )

    def _cholesky(self, precisions: NDArray[Any], width: int) -> NDArray[np.float64]:
        """Return the factors in one form: (n_components, dim, dim), or (n_components, dim) if diagonal."""
        if self.covariance == "tied":
            return np.repeat(precisions[None], self.n_components, axis=0)
        if self.covariance == "spherical":
            return np.repeat(precisions[:, None], width, axis=1)
        return precisions

    def _joint(self, items: NDArray[Any]) -> NDArray[np.float64]:
        """Return ln weight + ln density of every item under every Gaussian (n, n_components)."""
        joint = np.empty((len(items), self.n_components))
        for column, (weight, mean, factor) in enumerate(zip(self.weights, self.means, self.precisions, strict=True)):
            full = factor.ndim == 2
            scaled = (items - mean) @ factor if full else (items - mean) * factor
            volume = float(np.log(np.diag(factor) if full else factor).sum())
            joint[:, column] = np.log(weight) + volume - 0.5 * (np.square(scaled).sum(axis=1) + LOG_TAU * len(mean))
        return joint

    def _log_likelihood(self, items: NDArray[Any]) -> NDArray[np.float64]:
        return log_sum_exp(self._joint(items))

    def _encode(self, items: Any) -> Codes:
        if self.codes == "log-likelihood":
            return super()._encode(items)
        joint = self._joint(items)
        return np.exp(joint - log_sum_exp(joint)[:, None]).astype(np.float32)

    def state(self) -> State:
        """Return weights (n_components,), means (n_components, dim) and Cholesky factors of the precisions."""
        return {"weights": self.weights, "means": self.means, "precisions": self.precisions}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.weights, self.means, self.precisions = state["weights"], state["means"], state["precisions"]
