"""Three ways to fit the factors of a matrix with missing entries, all on the observed cells only.

``sgd``: mini-batch stochastic gradient descent on the penalised squared error. ``als``: alternating ridge regressions
on the same. ``variational``: the same alternation, carrying each factor's posterior covariance, so that the noise and
the priors are estimated rather than chosen; it has no regularisation constant.

References
----------
Koren, Bell & Volinsky, Matrix factorization techniques for recommender systems, Computer 42(8), 2009; Zhou, Wilkinson,
Schreiber & Pan, Large-scale parallel collaborative filtering for the Netflix prize, AAIM 2008; Lim & Teh, Variational
Bayesian approach to movie rating prediction, KDD Cup and Workshop 2007.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from encoders.errors import BadItemError
from encoders.projection.factors import Factors, Floats, Integers, Penalty, Side, pack, regress

Progress = Callable[[int, float], None]


def _quiet(passes: int, error: float) -> None:
    """Report no progress."""


def _second_moment(side: Side) -> Floats:
    """Return the mean over the lines of E x_j^2, for each coordinate j of the state."""
    moments = np.square(side.means).mean(axis=0)
    if side.covariance is not None:
        first, second = np.triu_indices(side.means.shape[1])
        moments += side.covariance[:, first == second].mean(axis=0)
    return np.asarray(moments)


def _centred(
    rows: Integers, columns: Integers, values: Floats, shape: tuple[int, int], biases: bool
) -> tuple[float, Any, Any]:
    """Return the global mean, and the ratings minus this mean by row and by column."""
    mean = float(values.mean()) if biases else 0.0
    # A rating equal to the mean is a stored zero: none of these conversions may drop it.
    by_row = sparse.csr_array((values - mean, (rows, columns)), shape=shape)
    if by_row.nnz < len(values):
        raise BadItemError("a cell has two ratings: keep one rating of each user and item")
    return mean, by_row, by_row.T.tocsr()


def _factors(
    mean: float, row_side: Side, column_side: Side, row_penalty: Penalty, column_penalty: Penalty, biases: bool
) -> Factors:
    """Split the states of both sides into biases and factors."""
    split = int(biases)

    def bias(side: Side) -> Floats:
        return side.means[:, 0].copy() if biases else np.zeros(len(side.means))

    return Factors(
        mean, bias(row_side), bias(column_side), row_side.means[:, split:].copy(), column_side.means[:, split:].copy(),
        row_penalty, column_penalty, row_side.covariance, column_side.covariance,
    )  # fmt: skip


def fit_als(
    rows: Integers,
    columns: Integers,
    values: Floats,
    shape: tuple[int, int],
    n_components: int = 15,
    regularization: float = 1.3,
    biases: bool = True,
    epochs: int = 15,
    seed: int = 0,
    *,
    exponent: float = 0.5,
    progress: Progress = _quiet,
) -> Factors:
    """Fit by alternating least squares.

    Minimises ``sum (r - r_hat)^2 + sum_u penalty_u |x_u|^2 + sum_i penalty_i |y_i|^2`` over the states x of the rows
    and y of the columns, where a line's penalty is ``regularization * count ** exponent``.

    Parameters
    ----------
    rows, columns, values : ndarray of shape (ratings,)
        The observed cells.
    shape : (int, int)
        Rows and columns of the matrix.
    n_components : int
        Number of factors.
    regularization, exponent : float
        The penalty.
    biases : bool
        Whether to fit the global mean and the biases.
    epochs : int
        Passes; each solves for all rows, then for all columns.
    seed : int
        Random seed of the initial column factors.
    progress : callable
        Called after each pass with the passes done and the root mean squared error on the ratings.

    Returns
    -------
    Factors
        The factorisation.
    """
    mean, by_row, by_column = _centred(rows, columns, values, shape, biases)
    width = n_components + int(biases)
    penalty = Penalty(np.full(width, regularization), exponent)
    start = np.random.default_rng(seed).normal(0.0, 0.1, (shape[1], width))
    # Without biases the first factor starts as a constant, which biases would be: from there the alternation hardly
    # ever ends in a poor local minimum, as it does from random factors.
    start[:, 0] = 0.0 if biases else start[:, 0] + 1.0
    row_side, column_side = Side(np.zeros((shape[0], width))), Side(start)
    for epoch in range(epochs):
        row_side, _ = regress(by_row, column_side, penalty, biases)
        column_side, error = regress(by_column, row_side, penalty, biases)
        progress(epoch + 1, float(np.sqrt(error / len(values))))
    return _factors(mean, row_side, column_side, penalty, penalty, biases)


def fit_variational(
    rows: Integers,
    columns: Integers,
    values: Floats,
    shape: tuple[int, int],
    n_components: int = 15,
    biases: bool = True,
    epochs: int = 20,
    seed: int = 0,
    *,
    progress: Progress = _quiet,
) -> Factors:
    """Fit by variational Bayes: alternating least squares with an uncertainty of each factor.

    The posterior is approximated by independent Gaussians, one for each state.  A regression on uncertain factors adds
    their covariances to its Gram matrix, so lines with few ratings have less influence.  The noise variance, the
    variance of every row coordinate and that of the column biases are re-estimated after every pass; the variance of
    the column factors is fixed at 1 / n_components, because rows and columns share one scale.

    Factors that the ratings do not support shrink to 0: in a matrix of a few dozen cells, all may do so.

    Parameters
    ----------
    rows, columns, values, shape, n_components, biases, epochs, seed, progress
        As in :func:`fit_als`.  `progress` gets the root of the expected squared error, the standard deviation of
        the noise.

    Returns
    -------
    Factors
        The posterior means, with their covariances.
    """
    mean, by_row, by_column = _centred(rows, columns, values, shape, biases)
    width, split = n_components + int(biases), int(biases)
    start = np.random.default_rng(seed).normal(0.0, 0.3, (shape[1], width))
    row_variance, column_variance = np.ones(width), np.full(width, 1.0 / n_components)
    if biases:
        start[:, 0] = 0.0
        row_variance[0] = column_variance[0] = 0.2
    noise = float(values.var()) if biases else float(np.square(values).mean())
    smallest = max(1e-12 * noise, np.finfo(np.float64).tiny)
    noise = max(0.6 * noise, smallest)
    column_side = Side(start, np.tile(pack(np.diag(column_variance)[None]), (shape[1], 1)))
    row_side = Side(np.zeros((shape[0], width)))
    row_penalty = column_penalty = Penalty(np.ones(width))
    for epoch in range(epochs):
        row_penalty, column_penalty = Penalty(noise / row_variance), Penalty(noise / column_variance)
        row_side, _ = regress(by_row, column_side, row_penalty, biases, noise)
        column_side, error = regress(by_column, row_side, column_penalty, biases, noise)
        # neither may become 0, even if predictions equal the ratings: the penalty is their quotient
        noise = max(error / len(values), smallest)
        row_variance = np.maximum(_second_moment(row_side), smallest)
        column_variance[:split] = np.maximum(_second_moment(column_side)[:split], smallest)
        progress(epoch + 1, float(np.sqrt(noise)))
    return _factors(mean, row_side, column_side, row_penalty, column_penalty, biases)


def fit_sgd(
    rows: Integers,
    columns: Integers,
    values: Floats,
    shape: tuple[int, int],
    n_components: int = 50,
    regularization: float = 1.2,
    biases: bool = True,
    epochs: int = 50,
    seed: int = 0,
    *,
    exponent: float = 0.5,
    rate: float = 0.02,
    batch: int | None = None,
    scale: float = 0.1,
    progress: Progress = _quiet,
) -> Factors:
    """Fit by mini-batch stochastic gradient descent, on the objective of :func:`fit_als`.

    Parameters
    ----------
    rows, columns, values, shape, n_components, regularization, exponent, biases, epochs, seed, progress
        As in :func:`fit_als`; an epoch is one pass over the shuffled ratings.
    rate : float
        The initial step for one rating, which decreases linearly to 0 over the epochs.
    batch : int, optional
        Ratings in a mini-batch.  By default the number of rows plus columns of the matrix, so that an update of all
        states costs no more than the errors.
    scale : float
        Standard deviation of the random initial factors.

    Returns
    -------
    Factors
        The factorisation.
    """
    mean = float(values.mean()) if biases else 0.0
    targets = (values - mean).astype(np.float32)
    batch = min(len(values), batch if batch is not None else sum(shape))
    random = np.random.default_rng(seed)
    # With biases each side has two more columns: column 0 is the row's bias (and 1 on the columns), column 1 the
    # reverse, so the whole model is one inner product and one update.
    extra = 2 * int(biases)
    sides = [random.normal(0.0, scale, (lines, extra + n_components)).astype(np.float32) for lines in shape]
    trained = [np.ones(extra + n_components, np.float32) for _ in shape]
    if biases:
        for axis, side in enumerate(sides):
            side[:, axis], side[:, 1 - axis] = 0.0, 1.0
            trained[axis][1 - axis] = 0.0
    penalty = Penalty(np.full(n_components + int(biases), regularization), exponent)
    # Each rating of a line applies an equal share of the line's penalty.
    shares = []
    for indices, lines in zip((rows, columns), shape, strict=True):
        ratings = np.maximum(np.bincount(indices, minlength=lines), 1.0)[:, None]
        shares.append((regularization * ratings ** (exponent - 1.0)).astype(np.float32))
    for epoch in range(epochs):
        order = random.permutation(len(values))
        step = np.float32(rate * (1.0 - epoch / epochs))
        total = 0.0
        for start in range(0, len(values), batch):
            batch_ratings = order[start : start + batch]
            batch_cells = (rows[batch_ratings], columns[batch_ratings])
            gathered = (sides[0][batch_cells[0]], sides[1][batch_cells[1]])
            errors = targets[batch_ratings] - np.einsum("nk,nk->n", *gathered)
            total += float(np.vdot(errors, errors))
            pointers = np.arange(len(batch_ratings) + 1)
            for axis in (0, 1):
                lines = shape[axis]
                counts = np.bincount(batch_cells[axis], minlength=lines).astype(np.float32)[:, None]
                # One column per rating, its error in the row of its line: the product sums the gradients of a line.
                errors_by_line = sparse.csc_array(
                    (errors, batch_cells[axis], pointers), shape=(lines, len(batch_ratings))
                )
                gradient = errors_by_line @ gathered[1 - axis] - counts * shares[axis] * sides[axis]
                # A line with very many ratings in the batch would overshoot: limit its summed step.
                steps = np.minimum(step, 0.5 / np.maximum(counts, 1.0))
                sides[axis] += steps * trained[axis] * gradient
        progress(epoch + 1, float(np.sqrt(total / len(values))))
    states = []
    for axis, (side, indices) in enumerate(zip(sides, (rows, columns), strict=True)):
        # A line without ratings still has its random initial state: set it to 0, as the other fits do.
        side[np.bincount(indices, minlength=shape[axis]) == 0] = 0.0
        state = side[:, [axis, *range(2, extra + n_components)]] if biases else side
        states.append(Side(state.astype(np.float64)))
    return _factors(mean, states[0], states[1], penalty, penalty, biases)
