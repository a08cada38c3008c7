"""Independent component analysis: directions along which the data are as far from Gaussian as they can be."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from encoders.base import Encoder, State
from encoders.batches import Encoded
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, collect
from encoders.options import LARGEST_SEED, option
from encoders.progress import waiting
from encoders.projection.pca import PCA


@dataclass
class ICA(Encoder):
    """FastICA: the k whitened principal components, rotated until they are as independent as possible.

    The rotation is found on the codes of `PCA`, so that the data themselves are read once and never held.

    Examples
    --------
    >>> sources = np.random.default_rng(0).uniform(-1, 1, (2000, 2)).astype(np.float32)
    >>> mixed = sources @ np.array([[2, 1], [1, 1]], dtype=np.float32)
    >>> found = ICA(2).fit_encode(mixed)
    >>> agreement = abs(np.corrcoef(sources.T, found.T)[:2, 2:])
    >>> bool(agreement.max(axis=1).min() > 0.99)
    True

    References
    ----------
    Hyvärinen & Oja, Independent component analysis: algorithms and applications, Neural Networks 13, 2000, §6.
    """

    name: ClassVar[str] = "ica"
    k: int = option(30, "number of components", ge=1)
    contrast: str = option("logcosh", "how far from Gaussian is measured", choices=("logcosh", "exp", "cube"))
    iterations: int = option(400, "rotations at most", ge=1)
    metric: str = option("euclidean", "how two codes are compared", choices=("euclidean", "cosine"))
    seed: int = option(0, "seed of the first rotation", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        from sklearn.decomposition import FastICA
        from sklearn.exceptions import ConvergenceWarning

        whitening = PCA(self.k, whiten=True).fit(batches)
        rotation = FastICA(fun=self.contrast, whiten=False, max_iter=self.iterations, tol=1e-4, random_state=self.seed)
        with warnings.catch_warnings():
            # what was reached is used; `iterations_used` says whether there was more to come
            warnings.simplefilter("ignore", ConvergenceWarning)
            with waiting("FastICA"):
                rotation.fit(collect(Encoded(batches, whitening.encode)).astype(np.float64))
        self.iterations_used = int(rotation.n_iter_)
        unmixing = rotation.components_.astype(np.float32)  # (k, k), of whitened codes
        scale = np.sqrt(np.maximum(whitening.explained_variance, 1e-12))[:, None]
        self.mean = whitening.mean
        self.components = np.ascontiguousarray(unmixing @ (whitening.components / scale), dtype=np.float32)
        self.mixing = np.ascontiguousarray(
            (whitening.components * scale).T @ np.linalg.pinv(unmixing), dtype=np.float32
        )
        return Space(self.k, Kind.DENSE, Metric(self.metric))

    def _encode(self, items: Any) -> Codes:
        return self._products.of(self.components, self.mean)(items)

    def _decode(self, codes: Codes) -> Items:
        return np.asarray(codes @ self.mixing.T + self.mean, dtype=np.float32)

    def state(self) -> State:
        """Mean (dim,), unmixing components (k, dim) and mixing matrix (dim, k)."""
        return {"mean": self.mean, "components": self.components, "mixing": self.mixing}

    def restore(self, state: State) -> None:
        """Take back what `state` returned."""
        self.mean, self.components, self.mixing = state["mean"], state["components"], state["mixing"]
