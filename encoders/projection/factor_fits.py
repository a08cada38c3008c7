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
    """Say nothing."""


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
    """Return the global mean, and the ratings less it by row and by column."""
    mean = float(values.mean()) if biases else 0.0
    # Not through a conversion that would drop a rating equal to the mean, now a zero; none of these does.
    by_row = sparse.csr_array((values - mean, (rows, columns)), shape=shape)
    if by_row.nnz < len(values):
        raise BadItemError("a cell is rated twice: keep one rating of each user and item")
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
    d: int = 15,
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
    d : int
        Number of factors.
    regularization, exponent : float
        The penalty.
    biases : bool
        Whether to fit the global mean and the biases.
    epochs : int
        Passes; each solves for all rows, then for all columns.
    seed : int
        Of the random initial column factors.
    progress : callable
        Called after each pass with the passes done and the root mean squared error on the ratings.

    Returns
    -------
    Factors
        The factorisation.
    """
    mean, by_row, by_column = _centred(rows, columns, values, shape, biases)
    k = d + int(biases)
    penalty = Penalty(np.full(k, regularization), exponent)
    start = np.random.default_rng(seed).normal(0.0, 0.1, (shape[1], k))
    # Without biases the first factor starts as the constant they would be: from there the alternation hardly ever
    # falls into a poor local minimum, as it does from a wholly random start.
    start[:, 0] = 0.0 if biases else start[:, 0] + 1.0
    row_side, column_side = Side(np.zeros((shape[0], k))), Side(start)
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
    d: int = 15,
    biases: bool = True,
    epochs: int = 20,
    seed: int = 0,
    *,
    progress: Progress = _quiet,
) -> Factors:
    """Fit by variational Bayes: alternating least squares that knows how uncertain each factor is.

    The posterior is approximated by independent Gaussians, one for each state.  A regression on uncertain factors adds
    their covariances to its Gram matrix, so that lines with few ratings are trusted less.  The noise variance, the
    variance of every row coordinate and that of the column biases are re-estimated after every pass; the variance of
    the column factors is fixed at 1 / d, which settles the scale that rows and columns share.

    Factors that the ratings do not support shrink to nought: a matrix of a few dozen cells may lose all of them.

    Parameters
    ----------
    rows, columns, values, shape, d, biases, epochs, seed, progress
        As in :func:`fit_als`.  `progress` is given the root of the expected squared error, which is the noise's
        standard deviation.

    Returns
    -------
    Factors
        The posterior means, with their covariances.
    """
    mean, by_row, by_column = _centred(rows, columns, values, shape, biases)
    k, split = d + int(biases), int(biases)
    start = np.random.default_rng(seed).normal(0.0, 0.3, (shape[1], k))
    row_variance, column_variance = np.ones(k), np.full(k, 1.0 / d)
    if biases:
        start[:, 0] = 0.0
        row_variance[0] = column_variance[0] = 0.2
    noise = float(values.var()) if biases else float(np.square(values).mean())
    least = max(1e-12 * noise, np.finfo(np.float64).tiny)
    noise = max(0.6 * noise, least)
    column_side = Side(start, np.tile(pack(np.diag(column_variance)[None]), (shape[1], 1)))
    row_side = Side(np.zeros((shape[0], k)))
    row_penalty = column_penalty = Penalty(np.ones(k))
    for epoch in range(epochs):
        row_penalty, column_penalty = Penalty(noise / row_variance), Penalty(noise / column_variance)
        row_side, _ = regress(by_row, column_side, row_penalty, biases, noise)
        column_side, error = regress(by_column, row_side, column_penalty, biases, noise)
        # neither falls to 0, however well the ratings are met: the penalty is the quotient of the two
        noise = max(error / len(values), least)
        row_variance = np.maximum(_second_moment(row_side), least)
        column_variance[:split] = np.maximum(_second_moment(column_side)[:split], least)
        progress(epoch + 1, float(np.sqrt(noise)))
    return _factors(mean, row_side, column_side, row_penalty, column_penalty, biases)


def fit_sgd(
    rows: Integers,
    columns: Integers,
    values: Floats,
    shape: tuple[int, int],
    d: int = 50,
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
    rows, columns, values, shape, d, regularization, exponent, biases, epochs, seed, progress
        As in :func:`fit_als`; an epoch is one pass over the shuffled ratings.
    rate : float
        The initial step for one rating, decreasing linearly to nought over the epochs.
    batch : int, optional
        Ratings in a mini-batch.  By default as many as the matrix has rows and columns, so that updating all the
        states costs no more than computing the errors.
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
    # With biases each side carries both: column 0 is the row's bias (and 1 on the columns), column 1 the reverse, so
    # that the whole model is one inner product and one update.
    extra = 2 * int(biases)
    sides = [random.normal(0.0, scale, (lines, extra + d)).astype(np.float32) for lines in shape]
    free = [np.ones(extra + d, np.float32) for _ in shape]
    if biases:
        for own, side in enumerate(sides):
            side[:, own], side[:, 1 - own] = 0.0, 1.0
            free[own][1 - own] = 0.0
    penalty = Penalty(np.full(d + int(biases), regularization), exponent)
    # The line's penalty is shared among its ratings, each of which pulls the line towards nought when it is seen.
    shares = []
    for indices, lines in zip((rows, columns), shape, strict=True):
        ratings = np.maximum(np.bincount(indices, minlength=lines), 1.0)[:, None]
        shares.append((regularization * ratings ** (exponent - 1.0)).astype(np.float32))
    for epoch in range(epochs):
        order = random.permutation(len(values))
        step = np.float32(rate * (1.0 - epoch / epochs))
        total = 0.0
        for start in range(0, len(values), batch):
            chosen = order[start : start + batch]
            seen = (rows[chosen], columns[chosen])
            gathered = (sides[0][seen[0]], sides[1][seen[1]])
            errors = targets[chosen] - np.einsum("nk,nk->n", *gathered)
            total += float(np.vdot(errors, errors))
            pointers = np.arange(len(chosen) + 1)
            for own in (0, 1):
                lines = shape[own]
                counts = np.bincount(seen[own], minlength=lines).astype(np.float32)[:, None]
                # One column a rating, its error in the line's row: the product sums each line's gradients.
                spread = sparse.csc_array((errors, seen[own], pointers), shape=(lines, len(chosen)))
                gradient = spread @ gathered[1 - own] - counts * shares[own] * sides[own]
                # A line with very many ratings in the batch would overshoot: cap its summed step.
                capped = np.minimum(step, 0.5 / np.maximum(counts, 1.0))
                sides[own] += capped * free[own] * gradient
        progress(epoch + 1, float(np.sqrt(total / len(values))))
    states = []
    for own, (side, indices) in enumerate(zip(sides, (rows, columns), strict=True)):
        # A line without ratings still has its random start: its estimate is nought, as in the other fits.
        side[np.bincount(indices, minlength=shape[own]) == 0] = 0.0
        kept = side[:, [own, *range(2, extra + d)]] if biases else side
        states.append(Side(kept.astype(np.float64)))
    return _factors(mean, states[0], states[1], penalty, penalty, biases)
