"""Sparse coding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, slices
from encoders.errors import BadItemError
from encoders.options import LARGEST_SEED, option
from encoders.products import Product
from encoders.progress import steps

#: Iterations of FISTA for a code; the remaining gap to the minimum is below a thousandth.
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
        #: Atoms, their inner products and the step size, for `_encode`.
        self._prepared: tuple[NDArray[np.float32], NDArray[np.float32], np.float32] | None = None

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        matrix = collect(batches)
        self.mean = matrix.mean(axis=0, dtype=np.float64).astype(np.float32)
        generator = np.random.default_rng(self.seed)
        self.components = self._first_atoms(matrix, generator)
        code_products, code_row_products = (
            np.zeros((self.n_components, self.n_components), np.float32),
            np.zeros_like(self.components),
        )
        size = min(self.batch_size, len(matrix))
        per_epoch = max(1, len(matrix) // size)
        order = generator.permutation(len(matrix))
        for step in steps(self.epochs * per_epoch, "sparse-coding", "batches"):
            batch_number = step % per_epoch
            if batch_number == 0 and step:
                order = generator.permutation(len(matrix))
            rows = matrix[order[batch_number * size : (batch_number + 1) * size]] - self.mean
            codes = self._codes(rows)
            # older batches, coded with an older dictionary, count less (Mairal et al. §3.4.2)
            weight = np.float32(max(0.0, 1 - 1 / (1 + step)) ** 2)
            code_products = weight * code_products + codes.T @ codes
            code_row_products = weight * code_row_products + codes.T @ rows
            self._improve(code_products, code_row_products, rows, generator)
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
        self,
        code_products: NDArray[Any],
        code_row_products: NDArray[Any],
        rows: NDArray[Any],
        generator: np.random.Generator,
    ) -> None:
        for atom in range(self.n_components):
            usage = code_products[atom, atom]
            if usage < 1e-6:  # replace an atom that no item uses by an item
                fresh = rows[generator.integers(len(rows))] + 1e-3 * generator.standard_normal(rows.shape[1])
                self.components[atom] = fresh / max(float(np.linalg.norm(fresh)), 1e-12)
                continue
            self.components[atom] += (code_row_products[atom] - code_products[atom] @ self.components) / usage
            self.components[atom] /= max(1.0, float(np.linalg.norm(self.components[atom])))

    def _codes(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the codes of centred rows by accelerated shrinkage (FISTA), with the current atoms."""
        gram = self.components @ self.components.T
        return self._shrunk(rows @ self.components.T, lambda codes: codes @ gram, self._step(gram))

    @staticmethod
    def _step(gram: NDArray[Any]) -> np.float32:
        return np.float32(1 / max(float(np.linalg.eigvalsh(gram)[-1]), 1e-12))

    def _shrunk(self, target: NDArray[Any], times_gram: Any, step: np.float32) -> NDArray[np.float32]:
        """Return the codes of rows whose inner products with the atoms are `target` (n, n_components)."""
        codes = np.zeros_like(target)
        extrapolated, momentum = codes, 1.0
        for _ in range(ENCODE_STEPS):
            shifted = extrapolated - step * (times_gram(extrapolated) - target)
            next_codes = np.sign(shifted) * np.maximum(np.abs(shifted) - np.float32(self.alpha) * step, 0)
            next_momentum = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            extrapolated = next_codes + np.float32((momentum - 1) / next_momentum) * (next_codes - codes)
            codes, momentum = next_codes, next_momentum
        return codes.astype(np.float32, copy=False)

    def _encode(self, items: Any) -> Codes:
        codes = np.empty((len(items), self.n_components), dtype=np.float32)
        project = self._products.of(self.components, self.mean)
        if self._prepared is None or self._prepared[0] is not self.components:
            gram = Product(self.components)(self.components)
            self._prepared = self.components, gram, self._step(gram)
        _, gram, step = self._prepared
        for number, block in enumerate(slices(items, ROWS)):
            codes[number * ROWS : number * ROWS + len(block)] = self._shrunk(
                project(block), self._products.of(gram), step
            )
        return codes

    def _decode(self, codes: Codes) -> Items:
        return np.asarray(codes @ self.components + self.mean, dtype=np.float32)

    def state(self) -> State:
        """Return atoms (n_components, dim) and mean (dim,)."""
        return {"components": self.components, "mean": self.mean}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.components, self.mean = state["components"], state["mean"]
