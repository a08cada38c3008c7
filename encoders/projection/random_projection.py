"""Random projection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.errors import BadItemError
from encoders.options import LARGEST_SEED, option

#: Share of entries that are not 0 in the sparse matrix of Achlioptas.
DENSITY = 1 / 3


@dataclass
class RandomProjection(Encoder):
    """Projection on random directions, which preserves distances up to a factor of 1 ± epsilon.

    Use it when you need a baseline for other projections, or a projection that costs almost nothing to fit.

    The entries of the directions are drawn from N(0, 1/n_components) (``gaussian``), or are 0 with probability 2/3 and
    ±sqrt(3/n_components) otherwise (``sparse``). Only the width of the data is learnt. Decoding returns the shortest
    item that has the same code.

    Examples
    --------
    >>> rows = np.eye(100, dtype=np.float32)
    >>> codes = RandomProjection(50).fit_encode(rows)
    >>> distances = np.linalg.norm(codes[:50] - codes[50:], axis=1)  # sqrt(2) in the input
    >>> bool(abs(distances.mean() - 2**0.5) < 0.1)
    True

    References
    ----------
    Johnson & Lindenstrauss, Extensions of Lipschitz mappings into a Hilbert space, 1984; Achlioptas,
    Database-friendly random projections, JCSS 66(4), 2003, Theorem 1.1 (``sparse``).
    """

    name: ClassVar[str] = "random-projection"
    n_components: int = option(128, "Number of random directions.", ge=1)
    entries: str = option("gaussian", "Distribution of the entries.", choices=("gaussian", "sparse"))
    metric: str = option("euclidean", "How two codes are compared.", choices=("euclidean", "cosine"))
    seed: int = option(0, "Random seed of the directions.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        width = next((int(batch.items.shape[1]) for batch in batches), None)
        if width is None:
            raise BadItemError("there is nothing to fit on: the corpus holds no items")
        generator = np.random.default_rng(self.seed)
        if self.entries == "gaussian":
            directions = generator.standard_normal((self.n_components, width), dtype=np.float32)
        else:
            signs = generator.choice(
                [-1.0, 0.0, 1.0], (self.n_components, width), p=[DENSITY / 2, 1 - DENSITY, DENSITY / 2]
            )
            directions = (signs / np.sqrt(DENSITY)).astype(np.float32)
        self.components = directions / np.float32(np.sqrt(self.n_components))
        return Space(self.n_components, Kind.DENSE, Metric(self.metric))

    def _encode(self, items: Any) -> Codes:
        return self._products.of(self.components)(items)

    def _decode(self, codes: Codes) -> Items:
        directions = self.components.astype(np.float64)
        # with more directions than numbers, some depend linearly on others and are left out of the inverse
        inverse = np.linalg.pinv(directions @ directions.T, rcond=1e-10, hermitian=True)
        return np.asarray(codes @ (inverse @ directions), dtype=np.float32)

    def state(self) -> State:
        """Return components (n_components, dim)."""
        return {"components": self.components}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.components = state["components"]
