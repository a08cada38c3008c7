"""Updates of the non-negative factors of a matrix, X ~ W H.

W is stored transposed, (k, n) for k components: each component is one contiguous row, and one update one BLAS call.
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
#: Smallest divisor, and smallest value that can grow by multiplication.
TINY = np.float32(1e-12)
#: Columns of a factor per block, so that a block fits into the processor's cache.
BLOCK = 2048
#: Entries of a sparse matrix, or rows of a dense matrix, per block of a product.
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
        Number of updates of every component with the same product, which is the most expensive step.
    alone : bool
        Sum so that a column does not depend on the number of columns, at twice the cost.

    References
    ----------
    Cichocki & Phan, Fast local algorithms for large scale nonnegative matrix and tensor factorizations, 2009,
    Algorithm 2; Gillis & Glineur, Accelerated multiplicative updates and hierarchical ALS algorithms for nonnegative
    matrix factorization, Neural Computation 24(4), 2012 (repeated sweeps).
    """
    diagonal = np.maximum(np.diag(gram), TINY)
    others = gram / diagonal[:, None]
    np.fill_diagonal(others, 0)

    def work(start: int) -> None:
        block = np.ascontiguousarray(factor[:, start : start + BLOCK])
        target = product[:, start : start + BLOCK] / diagonal[:, None]
        width = block.shape[1]
        if alone and width == 1:  # NumPy sums one column in another order than several
            block, target = np.repeat(block, 2, axis=1), np.repeat(target, 2, axis=1)
        step = np.empty(block.shape[1], dtype=np.float32)
        for _ in range(sweeps):
            for row in range(len(block)):
                if alone:
                    np.einsum("j,jn->n", others[row], block, out=step)
                else:
                    np.matmul(others[row], block, out=step)
                np.subtract(target[row], step, out=step)
                np.maximum(step, 0, out=block[row])
        factor[:, start : start + BLOCK] = block[:, :width]

    in_parallel(work, range(0, factor.shape[1], BLOCK))


def multiplicative(factor: Factor, gram: Factor, product: Factor, sweeps: int) -> None:
    """Minimise the same objective in place by Lee & Seung's multiplicative rule, which never raises it.

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
        Products with the transposed components and with the components, if an item must not depend on other items.

    References
    ----------
    Lee & Seung, NIPS 2001, Theorem 2.
    """
    total = np.maximum(components.sum(axis=1, keepdims=True), TINY)
    result = np.empty_like(weights)
    for start, ratio in _ratios(matrix, weights, components, products):
        stop = start + ratio.shape[0]
        product = components @ ratio.T if products is None else products[1](ratio).T
        result[:, start:stop] = weights[:, start:stop] * product / total
    return result


def multiplicative_divergence_components(matrix: Codes, weights: Factor, components: Factor) -> Factor:
    """Return H (k, dim) after one multiplicative step on the divergence, `weights` fixed."""
    total = np.maximum(weights.sum(axis=1, keepdims=True), TINY)
    products_sum = np.zeros_like(components)
    for start, ratio in _ratios(matrix, weights, components):
        block = weights[:, start : start + ratio.shape[0]]
        products_sum += (ratio.T @ block.T).T if issparse(ratio) else block @ ratio
    return np.asarray(components * products_sum / total)


def _ratios(matrix: Codes, weights: Factor, components: Factor, products: tuple[Product, Product] | None = None) -> Any:
    """Yield X / (W H) in blocks of rows; for a sparse X only at its entries."""
    sparse = issparse(matrix)
    for start in range(0, matrix.shape[0], ROWS):
        block: Any = matrix[start : start + ROWS]
        if not sparse:
            codes = weights[:, start : start + ROWS].T
            estimate = codes @ components if products is None else products[0](codes)
            yield start, block / np.maximum(estimate, TINY)
            continue
        block = csr_array(block)
        ratios = block.data / _at_entries(block, weights[:, start:], components)
        yield start, csr_array((ratios, block.indices, block.indptr), shape=block.shape)


def _at_entries(block: Any, weights: Factor, components: Factor) -> NDArray[np.float32]:
    """Return W H at the entries of a sparse block only."""
    rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    values = np.empty(block.nnz, dtype=np.float32)
    step = max(1, ENTRIES // weights.shape[0])
    for start in range(0, block.nnz, step):
        stop = start + step
        values[start:stop] = np.einsum(
            "ij,ij->j", weights[:, rows[start:stop]], components[:, block.indices[start:stop]]
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
    for _, block, ratio in _blocks_and_ratios(matrix, weights, components):
        values, share = (block.data, ratio.data) if issparse(block) else (block.ravel(), ratio.ravel())
        positive = values > 0
        total += float(np.sum(values[positive].astype(np.float64) * (np.log(share[positive]) - 1)))
    return total


def _blocks_and_ratios(matrix: Codes, weights: Factor, components: Factor) -> Any:
    for start, ratio in _ratios(matrix, weights, components):
        yield start, matrix[start : start + ratio.shape[0]], ratio
