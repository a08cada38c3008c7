"""Independent component analysis."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from encoders.base import Encoder, State
from encoders.batches import Encoded, collect
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.options import LARGEST_SEED, option
from encoders.progress import waiting
from encoders.projection.pca import PCA


@dataclass
class ICA(Encoder):
    """Independent component analysis by FastICA: whitened principal components, rotated to be independent.

    Use it when your data are mixtures of independent sources.

    The rotation is fitted on the codes of ``pca``, so the data are read once and never held. Where the data vary in
    fewer directions than `n_components`, the remaining components are 0: noise is not scaled to variance 1.

    Examples
    --------
    >>> sources = np.random.default_rng(0).uniform(-1, 1, (2000, 2)).astype(np.float32)
    >>> mixed = sources @ np.array([[2, 1], [1, 1]], dtype=np.float32)
    >>> codes = ICA(2).fit_encode(mixed)
    >>> agreement = abs(np.corrcoef(sources.T, codes.T)[:2, 2:])
    >>> bool(agreement.max(axis=1).min() > 0.99)
    True

    References
    ----------
    Hyvärinen & Oja, Independent component analysis: algorithms and applications, Neural Networks 13, 2000, §6.
    """

    name: ClassVar[str] = "ica"
    n_components: int = option(30, "Number of components.", ge=1)
    contrast: str = option(
        "logcosh", "Function that measures how far from Gaussian a component is.", choices=("logcosh", "exp", "cube")
    )
    iterations: int = option(400, "Largest number of FastICA iterations.", ge=1)
    metric: str = option("euclidean", "How two codes are compared.", choices=("euclidean", "cosine"))
    seed: int = option(0, "Random seed of the initial rotation.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        from sklearn.decomposition import FastICA
        from sklearn.exceptions import ConvergenceWarning

        whitening = _Whitening(self.n_components, whiten=True).fit(batches)
        deviations = whitening.spreads()
        rank = int(np.count_nonzero(deviations))  # components are sorted by descending variance
        rotation = FastICA(fun=self.contrast, whiten=False, max_iter=self.iterations, tol=1e-4, random_state=self.seed)
        with warnings.catch_warnings():
            # the result is used even if it has not converged; see `iterations_used`
            warnings.simplefilter("ignore", ConvergenceWarning)
            with waiting("FastICA"):
                codes = collect(Encoded(batches, whitening.encode))[:, :rank].astype(np.float64)
                if rank:
                    rotation.fit(codes)
        self.iterations_used = int(rotation.n_iter_) if rank else 0
        unmixing = rotation.components_ if rank else np.empty((0, 0))  # (rank, rank), for whitened codes
        directions, scale = whitening.components[:rank], deviations[:rank, None]
        self.mean = whitening.mean
        self.components = np.zeros_like(whitening.components)
        self.components[:rank] = unmixing @ (directions / scale)
        self.mixing = np.zeros_like(whitening.components.T)
        self.mixing[:, :rank] = (directions * scale).T @ np.linalg.pinv(unmixing)
        return Space(self.n_components, Kind.DENSE, Metric(self.metric))

    def _encode(self, items: Any) -> Codes:
        return self._products.of(self.components, self.mean)(items)

    def _decode(self, codes: Codes) -> Items:
        return np.asarray(codes @ self.mixing.T + self.mean, dtype=np.float32)

    def state(self) -> State:
        """Return mean (dim,), unmixing components (n_components, dim), mixing matrix (dim, n_components)."""
        return {"mean": self.mean, "components": self.components, "mixing": self.mixing}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.mean, self.components, self.mixing = state["mean"], state["components"], state["mixing"]


class _Whitening(PCA):
    """The whitened principal components; what they refuse is refused in the name that the user asked for."""

    name: ClassVar[str] = ICA.name
