"""Latent semantic analysis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from encoders.base import Encoder, State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, normalized
from encoders.options import LARGEST_SEED, option
from encoders.projection.component_limit import require_components


@dataclass
class LSA(Encoder):
    """Latent semantic analysis: truncated SVD of a term matrix.

    Use it when you want a dense code of texts that finds related words: ``tfidf+lsa:128``.

    The code is the projection on the leading right singular vectors. Rows are first scaled to unit length, as cosine
    compares them, so that long documents do not dominate the SVD. The matrix is not centred and stays sparse.

    Examples
    --------
    >>> terms = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 0]], dtype=np.float32)
    >>> codes = LSA(2).fit(terms).encode(terms)
    >>> bool(abs(codes[0] @ codes[2]) < 1e-6)
    True

    References
    ----------
    Deerwester, Dumais, Furnas, Landauer & Harshman, Indexing by latent semantic analysis, JASIS 41(6), 1990.
    Halko, Martinsson & Tropp, Finding structure with randomness, SIAM Review 53(2), 2011 (the solver).
    """

    name: ClassVar[str] = "lsa"
    n_components: int = option(128, "Number of components.", ge=1)
    iterations: int = option(4, "Power iterations of the randomised SVD.", ge=0, le=100)
    seed: int = option(0, "Random seed of the randomised SVD.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        from sklearn.utils.extmath import randomized_svd

        matrix = normalized(collect(batches))
        require_components(self.name, self.n_components, matrix.shape, "terms")
        _, values, right = randomized_svd(
            matrix,
            self.n_components,
            n_oversamples=min(32, max(10, self.n_components // 4)),
            n_iter=self.iterations,
            random_state=self.seed,
        )
        self.components = np.ascontiguousarray(right, dtype=np.float32)
        self.singular_values = values.astype(np.float32)
        return Space(self.n_components, Kind.DENSE, Metric.COSINE)

    def _encode(self, items: Any) -> Codes:
        return self._products.of(self.components)(normalized(items))

    def _decode(self, codes: Codes) -> Items:
        return np.asarray(codes @ self.components, dtype=np.float32)

    def state(self) -> State:
        """Return components (n_components, terms) and singular values (n_components,)."""
        return {"components": self.components, "singular_values": self.singular_values}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.components, self.singular_values = state["components"], state["singular_values"]
