"""Factors of tables on which a plain fit fails: constant ratings, ratings of another scale, small tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from encoders.errors import BadItemError
from encoders.projection.factors import Factors, Floats, Penalty, pack_outer, predict

#: A fit of the ratings (rows, columns, values).
Fit = Callable[[Any, Any, Floats], Factors]
#: A contribution of factors to a rating counts as 0 below this share of the ratings' standard deviation.
NEGLIGIBLE = 1e-6
#: Folds of cross-validation; up to LEAVE_ONE_OUT ratings, each rating is a fold.
FOLDS, LEAVE_ONE_OUT = 10, 50
#: Ridge of a constant table: small enough that predictions equal its ratings to all printed digits.
SMALL_RIDGE = 1e-9


def constant(value: float, shape: tuple[int, int], n_components: int, biases: bool) -> Factors:
    """Return the factorisation that predicts one rating everywhere.

    Examples
    --------
    >>> factors = constant(4.0, (2, 3), 2, biases=False)
    >>> predict(factors, np.array([0, 1]), np.array([2, 0])).tolist()
    [4.0, 4.0]
    """
    rows, columns = np.zeros((shape[0], n_components)), np.zeros((shape[1], n_components))
    if not biases:
        rows[:, 0], columns[:, 0] = np.copysign(np.sqrt(abs(value)), value), np.sqrt(abs(value))
    penalty = Penalty(np.full(n_components + int(biases), SMALL_RIDGE))
    return Factors(
        value if biases else 0.0, np.zeros(shape[0]), np.zeros(shape[1]), rows, columns, penalty, penalty
    )  # fmt: skip


def require_once(rows: Any, columns: Any, shape: tuple[int, int]) -> None:
    """Raise an error if a cell has two ratings.

    Raises
    ------
    BadItemError
    """
    cells = np.asarray(rows, dtype=np.int64) * shape[1] + columns
    if len(np.unique(cells)) < len(cells):
        raise BadItemError("a cell has two ratings: keep one rating of each user and item")


def unit_of_ratings(values: Floats) -> float:
    """Return the power of two nearest the standard deviation of ratings; 1 for usual scales, 1 to 5 or 1 to 10.

    The defaults of the fits were chosen on ratings with a standard deviation of about 1.

    Examples
    --------
    >>> unit_of_ratings(np.array([1.0, 5.0])), unit_of_ratings(np.array([0.0, 100.0]))
    (1.0, 64.0)
    """
    unit = float(2.0 ** np.round(np.log2(values.std())))
    return 1.0 if 0.5 <= unit <= 2 else unit


def in_unit(factors: Factors, unit: float) -> Factors:
    """Return the factorisation of ratings multiplied by `unit`: rows and biases are scaled, columns are not."""
    if unit == 1:
        return factors
    scales = np.ones(len(factors.column_penalty.strength))
    scales[: int(factors.biased)] = unit
    strength = factors.column_penalty.strength * (unit / scales) ** 2
    row, column = factors.row_covariance, factors.column_covariance
    return replace(
        factors,
        mean=factors.mean * unit,
        row_bias=factors.row_bias * unit,
        column_bias=factors.column_bias * unit,
        rows=factors.rows * unit,
        column_penalty=Penalty(strength, factors.column_penalty.exponent),
        row_covariance=None if row is None else row * unit**2,
        column_covariance=None if column is None else column * pack_outer(scales[None]),
    )


def contributions(factors: Factors, spread: float) -> tuple[Floats, Floats]:
    """Return how much the factors of each row and of each column contribute to a rating, as a share of `spread`."""
    rows, columns = (np.linalg.norm(side, axis=1) for side in (factors.rows, factors.columns))
    spread = max(spread, np.finfo(np.float64).tiny)
    return rows * columns.max(initial=0.0) / spread, columns * rows.max(initial=0.0) / spread


def collapsed(factors: Factors, values: Floats) -> bool:
    """Return whether a fit has shrunk every factor to about 0, compared with the spread of the ratings."""
    return bool(contributions(factors, float(values.std()))[0].max(initial=0.0) < NEGLIGIBLE)


def held_out_error(fit: Fit, rows: Any, columns: Any, values: Floats, seed: int) -> float:
    """Return the mean squared error on held-out ratings, by cross-validation."""
    folds = len(values) if len(values) <= LEAVE_ONE_OUT else FOLDS
    fold_of = np.random.default_rng(seed).permutation(len(values)) % folds
    total = 0.0
    for fold in range(folds):
        training, held_out = fold_of != fold, fold_of == fold
        factors = fit(rows[training], columns[training], values[training])
        errors = predict(factors, rows[held_out], columns[held_out]) - values[held_out]
        total += float(np.square(errors).sum())
    return total / len(values)
