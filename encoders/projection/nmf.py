"""Non-negative matrix factorisation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder, State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, n_rows
from encoders.errors import BadItemError, OptionError
from encoders.options import LARGEST_SEED, option
from encoders.products import Product
from encoders.progress import steps
from encoders.projection import nmf_updates as updates
from encoders.projection.component_limit import require_components
from encoders.scaling import largest_of, times, unit_of

#: Sweeps over the components for each product with the data; the product costs far more.
SWEEPS = 3
#: Sweeps or steps to encode an item; after them its code hardly changes.
ENCODE_SWEEPS, ENCODE_STEPS = 200, 200


@dataclass
class NMF(Encoder):
    """Non-negative matrix factorisation: items as sums of non-negative parts, X ~ W H.

    Use it when values are counts or brightness and you want to see parts that add up; entries may be missing (NaN).

    Objectives: ``frobenius``, half the squared error; ``divergence``, the generalised Kullback-Leibler divergence.
    Solvers: ``cd``, coordinate descent over the components (squared error only; the ``auto`` choice for it); ``mu``,
    Lee & Seung's multiplicative updates. A missing entry is replaced by its current estimate at each step, which never
    raises the error on the entries that are present. H is fixed when items are encoded; sparse matrices stay sparse.

    Examples
    --------
    >>> parts = np.array([[1, 1, 0, 0], [0, 0, 1, 2]], dtype=np.float32)
    >>> rows = np.random.default_rng(0).random((50, 2)).astype(np.float32) @ parts
    >>> encoder = NMF(2, iterations=500, tolerance=0).fit(rows)
    >>> bool(np.abs(encoder.decode(encoder.encode(rows)) - rows).max() < 0.01)
    True

    References
    ----------
    Lee & Seung, Learning the parts of objects by non-negative matrix factorization, Nature 401, 1999, and Algorithms
    for non-negative matrix factorization, NIPS 2001; Cichocki & Phan, Fast local algorithms for large scale nonnegative
    matrix and tensor factorizations, 2009 (``cd``); Zhang, Wang, Ford & Makedon, Learning from incomplete ratings using
    non-negative matrix factorization, SDM 2006, §3 (missing entries).
    """

    name: ClassVar[str] = "nmf"
    reads_missing: ClassVar[bool] = True
    n_components: int = option(49, "Number of parts.", ge=1)
    solver: str = option("auto", "Algorithm of the fit.", choices=("auto", "cd", "mu"))
    objective: str = option("frobenius", "Error to minimise.", choices=("frobenius", "divergence"))
    iterations: int = option(200, "Largest number of passes over the data.", ge=1)
    tolerance: float = option(
        1e-4, "Stop when a pass lowers the error by less than this share of the first error.", ge=0
    )
    metric: str = option("cosine", "How two codes are compared.", choices=("cosine", "euclidean"))
    seed: int = option(0, "Random seed of the initial parts.", ge=0, le=LARGEST_SEED)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.solver == "cd" and self.objective == "divergence":
            raise OptionError("nmf: solver=cd minimises the squared error only; for the divergence use solver=mu")

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        matrix = collect(batches)
        self._require_fit(matrix)
        missing = None if issparse(matrix) else np.isnan(matrix)
        if missing is not None and missing.any():
            matrix = np.where(
                missing, _column_means(matrix, missing), matrix
            )  # a copy: the caller's matrix does not change
        else:
            missing = None
        unit = unit_of(largest_of(matrix))
        matrix = times(matrix, unit)
        weights, self.components = _first_factors(matrix, self.n_components, self.seed)
        #: The objective after each pass.
        self.objectives: list[float] = []
        for _ in steps(self.iterations, "nmf"):
            weights = self._updated(matrix, weights)
            if missing is not None:
                matrix[missing] = (weights.T @ self.components)[missing]
            self.objectives.append(self._objective(matrix, weights))
            if self._settled():
                break
        self.components = times(self.components, 1 / unit)
        self._prepare()
        return Space(self.n_components, Kind.DENSE, Metric(self.metric))

    def _require_fit(self, matrix: Codes) -> None:
        require_components(self.name, self.n_components, matrix.shape)
        values = matrix.data if issparse(matrix) else matrix
        if not float(np.nanmax(values, initial=0)) > 0:
            raise BadItemError("nmf: every value is 0, so there is nothing to factorise")

    def _updated(self, matrix: Codes, weights: updates.Factor) -> updates.Factor:
        """Return W after one pass; H is changed in place."""
        if self.objective == "divergence":
            weights = updates.multiplicative_divergence(matrix, weights, self.components)
            self.components = updates.multiplicative_divergence_components(matrix, weights, self.components)
            return weights
        step = updates.multiplicative if self.solver == "mu" else updates.coordinate_descent
        step(weights, self.components @ self.components.T, _product(matrix, self.components), SWEEPS)
        step(self.components, weights @ weights.T, np.asarray(weights @ matrix, dtype=np.float32), SWEEPS)
        return weights

    def _objective(self, matrix: Codes, weights: updates.Factor) -> float:
        if self.objective == "divergence":
            return updates.divergence(matrix, weights, self.components)
        return updates.squared_error(matrix, weights, self.components) / 2

    def _settled(self) -> bool:
        if len(self.objectives) < 2 or self.tolerance == 0:
            return False
        gain = self.objectives[-2] - self.objectives[-1]
        return gain < self.tolerance * max(self.objectives[0], 1e-30)

    def checked(self, items: Items) -> Any:
        """Return items as a matrix without negative values.

        Raises
        ------
        BadItemError
            When a value is negative.
        """
        matrix = super().checked(items)
        values = matrix.data if issparse(matrix) else matrix
        smallest = float(np.nanmin(values, initial=0))
        if smallest < 0:
            raise BadItemError(
                f"nmf reads values of 0 and above, and found {smallest:g}: "
                "put it after pixels, bow or tfidf, not after pca or lsa"
            )
        return matrix

    def _encode(self, items: Any) -> Codes:
        codes = np.empty((n_rows(items), self.n_components), dtype=np.float32)
        for start in range(0, len(codes), updates.ROWS):
            rows = times(items[start : start + updates.ROWS], self._unit)
            codes[start : start + updates.ROWS] = self._weights(rows).T
        return codes

    def _weights(self, rows: Any) -> updates.Factor:
        """Return the weights (n_components, n) of rows; the weights of a row depend on this row only."""
        weights = np.full((self.n_components, n_rows(rows)), 0.1, dtype=np.float32)
        missing = None if issparse(rows) else np.isnan(rows)
        if missing is not None and missing.any() and self.objective == "frobenius":
            whole = ~missing.any(axis=1)
            weights[:, whole] = self._whole_weights(rows[whole], weights[:, whole])
            weights[:, ~whole] = self._partial_weights(rows[~whole], missing[~whole], weights[:, ~whole])
            return weights
        if self.objective == "frobenius":
            return self._whole_weights(rows, weights)
        for _ in range(ENCODE_STEPS):
            filled = self._filled(rows, missing, weights)
            weights = updates.multiplicative_divergence(
                filled, weights, self._onto.matrix, (self._estimate, self._onto)
            )
        return weights

    def _prepare(self) -> None:
        """Prepare what `_encode` multiplies with: the scaled parts and their inner products."""
        self._unit = unit_of(largest_of(self.components))
        self._onto = Product(times(self.components, self._unit))
        self._gram = np.ascontiguousarray(self._onto(self._onto.matrix))
        self._estimate = Product(np.ascontiguousarray(self._onto.matrix.T))

    def _filled(self, rows: Any, missing: Any, weights: updates.Factor) -> Any:
        """Return rows in which the current estimate replaces missing entries."""
        if missing is None or not missing.any():
            return rows
        return np.where(missing, self._estimate(weights.T), rows)

    def _onto_parts(self, rows: Any) -> updates.Factor:
        """Return ``H X'`` (n_components, n) with contiguous rows."""
        return np.ascontiguousarray(self._onto(rows).T)

    def _whole_weights(self, rows: Any, weights: updates.Factor) -> updates.Factor:
        """Return the weights of rows without missing entries."""
        updates.coordinate_descent(weights, self._gram, self._onto_parts(rows), ENCODE_SWEEPS, alone=True)
        return weights

    def _partial_weights(
        self, rows: NDArray[Any], missing: NDArray[np.bool_], weights: updates.Factor
    ) -> updates.Factor:
        """Return the weights of rows with missing entries; each step replaces these by the current estimate."""
        gram = self._gram
        for _ in range(ENCODE_STEPS):
            filled = self._onto_parts(self._filled(rows, missing, weights))
            updates.coordinate_descent(weights, gram, filled, SWEEPS, alone=True)
        return weights

    def _decode(self, codes: Codes) -> Items:
        return np.asarray(codes @ self.components, dtype=np.float32)

    def state(self) -> State:
        """Return the parts (n_components, dim)."""
        return {"components": self.components}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.components = state["components"]
        self._prepare()


def _product(matrix: Codes, components: updates.Factor) -> updates.Factor:
    """Return ``H X'`` (n_components, n) with contiguous rows."""
    return np.ascontiguousarray((matrix @ components.T).T, dtype=np.float32)


def _first_factors(matrix: Codes, n_components: int, seed: int) -> tuple[updates.Factor, updates.Factor]:
    """Return random W' (n_components, n) and H (n_components, dim), scaled so that W H is as large as X."""
    generator = np.random.default_rng(seed)
    size = np.sqrt(float(matrix.mean(dtype=np.float64)) / n_components)
    noise = [np.abs(generator.standard_normal((n_components, length), dtype=np.float32)) for length in matrix.shape]
    return noise[0] * np.float32(size), noise[1] * np.float32(size)


def _column_means(matrix: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[np.float32]:
    present = (~missing).sum(axis=0)
    sums = np.where(missing, 0, matrix).sum(axis=0, dtype=np.float64)
    return np.where(present > 0, sums / np.maximum(present, 1), 0).astype(np.float32)
