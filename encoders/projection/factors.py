"""Factors of a matrix with missing entries: the model, and the regression of one side on the other.

The model is ``r_ui ~ mean + b_u + b_i + p_u . q_i``.

Each line (row or column) of the matrix has a *state* of k numbers: the bias, if there are biases, then
``n_components`` factors. Symmetric k x k matrices are stored *packed*: the upper triangle only, as a vector of
``k (k + 1) / 2`` numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]

LINES_AT_ONCE = 4096  # normal equations solved together: bounds the (lines, k, k) stack, 15 MB at d = 20


@dataclass(frozen=True)
class Penalty:
    """The ridge on one side's states, as ``strength * count ** exponent`` for a line with ``count`` ratings.

    Attributes
    ----------
    strength : ndarray of shape (k,)
        One constant for each coordinate of the state.
    exponent : float
        0 penalises every line alike; 1 is one penalty per rating (the usual form of SGD, and ALS-WR); 1/2 is between.
    """

    strength: Floats
    exponent: float = 0.0

    def ridge(self, counts: Integers) -> Floats:
        """Return the diagonal added to each line's Gram matrix, of shape (lines, k)."""
        # A line without ratings still needs a proper ridge: its solution is then zero, the prior mean.
        return np.multiply.outer(np.maximum(counts, 1.0) ** self.exponent, self.strength)


@dataclass(frozen=True)
class Factors:
    """A fitted factorisation.

    Attributes
    ----------
    mean : float
        The global mean, 0 without biases.
    row_bias, column_bias : ndarray of shape (rows,) and (columns,)
        Zero without biases.
    rows, columns : ndarray of shape (rows, n_components) and (columns, n_components)
        The factors p_u and q_i.
    row_penalty, column_penalty : Penalty
        The ridge under which each side was fitted, which :func:`fold_in` applies to a new line.
    row_covariance, column_covariance : ndarray of shape (lines, k (k + 1) / 2), optional
        The packed posterior covariances of :func:`fit_variational`.
    """

    mean: float
    row_bias: Floats
    column_bias: Floats
    rows: Floats
    columns: Floats
    row_penalty: Penalty
    column_penalty: Penalty
    row_covariance: Floats | None = None
    column_covariance: Floats | None = None

    @property
    def biased(self) -> bool:
        """Whether the model has biases (and a global mean)."""
        return bool(len(self.row_penalty.strength) > self.rows.shape[1])

    @property
    def transposed(self) -> Factors:
        """The factorisation of the transposed matrix, through which a new column is folded in."""
        return Factors(
            self.mean, self.column_bias, self.row_bias, self.columns, self.rows,
            self.column_penalty, self.row_penalty, self.column_covariance, self.row_covariance,
        )  # fmt: skip


def pack_outer(vectors: Floats) -> Floats:
    """Return the packed outer product of each vector with itself."""
    first, second = np.triu_indices(vectors.shape[1])
    return vectors[:, first] * vectors[:, second]


def pack(matrices: Floats) -> Floats:
    """Return the upper triangle of each symmetric matrix."""
    first, second = np.triu_indices(matrices.shape[1])
    return matrices[:, first, second]


def unpack(packed: Floats, k: int) -> Floats:
    """Return the symmetric matrices of packed upper triangles."""
    first, second = np.triu_indices(k)
    matrices = np.empty((len(packed), k, k))
    matrices[:, first, second] = packed
    matrices[:, second, first] = packed
    return matrices


@dataclass(frozen=True)
class Side:
    """One side's states: their means and, in the variational case, their packed posterior covariances."""

    means: Floats
    covariance: Floats | None = None


