"""Products of rows with a fixed matrix, and distances to fixed points; each result depends on its row only.

The rounding of a floating-point matrix product depends on the number of rows, the threads and the library version, so
an item encoded alone differs in its last digits from the same item in a batch. If a bit or a cluster depends on such a
digit, the two codes disagree. Here both factors are first rounded to few bits, so that sums of their products are
exact: the result is the same in any order of summation.

References
----------
Ozaki, Ogita, Oishi & Rump, Error-free transformations of matrix multiplication by using fast routines of matrix
multiplication and its applications, Numerical Algorithms 59, 2012 (splitting into parts whose products are exact).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

#: Bits of an entry relative to the length of its row. By the Cauchy-Schwarz inequality, any partial sum of the products
#: of two such rows is below 2^52 units, and float64 can represent 2^53.
BITS = 26
#: Numbers per block of rows in float64 (1 MiB): a block fits into the cache, and there is no second copy of all rows.
BLOCK = 2**17
#: Largest number of prepared matrices of one encoder.
MAX_MATRICES = 8


class Product:
    """``(rows - centre) @ matrix.T`` for a fixed matrix; the result of a row does not depend on other rows.

    Each factor is rounded to 2^-27 of its length, so the error is below that of float32 arithmetic. Sparse rows
    are multiplied as they are: SciPy sums row by row, in the order of the entries.

    Parameters
    ----------
    matrix : ndarray (k, dim)
        Must not change afterwards.
    centre : ndarray (dim,), optional
        Subtracted from every row first.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((100, 50)).astype(np.float32)
    >>> product = Product(np.random.default_rng(1).standard_normal((3, 50)))
    >>> bool((product(rows)[7] == product(rows[7:8])[0]).all())
    True
    """

    def __init__(self, matrix: NDArray[Any], centre: NDArray[Any] | None = None) -> None:
        self.matrix, self.centre = matrix, centre
        self._rounded: NDArray[np.float64] | None = None

    def __call__(self, rows: Any, offset: Any = 0.0) -> NDArray[np.float32]:
        """Return ``(rows - centre) @ matrix.T + offset``, float32 (n, k).

        Parameters
        ----------
        rows : ndarray or csr_array (n, dim)
        offset : float or ndarray (k,)
        """
        if issparse(rows):
            if self.centre is not None:
                offset = offset - Product(self.matrix).exactly(self.centre[None])
            return np.asarray(sparse_product(rows, self.matrix) + offset, dtype=np.float32)
        products = np.empty((rows.shape[0], self.matrix.shape[0]), dtype=np.float32)
        height = max(1, BLOCK // max(1, rows.shape[1]))
        for start in range(0, len(products), height):
            part = products[start : start + height]
            np.add(self.exactly(rows[start : start + height]), offset, out=part, casting="same_kind")
        return products

    def exactly(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Return the product for a block of dense rows, float64 (n, k); no sum is rounded."""
        if self._rounded is None:
            self._rounded = rounded(self.matrix)
        return np.asarray(
            rounded(rows if self.centre is None else rows - self.centre.astype(np.float64)) @ self._rounded.T
        )


def sparse_product(rows: Any, matrix: NDArray[Any]) -> NDArray[Any]:
    """Return ``rows @ matrix.T`` for sparse rows; a query of a few words does not touch the rest of the matrix.

    SciPy copies the whole matrix first. Without the columns in which no row has an entry, the sums are the same, in the
    same order.

    Parameters
    ----------
    rows : csr_array (n, dim)
    matrix : ndarray (k, dim)

    Returns
    -------
    numpy.ndarray (n, k)
    """
    used = np.unique(rows.indices)
    if 2 * len(used) >= rows.shape[1]:
        return np.asarray(rows @ matrix.T)
    narrow = csr_array(
        (rows.data, np.searchsorted(used, rows.indices), rows.indptr), shape=(rows.shape[0], len(used)), copy=False
    )
    return np.asarray(narrow @ matrix[:, used].T)


class Products:
    """The products with the matrices of one encoder, each prepared at its first use."""

    def __init__(self) -> None:
        self._known: dict[int, Product] = {}

    def of(self, matrix: NDArray[Any], centre: NDArray[Any] | None = None) -> Product:
        """Return the product with a matrix, which must not change any more."""
        product = self._known.get(id(matrix))
        if product is None or product.centre is not centre:
            if len(self._known) >= MAX_MATRICES:
                self._known.clear()
            product = self._known[id(matrix)] = Product(
                matrix, centre
            )  # it keeps the matrix alive, so its id stays unique
        return product


class Distances:
    """Squared Euclidean distances to fixed points; the result of a row does not depend on other rows.

    Examples
    --------
    >>> Distances(np.array([[3.0, 4.0], [0.0, 0.0]])).squared(np.array([[0.0, 0.0]])).tolist()
    [[25.0, 0.0]]
    """

    def __init__(self, points: NDArray[Any]) -> None:
        exact = np.asarray(points, dtype=np.float64)
        self._centre = exact.mean(axis=0)
        self._about = Product(exact - self._centre)
        self._lengths = np.einsum("kd,kd->k", self._about.matrix, self._about.matrix)
        self._points, self._point_lengths = exact, np.einsum("kd,kd->k", exact, exact)

    def squared(self, rows: Any) -> NDArray[np.float64]:
        """Return the squared distance of every row (n, dim) to every point (k, dim), float64 (n, k).

        Dense rows are centred at the mean of the points, so that few digits cancel; sparse rows stay sparse.
        """
        if issparse(rows):
            exact = rows.astype(np.float64)
            row_lengths = np.asarray(exact.multiply(exact).sum(axis=1)).ravel()
            squares = sparse_product(exact, self._points) * -2 + self._point_lengths
            return np.asarray(np.maximum(squares + row_lengths[:, None], 0, out=squares))
        squares = np.empty((len(rows), len(self._lengths)))
        height = max(1, BLOCK // max(1, rows.shape[1]))
        for start in range(0, len(rows), height):
            part = np.subtract(rows[start : start + height], self._centre, dtype=np.float64)
            block = self._about.exactly(part) * -2
            block += np.einsum("nd,nd->n", part, part)[:, None]
            block += self._lengths
            np.maximum(block, 0, out=squares[start : start + height])
        return squares


def rounded(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return rows with entries rounded to multiples of a unit, 2^-26 of the length of the row, float64 (n, dim).

    Examples
    --------
    >>> rounded(np.array([[1.0, 2.0**-30]])).tolist()
    [[1.0, 0.0]]
    """
    exact = np.array(rows, dtype=np.float64, order="C")
    _, exponent = np.frexp(np.sqrt(np.einsum("nd,nd->n", exact, exact)))
    # adding and subtracting 1.5 * 2^52 units rounds to whole units
    shift = np.ldexp(1.5, exponent + (52 - BITS))[:, None]
    exact += shift
    exact -= shift
    return exact
