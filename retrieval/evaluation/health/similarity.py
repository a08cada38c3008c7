"""All scores and distances among sampled items, as matrices: what the health of a space is read from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes, Kind, Metric, Space, normalized
from encoders.scaling import moderate

Floats = NDArray[np.float64]
#: Decimals, relative to the largest score, that scores keep: equal codes then have equal scores, whatever the order in
#: which a matrix product sums.
DECIMALS = 10


def rows_of(codes: Codes, space: Space) -> Any:
    """Return codes as numbers: bits as 0 and 1, others scaled so that their squares are safe; float64, dense or sparse.

    Examples
    --------
    >>> rows_of(np.array([[0b10100000]], np.uint8), Space(3, Kind.BINARY, Metric.HAMMING))
    array([[1., 0., 1.]])
    """
    if space.kind is Kind.BINARY:
        return np.unpackbits(np.asarray(codes), axis=1, count=space.dim).astype(np.float64)
    rows = moderate(codes)
    return rows.astype(np.float64) if issparse(rows) else np.asarray(rows, np.float64)


def score_matrix(queries: Any, rows: Any, metric: Metric) -> Floats:
    """Return the score of every row for every query, larger is better.

    Parameters
    ----------
    queries, rows : array or csr_array float64 (m, dim), (n, dim)
        As `rows_of` returns them.
    metric : Metric
        Euclidean and Hamming scores are negative squared distances.

    Returns
    -------
    ndarray float64 (m, n)

    Examples
    --------
    >>> score_matrix(np.eye(2), np.eye(2), Metric.EUCLIDEAN)
    array([[-0., -2.],
           [-2., -0.]])
    """
    if metric is Metric.COSINE:
        queries, rows = unit_rows(queries), unit_rows(rows)
    scores = _product(queries, rows)
    if metric in (Metric.EUCLIDEAN, Metric.HAMMING):
        lengths = squared_lengths(queries)[:, None] + squared_lengths(rows)
        largest = float(lengths.max(initial=0.0))
        scores = -np.maximum(lengths - 2 * scores, 0)
    else:
        largest = float(np.abs(scores).max(initial=0.0))
    if largest > 0:
        np.round(scores / largest, DECIMALS, out=scores)
        scores *= largest
    return scores


def distance_matrix(queries: Any, rows: Any, metric: Metric) -> Floats:
    """Return the distance of every row from every query: that of the space, and for `dot` that of the directions.

    A cosine space has the Euclidean distances of its codes scaled to unit length, sqrt(2 - 2 cos).
    """
    if metric in (Metric.COSINE, Metric.DOT):
        queries, rows = unit_rows(queries), unit_rows(rows)
    squares = -score_matrix(queries, rows, Metric.EUCLIDEAN)
    return squares if metric is Metric.HAMMING else np.sqrt(squares)


def mask_query_rows(scores: Floats, query_rows: NDArray[np.int64], nothing: float = -np.inf) -> Floats:
    """Return a matrix in which no query finds itself; `query_rows` is the row of each query, -1 when it is no item."""
    masked = scores.copy()
    asked = np.flatnonzero(query_rows >= 0)
    masked[asked, query_rows[asked]] = nothing
    return masked


def unit_rows(rows: Any) -> Any:
    """Return rows scaled to unit length in float64; zero rows stay zero.

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    if issparse(rows):
        return normalized(rows).astype(np.float64)
    lengths = np.sqrt(squared_lengths(rows))
    return rows / np.where(lengths > 0, lengths, 1)[:, None]


def squared_lengths(rows: Any) -> Floats:
    """Return the squared length of every row."""
    if issparse(rows):
        return np.asarray(rows.multiply(rows).sum(axis=1), np.float64).ravel()
    return np.asarray(np.einsum("ij,ij->i", rows, rows))


def _product(queries: Any, rows: Any) -> Floats:
    product = queries @ rows.T
    return np.asarray(product.toarray() if issparse(product) else product, np.float64)
