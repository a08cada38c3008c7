"""Matrix factorisation of ratings with missing entries."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array, issparse

from encoders.base import Encoder, State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.errors import BadItemError
from encoders.options import LARGEST_SEED, option
from encoders.progress import passes
from encoders.projection.factor_choice import (
    Fit,
    collapsed,
    constant,
    held_out_error,
    in_unit,
    require_once,
    unit_of_ratings,
)
from encoders.projection.factor_fits import fit_als, fit_sgd, fit_variational
from encoders.projection.factors import Factors, Penalty, fold_in

#: Solver -> regularisation and passes, chosen on held-out ratings of MovieLens 100k.
DEFAULTS = {"variational": (0.0, 20), "als": (1.3, 15), "sgd": (1.2, 50)}
_ARRAYS = ("row_bias", "column_bias", "rows", "columns")


@dataclass
class MatrixFactorization(Encoder):
    """Matrix factorisation of ratings with missing entries: r ~ mean + row bias + column bias + p . q.

    Use it when your data are ratings with missing entries; ``nearby recommend`` uses it.

    An item is a row of ratings: the stored entries of a sparse row, or the entries of a dense row that are not NaN. Its
    code is its bias and its factors, computed by a ridge regression on its ratings with the columns fixed (folding in).
    Decoding predicts every entry.

    `regularization` is multiplied by a row's number of ratings to the power `exponent`. On a small table,
    ``variational`` can shrink every factor to 0; if ``als`` predicts held-out ratings better, ``als`` is used, with a
    warning. The default penalties suit ratings with a standard deviation of about 1; other ratings are scaled for the
    fit.

    Examples
    --------
    >>> nan = float("nan")
    >>> rows = [[5, 3, nan, 1], [4, 3, nan, 1], [1, 1, nan, 5], [1, nan, 4, 4], [nan, 1, 5, 4]]
    >>> options = {"biases": False, "regularization": 0.02, "exponent": 0.0, "epochs": 200}
    >>> encoder = MatrixFactorization(2, solver="als", **options).fit(rows)
    >>> predicted = encoder.decode(encoder.encode(rows))
    >>> bool(np.nansum((predicted - np.asarray(rows)) ** 2) < 0.3)
    True

    References
    ----------
    Koren, Bell & Volinsky, Matrix factorization techniques for recommender systems, Computer 42(8), 2009 (``sgd``);
    Zhou et al., Large-scale parallel collaborative filtering for the Netflix prize, AAIM 2008 (``als``); Lim & Teh,
    Variational Bayesian approach to movie rating prediction, KDD Cup and Workshop 2007 (``variational``: it estimates
    its own regularisation).
    """

    name: ClassVar[str] = "mf"
    reads_missing: ClassVar[bool] = True
    n_components: int = option(15, "Number of factors of a row or column.", ge=1)
    solver: str = option("variational", "Algorithm of the fit.", choices=tuple(DEFAULTS))
    biases: bool = option(True, "Fit a global mean and a bias of every row and column.")
    regularization: float | None = option(
        None, "Weight of the L2 penalty; none: 1.3 for als, 1.2 for sgd. variational estimates its own.", ge=0
    )
    exponent: float = option(
        0.5, "Power of a row's or column's number of ratings by which its penalty is multiplied.", ge=0, le=1
    )
    rate: float = option(0.02, "Initial learning rate of sgd.", gt=0)
    epochs: int | None = option(
        None, "Passes over the ratings; none: 20 for variational, 15 for als, 50 for sgd.", ge=1
    )
    metric: str = option("cosine", "How two codes are compared.", choices=("cosine", "euclidean", "dot"))
    seed: int = option(0, "Random seed of the initial factors.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        ratings = _observed(collect(batches))
        self._require_ratings(ratings)
        rows = np.repeat(np.arange(ratings.shape[0]), np.diff(ratings.indptr))
        self.factors = self._fitted(rows, ratings.indices, ratings.data.astype(np.float64), ratings.shape)
        self.bounds = (float(ratings.data.min()), float(ratings.data.max()))
        return Space(self.n_components + int(self.biases), Kind.DENSE, Metric(self.metric))

    def _fitted(self, rows: Any, columns: Any, values: Any, shape: tuple[int, int]) -> Factors:
        require_once(rows, columns, shape)
        if values.min() == values.max():
            return constant(float(values[0]), shape, self.n_components, self.biases)
        factors = self._solved(self.solver, rows, columns, values, shape)
        if self.solver != "variational" or not collapsed(factors, values):
            return factors
        # priors estimated from few ratings can shrink all factors to 0; held-out ratings decide whether they should
        errors = [
            held_out_error(self._fit_of(solver, shape), rows, columns, values, self.seed)
            for solver in ("variational", "als")
        ]
        if errors[0] <= errors[1]:
            return factors
        warnings.warn(
            f"mf: {len(values):,} ratings are too few for solver=variational, which shrinks every factor to 0: "
            "als is used instead",
            stacklevel=2,
        )
        return self._solved("als", rows, columns, values, shape)

    def _fit_of(self, solver: str, shape: tuple[int, int]) -> Fit:
        return lambda rows, columns, values: self._solved(solver, rows, columns, values, shape)

    def _solved(self, solver: str, rows: Any, columns: Any, values: Any, shape: tuple[int, int]) -> Factors:
        regularization, epochs = DEFAULTS[solver]
        unit = unit_of_ratings(values) if self.regularization is None and values.min() < values.max() else 1.0
        regularization = regularization if self.regularization is None else self.regularization
        factors = self._by(
            solver, (rows, columns, values / unit, shape, self.n_components), regularization, self.epochs or epochs
        )
        return in_unit(factors, unit)

    def _by(
        self, solver: str, cells: tuple[Any, Any, Any, tuple[int, int], int], regularization: float, epochs: int
    ) -> Factors:
        with passes(epochs, "mf") as report:
            if solver == "variational":
                return fit_variational(*cells, self.biases, epochs, self.seed, progress=report)
            if solver == "als":
                return fit_als(
                    *cells, regularization, self.biases, epochs, self.seed, exponent=self.exponent, progress=report
                )
            return fit_sgd(
                *cells, regularization, self.biases, epochs, self.seed,
                exponent=self.exponent, rate=self.rate, progress=report,
            )  # fmt: skip

    def _require_ratings(self, ratings: csr_array) -> None:
        empty = np.flatnonzero(np.diff(ratings.indptr) == 0)
        if len(empty):
            others = f" (and {len(empty) - 1} more)" if len(empty) > 1 else ""
            raise BadItemError(f"mf: row {empty[0]}{others} has no rating, so it cannot be fitted: leave it out")

    def _encode(self, items: Any) -> Codes:
        ratings = _observed(items)
        bias, factors = fold_in(self.factors, ratings.indptr, ratings.indices, ratings.data.astype(np.float64))
        return np.asarray(np.column_stack([bias, factors]) if self.biases else factors, dtype=np.float32)

    def _decode(self, codes: Codes) -> Items:
        factors = self.factors
        bias, rows = (codes[:, :1], codes[:, 1:]) if self.biases else (0.0, codes)
        return np.asarray(factors.mean + bias + factors.column_bias + rows @ factors.columns.T, dtype=np.float32)

    def state(self) -> State:
        """Return biases and factors of both sides, the penalties, and the covariances where there are any."""
        factors = self.factors
        state = {name: getattr(factors, name) for name in _ARRAYS}
        state["mean"] = np.asarray([factors.mean])
        state["bounds"] = np.asarray(self.bounds)
        for side in ("row", "column"):
            penalty: Penalty = getattr(factors, f"{side}_penalty")
            state[f"{side}_penalty"] = np.asarray([penalty.exponent, *penalty.strength])
            covariance = getattr(factors, f"{side}_covariance")
            if covariance is not None:
                state[f"{side}_covariance"] = covariance
        return state

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        penalties = {
            side: Penalty(state[f"{side}_penalty"][1:], float(state[f"{side}_penalty"][0]))
            for side in ("row", "column")
        }
        arrays: dict[str, Any] = {name: state[name] for name in _ARRAYS}
        self.factors = Factors(
            mean=float(state["mean"][0]),
            **arrays,
            row_penalty=penalties["row"],
            column_penalty=penalties["column"],
            row_covariance=state.get("row_covariance"),
            column_covariance=state.get("column_covariance"),
        )
        self.bounds = (float(state["bounds"][0]), float(state["bounds"][1]))


def _observed(items: Any) -> csr_array:
    """Return the ratings as a sparse matrix; a stored 0 is a rating."""
    if issparse(items):
        return csr_array(items)
    present = ~np.isnan(items)
    rows, columns = np.nonzero(present)
    pointers = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    return csr_array((items[rows, columns], columns, pointers), shape=items.shape)
