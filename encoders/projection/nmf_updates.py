"""Non-negative factors of a matrix, X ~ W H: the updates, by themselves.

W is kept transposed, (k, n): each component is then one contiguous row, and one update one BLAS call.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from encoders.codes import Codes
from encoders.cpu_count import in_parallel
from encoders.products import Product

Factor = NDArray[np.float32]
#: Smallest value that divides or is multiplied up again.
TINY = np.float32(1e-12)
#: Columns of a factor worked on at a time, so that they stay in the processor's cache.
BLOCK = 2048
#: Entries of a sparse matrix, or rows of a dense one, whose product is held at a time.
ENTRIES, ROWS = 2**20, 4096


def coordinate_descent(factor: Factor, gram: Factor, product: Factor, sweeps: int, alone: bool = False) -> None:
    """Minimise ``|X - F' H|²`` over F >= 0 by components in turn, in place (HALS).

    Parameters
    ----------
    factor : ndarray float32 (k, n)
        F, changed in place.
    gram : ndarray float32 (k, k)
        ``H H'``.
    product : ndarray float32 (k, n)
        ``H X'``.
    sweeps : int
        Times that every component is updated: the product, which costs most, is then used that often.
    alone : bool
        Sum so that a column does not depend on how many others there are, at twice the cost.

    References
    ----------
    Cichocki & Phan, Fast local algorithms for large scale nonnegative matrix and tensor factorizations, 2009,
    Algorithm 2; Gillis & Glineur, Accelerated multiplicative updates and hierarchical ALS algorithms for nonnegative
    matrix factorization, Neural Computation 24(4), 2012 (repeated sweeps).
    """
    own = np.maximum(np.diag(gram), TINY)
    others = gram / own[:, None]
    np.fill_diagonal(others, 0)

    def work(start: int) -> None:
        part = np.ascontiguousarray(factor[:, start : start + BLOCK])
        target = product[:, start : start + BLOCK] / own[:, None]
        width = part.shape[1]
        if alone and width == 1:  # NumPy sums one column in another order than several
            part, target = np.repeat(part, 2, axis=1), np.repeat(target, 2, axis=1)
        step = np.empty(part.shape[1], dtype=np.float32)
        for _ in range(sweeps):
            for row in range(len(part)):
                if alone:
                    np.einsum("j,jn->n", others[row], part, out=step)
                else:
                    np.matmul(others[row], part, out=step)
                np.subtract(target[row], step, out=step)
                np.maximum(step, 0, out=part[row])
        factor[:, start : start + BLOCK] = part[:, :width]

    in_parallel(work, range(0, factor.shape[1], BLOCK))


def multiplicative(factor: Factor, gram: Factor, product: Factor, sweeps: int) -> None:
    """Minimise the same by Lee & Seung's multiplicative rule, in place: it never raises the objective.

    References
    ----------
    Lee & Seung, Algorithms for non-negative matrix factorization, NIPS 2001, Theorem 1.
    """
    for _ in range(sweeps):
        factor *= product / np.maximum(gram @ factor, TINY)


def multiplicative_divergence(
    matrix: Codes, weights: Factor, components: Factor, products: tuple[Product, Product] | None = None
) -> Factor:
    """Return W' (k, n) after one multiplicative step on the divergence D(X || W H), `components` fixed.

    Parameters
    ----------
    matrix : ndarray or csr_array float32 (n, dim)
    weights : ndarray float32 (k, n)
    components : ndarray float32 (k, dim)
    products : tuple of Product, optional
        With the transposed components and with the components, where an item must not depend on the others.

    References
    ----------
    Lee & Seung, NIPS 2001, Theorem 2.
    """
    total = np.maximum(components.sum(axis=1, keepdims=True), TINY)
    result = np.empty_like(weights)
    for start, ratio in _ratios(matrix, weights, components, products):
        stop = start + ratio.shape[0]
        onto = components @ ratio.T if products is None else products[1](ratio).T
        result[:, start:stop] = weights[:, start:stop] * onto / total
    return result


def multiplicative_divergence_components(matrix: Codes, weights: Factor, components: Factor) -> Factor:
    """Return H (k, dim) after one multiplicative step on the divergence, `weights` fixed."""
    total = np.maximum(weights.sum(axis=1, keepdims=True), TINY)
    grown = np.zeros_like(components)
    for start, ratio in _ratios(matrix, weights, components):
        part = weights[:, start : start + ratio.shape[0]]
        grown += (ratio.T @ part.T).T if issparse(ratio) else part @ ratio
    return np.asarray(components * grown / total)


def _ratios(matrix: Codes, weights: Factor, components: Factor, products: tuple[Product, Product] | None = None) -> Any:
    """Yield X / (W H) a block of rows at a time; of a sparse X only where it is not 0."""
    sparse = issparse(matrix)
    for start in range(0, matrix.shape[0], ROWS):
        part: Any = matrix[start : start + ROWS]
        if not sparse:
            some = weights[:, start : start + ROWS].T
            yield start, part / np.maximum(some @ components if products is None else products[0](some), TINY)
            continue
        part = csr_array(part)
        ratio = csr_array((part.data / _at_entries(part, weights[:, start:], components), part.indices, part.indptr),
                          shape=part.shape)  # fmt: skip
        yield start, ratio


def _at_entries(part: Any, weights: Factor, components: Factor) -> NDArray[np.float32]:
    """Return W H at the entries of a sparse block, without the rest of it."""
    rows = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
    values = np.empty(part.nnz, dtype=np.float32)
    step = max(1, ENTRIES // weights.shape[0])
    for start in range(0, part.nnz, step):
        stop = start + step
        values[start:stop] = np.einsum(
            "ij,ij->j", weights[:, rows[start:stop]], components[:, part.indices[start:stop]]
        )
    return np.maximum(values, TINY)


def squared_error(matrix: Codes, weights: Factor, components: Factor) -> float:
    """Return ``|X - W H|²`` summed over all entries, without forming W H.

    Examples
    --------
    >>> squared_error(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), np.zeros((2, 2), dtype=np.float32))
    2.0
    """
    product = np.asarray((matrix @ components.T).T, dtype=np.float32)
    square = float(matrix.multiply(matrix).sum()) if issparse(matrix) else float(np.vdot(matrix, matrix))
    cross = float(np.einsum("ij,ij->", weights, product, dtype=np.float64))
    inner = float(np.sum((weights @ weights.T).astype(np.float64) * (components @ components.T)))
    return max(0.0, square - 2 * cross + inner)


def divergence(matrix: Codes, weights: Factor, components: Factor) -> float:
    """Return the generalised Kullback-Leibler divergence D(X || W H), summed over all entries.

    References
    ----------
    Lee & Seung, NIPS 2001, equation 3.
    """
    total = float(weights.sum(axis=1, dtype=np.float64) @ components.sum(axis=1, dtype=np.float64))
    for _, part, ratio in _blocks_and_ratios(matrix, weights, components):
        values, share = (part.data, ratio.data) if issparse(part) else (part.ravel(), ratio.ravel())
        there = values > 0
        total += float(np.sum(values[there].astype(np.float64) * (np.log(share[there]) - 1)))
    return total


def _blocks_and_ratios(matrix: Codes, weights: Factor, components: Factor) -> Any:
    for start, ratio in _ratios(matrix, weights, components):
        yield start, matrix[start : start + ratio.shape[0]], ratio