def features(other: Side, biases: bool) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the moments of each line of the other side that the regression on it needs.

    A rating minus the other side's bias c is regressed on f = (1, q), or on f = q without biases.

    Returns
    -------
    mean : ndarray of shape (lines, k)
        E f.
    moment : ndarray of shape (lines, k (k + 1) / 2)
        E f f', packed.
    crossed : ndarray of shape (lines, k)
        E c f.
    squared : ndarray of shape (lines,)
        The variance of c.
    """
    mean = other.means.copy()
    crossed = np.zeros_like(mean)
    squared = np.zeros(len(mean))
    if biases:
        mean[:, 0] = 1.0
        crossed = mean * other.means[:, :1]
    moment = pack_outer(mean)
    if other.covariance is not None:
        # The packed order is row by row. The first row (k numbers) is the variance of c and its covariance with q;
        # the other rows are the covariance of q.
        k = mean.shape[1]
        if biases:
            moment[:, k:] += other.covariance[:, k:]
            crossed[:, 1:] += other.covariance[:, 1:k]
            squared = other.covariance[:, 0].copy()
        else:
            moment += other.covariance
    return mean, moment, crossed, squared


def regress(
    ratings: Any, other: Side, penalty: Penalty, biases: bool, noise: float | None = None
) -> tuple[Side, float]:
    """Fit every line of one side by ridge regression on the other side, which is fixed.

    Parameters
    ----------
    ratings : scipy.sparse.csr_array of shape (lines, lines of the other side)
        Ratings minus the global mean.  A stored zero is a rating.
    other : Side
        The fixed side.
    penalty : Penalty
        The ridge.
    biases : bool
        Whether the first number of a state is a bias.
    noise : float, optional
        The noise variance.  With it, posterior covariances are computed too.

    Returns
    -------
    side : Side
        The fitted states.
    error : float
        The (expected) sum of squared errors over the ratings.
    """
    mean, moment, crossed, squared = features(other, biases)
    k = mean.shape[1]
    observed = sparse.csr_array((np.ones(ratings.nnz), ratings.indices, ratings.indptr), shape=ratings.shape)
    ridges = penalty.ridge(np.diff(ratings.indptr))
    rights = ratings @ mean - observed @ crossed
    offsets = other.means[ratings.indices, 0] if biases else 0.0
    error = float(np.square(ratings.data - offsets).sum() + squared[ratings.indices].sum())
    means = np.empty((ratings.shape[0], k))
    covariance = np.empty((ratings.shape[0], 0 if noise is None else moment.shape[1]))
    diagonal = np.arange(k)
    for start in range(0, ratings.shape[0], LINES_AT_ONCE):
        lines = slice(start, start + LINES_AT_ONCE)
        gram = unpack(observed[lines] @ moment, k)
        penalised = gram.copy()
        penalised[:, diagonal, diagonal] += ridges[lines]
        right = rights[lines]
        if noise is None:
            state = np.linalg.solve(penalised, right[:, :, None])[:, :, 0]
        else:
            inverse = np.linalg.inv(penalised).astype(np.float64, copy=False)
            state = np.einsum("njk,nk->nj", inverse, right)
            covariance[lines] = noise * pack(inverse)
            error += noise * float(np.vdot(inverse, gram))
        means[lines] = state
        error += float(np.einsum("nj,njk,nk->", state, gram, state, optimize=True) - 2.0 * np.vdot(state, right))
    return Side(means, None if noise is None else covariance), error


def fold_in(factors: Factors, indptr: Integers, indices: Integers, data: Floats) -> tuple[Floats, Floats]:
    """Return the biases and factors of new rows from their ratings of known columns.

    One ridge regression for each row, with fixed columns and the penalty of the fit: the same as the row step of the
    fit.  For new columns pass ``factors.transposed``.

    Parameters
    ----------
    factors : Factors
        The factorisation.
    indptr, indices, data : ndarray
        The new rows' ratings, in compressed sparse row form.

    Returns
    -------
    bias : ndarray of shape (new rows,)
        Zero for a row without ratings, and without biases.
    rows : ndarray of shape (new rows, n_components)
        Zero for a row without ratings.
    """
    biases = factors.biased
    means = np.hstack([factors.column_bias[:, None], factors.columns]) if biases else factors.columns
    shape = (len(indptr) - 1, len(means))
    ratings = sparse.csr_array((np.asarray(data, np.float64) - factors.mean, indices, indptr), shape=shape)
    side, _ = regress(ratings, Side(means, factors.column_covariance), factors.row_penalty, biases)
    if biases:
        return side.means[:, 0].copy(), side.means[:, 1:].copy()
    return np.zeros(shape[0]), side.means


def predict(factors: Factors, rows: Integers, columns: Integers, bounds: tuple[float, float] | None = None) -> Floats:
    """Return the predicted ratings of cells, clipped to `bounds` if there are any."""
    predicted: Floats = np.einsum("nk,nk->n", factors.rows[rows], factors.columns[columns])
    predicted += factors.mean + factors.row_bias[rows] + factors.column_bias[columns]
    return predicted if bounds is None else np.clip(predicted, *bounds)
