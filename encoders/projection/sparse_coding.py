"""Sparse coding: each item as a sum of few atoms of a learnt dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, collect, slices
from encoders.errors import BadItemError
from encoders.options import LARGEST_SEED, option
from encoders.products import Product
from encoders.progress import steps

#: Steps of the iteration that finds a code; the gap to the exact minimum is then below a thousandth.
ENCODE_STEPS = 150
ROWS = 4096


@dataclass
class SparseCoding(Encoder):
    """Sparse coding: items as sums of a few atoms of a learnt dictionary.

    Use it when you want to describe each item by a few patterns.

    A code z minimises ``|x - mean - z D|² / 2 + alpha |z|_1``. The dictionary D is learnt from mini-batches: encode a
    batch with the current dictionary, add to ``Z'Z`` and ``Z'X``, improve every atom by coordinate descent, and project
    it onto the unit ball.

    Examples
    --------
    >>> atoms = np.eye(4, dtype=np.float32)
    >>> rows = atoms[np.arange(200) % 4] * 3
    >>> codes = SparseCoding(4, alpha=0.1, epochs=20, batch_size=50).fit_encode(rows)
    >>> bool((np.abs(codes) > 0.01).mean() < 0.7)
    True

    References
    ----------
    Olshausen & Field, Emergence of simple-cell receptive field properties by learning a sparse code for natural
    images, Nature 381, 1996; Mairal, Bach, Ponce & Sapiro, Online dictionary learning for sparse coding, ICML 2009,
    Algorithms 1 and 2; Beck & Teboulle, A fast iterative shrinkage-thresholding algorithm, SIAM J. Imaging Sciences
    2(1), 2009 (codes).
    """

    name: ClassVar[str] = "sparse-coding"
    reads_sparse: ClassVar[bool] = False
    n_components: int = option(100, "Number of atoms.", ge=1)
    alpha: float = option(0.5, "Weight of the L1 penalty: a larger value gives sparser codes.", gt=0)
    epochs: int = option(3, "Passes over the data.", ge=1)
    batch_size: int = option(512, "Rows per mini-batch.", ge=1)
    metric: str = option("cosine", "How two codes are compared.", choices=("cosine", "euclidean"))
    seed: int = option(0, "Random seed of the initial atoms and of the order of rows.", ge=0, le=LARGEST_SEED)

    def __post_init__(self) -> None:
        super().__post_init__()
        #: Atoms, their inner products, and the step of the iteration, kept from one batch to the next.
        self._prepared: tuple[NDArray[np.float32], NDArray[np.float32], np.float32] | None = None

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        matrix = collect(batches)
        self.mean = matrix.mean(axis=0, dtype=np.float64).astype(np.float32)
        generator = np.random.default_rng(self.seed)
        self.components = self._first_atoms(matrix, generator)
        gathered, crossed = np.zeros((self.n_components, self.n_components), np.float32), np.zeros_like(self.components)
        size = min(self.batch_size, len(matrix))
        per_epoch = max(1, len(matrix) // size)
        order = generator.permutation(len(matrix))
        for step in steps(self.epochs * per_epoch, "sparse-coding", "batches"):
            place = step % per_epoch
            if place == 0 and step:
                order = generator.permutation(len(matrix))
            rows = matrix[order[place * size : (place + 1) * size]] - self.mean
            codes = self._codes(rows)
            # older batches, coded with an older dictionary, count less (Mairal et al. §3.4.2)
            kept = np.float32(max(0.0, 1 - 1 / (1 + step)) ** 2)
            gathered = kept * gathered + codes.T @ codes
            crossed = kept * crossed + codes.T @ rows
            self._improve(gathered, crossed, rows, generator)
        self._require_codes(matrix[:ROWS] - self.mean)
        return Space(self.n_components, Kind.DENSE, Metric(self.metric))

    def _require_codes(self, rows: NDArray[Any]) -> None:
        largest = float(np.abs(rows @ self.components.T).max())
        if rows.any() and largest <= self.alpha:
            raise BadItemError(
                f"sparse-coding: alpha={self.alpha:g} is above the product of any item with any atom, at most "
                f"{largest:.1e}, so every code would be 0: lower alpha, or multiply the data"
            )

    def _first_atoms(self, matrix: NDArray[Any], generator: np.random.Generator) -> NDArray[np.float32]:
        rows = (
            matrix[generator.choice(len(matrix), self.n_components, replace=self.n_components > len(matrix))]
            - self.mean
        )
        rows = rows + 1e-3 * generator.standard_normal(rows.shape)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), dtype=np.float32)

    def _improve(
        self, gathered: NDArray[Any], crossed: NDArray[Any], rows: NDArray[Any], generator: np.random.Generator
    ) -> None:
        for atom in range(self.n_components):
            used = gathered[atom, atom]
            if used < 1e-6:  # an atom that no item uses starts again as an item
                fresh = rows[generator.integers(len(rows))] + 1e-3 * generator.standard_normal(rows.shape[1])
                self.components[atom] = fresh / max(float(np.linalg.norm(fresh)), 1e-12)
                continue
            self.components[atom] += (crossed[atom] - gathered[atom] @ self.components) / used
            self.components[atom] /= max(1.0, float(np.linalg.norm(self.components[atom])))

    def _codes(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the codes of centred rows by accelerated shrinkage (FISTA), with the present atoms."""
        gram = self.components @ self.components.T
        return self._shrunk(rows @ self.components.T, lambda codes: codes @ gram, self._step(gram))

    @staticmethod
    def _step(gram: NDArray[Any]) -> np.float32:
        return np.float32(1 / max(float(np.linalg.eigvalsh(gram)[-1]), 1e-12))

    def _shrunk(self, target: NDArray[Any], times_gram: Any, step: np.float32) -> NDArray[np.float32]:
        """Return the codes of rows whose inner products with the atoms are `target` (n, k)."""
        codes = np.zeros_like(target)
        ahead, momentum = codes, 1.0
        for _ in range(ENCODE_STEPS):
            moved = ahead - step * (times_gram(ahead) - target)
            following = np.sign(moved) * np.maximum(np.abs(moved) - np.float32(self.alpha) * step, 0)
            grown = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            ahead = following + np.float32((momentum - 1) / grown) * (following - codes)
            codes, momentum = following, grown
        return codes.astype(np.float32, copy=False)

    def _encode(self, items: Any) -> Codes:
        codes = np.empty((len(items), self.n_components), dtype=np.float32)
        onto = self._products.of(self.components, self.mean)
        if self._prepared is None or self._prepared[0] is not self.components:
            gram = Product(self.components)(self.components)
            self._prepared = self.components, gram, self._step(gram)
        _, gram, step = self._prepared
        for place, part in enumerate(slices(items, ROWS)):
            codes[place * ROWS : place * ROWS + len(part)] = self._shrunk(onto(part), self._products.of(gram), step)
        return codes

    def _decode(self, codes: Codes) -> Items:
        return np.asarray(codes @ self.components + self.mean, dtype=np.float32)

    def state(self) -> State:
        """Atoms (k, dim) and mean (dim,)."""
        return {"components": self.components, "mean": self.mean}

    def restore(self, state: State) -> None:
        """Take back what `state` returned."""
        self.components, self.mean = state["components"], state["mean"]
