"""Factors of tables on which a plain fit fails: constant ratings, ratings of another size, tables too small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from encoders.errors import BadItemError
from encoders.projection.factors import Factors, Floats, Penalty, pack_outer, predict

#: Fits to the ratings that are given (rows, columns, values).
Fit = Callable[[Any, Any, Floats], Factors]
#: What factors contribute to a rating below this share of the ratings' spread is nothing.
NEGLIGIBLE = 1e-6
#: Parts of the ratings, each of which is held out once; up to so many ratings, each by itself.
FOLDS, ALONE = 10, 50
#: Ridge of a constant table: so small that its ratings are met to all printed digits.
SLIGHT = 1e-9


def constant(value: float, shape: tuple[int, int], d: int, biases: bool) -> Factors:
    """Return the factorisation that predicts one rating everywhere.

    Examples
    --------
    >>> factors = constant(4.0, (2, 3), 2, biases=False)
    >>> predict(factors, np.array([0, 1]), np.array([2, 0])).tolist()
    [4.0, 4.0]
    """
    rows, columns = np.zeros((shape[0], d)), np.zeros((shape[1], d))
    if not biases:
        rows[:, 0], columns[:, 0] = np.copysign(np.sqrt(abs(value)), value), np.sqrt(abs(value))
    penalty = Penalty(np.full(d + int(biases), SLIGHT))
    return Factors(
        value if biases else 0.0, np.zeros(shape[0]), np.zeros(shape[1]), rows, columns, penalty, penalty
    )  # fmt: skip


def require_once(rows: Any, columns: Any, shape: tuple[int, int]) -> None:
    """Refuse a cell that is rated twice.

    Raises
    ------
    BadItemError
    """
    cells = np.asarray(rows, dtype=np.int64) * shape[1] + columns
    if len(np.unique(cells)) < len(cells):
        raise BadItemError("a cell is rated twice: keep one rating of each user and item")


def unit_of_ratings(values: Floats) -> float:
    """Return the power of two nearest their standard deviation; 1 for those of the usual scales, 1 to 5 or 1 to 10.

    The defaults of the fits were chosen on ratings with a standard deviation of about 1.

    Examples
    --------
    >>> unit_of_ratings(np.array([1.0, 5.0])), unit_of_ratings(np.array([0.0, 100.0]))
    (1.0, 64.0)
    """
    unit = float(2.0 ** np.round(np.log2(values.std())))
    return 1.0 if 0.5 <= unit <= 2 else unit


def in_unit(factors: Factors, unit: float) -> Factors:
    """Return the factorisation of ratings that are `unit` times as large; rows and biases grow, columns stay."""
    if unit == 1:
        return factors
    own = np.ones(len(factors.column_penalty.strength))
    own[: int(factors.biased)] = unit
    strength = factors.column_penalty.strength * (unit / own) ** 2
    row, column = factors.row_covariance, factors.column_covariance
    return replace(
        factors,
        mean=factors.mean * unit,
        row_bias=factors.row_bias * unit,
        column_bias=factors.column_bias * unit,
        rows=factors.rows * unit,
        column_penalty=Penalty(strength, factors.column_penalty.exponent),
        row_covariance=None if row is None else row * unit**2,
        column_covariance=None if column is None else column * pack_outer(own[None]),
    )


def contributions(factors: Factors, spread: float) -> tuple[Floats, Floats]:
    """Return how much the factors of each row and of each column contribute to a rating, as a share of `spread`."""
    rows, columns = (np.linalg.norm(side, axis=1) for side in (factors.rows, factors.columns))
    spread = max(spread, np.finfo(np.float64).tiny)
    return rows * columns.max(initial=0.0) / spread, columns * rows.max(initial=0.0) / spread


def collapsed(factors: Factors, values: Floats) -> bool:
    """Tell whether a fit has shrunk every factor to nothing beside the spread of the ratings."""
    return bool(contributions(factors, float(values.std()))[0].max(initial=0.0) < NEGLIGIBLE)


def held_out_error(fit: Fit, rows: Any, columns: Any, values: Floats, seed: int) -> float:
    """Return the mean squared error on ratings that a fit did not see, each part being left out once."""
    parts = len(values) if len(values) <= ALONE else FOLDS
    fold = np.random.default_rng(seed).permutation(len(values)) % parts
    total = 0.0
    for part in range(parts):
        seen, left = fold != part, fold == part
        factors = fit(rows[seen], columns[seen], values[seen])
        total += float(np.square(predict(factors, rows[left], columns[left]) - values[left]).sum())
    return total / len(values)
