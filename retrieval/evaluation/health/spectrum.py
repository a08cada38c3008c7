"""How a space uses its components: effective rank, anisotropy, constant and near-constant components."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from retrieval.evaluation.health.similarity import squared_lengths, unit_rows

Floats = NDArray[np.float64]
#: Rows from which the spectrum is computed, at most.
MAX_ROWS = 1000
#: A component varies hardly when its standard deviation is below this share of the largest one.
NEAR_CONSTANT = 0.01


def singular_values(rows: Any, limit: int = MAX_ROWS) -> Floats:
    """Return the singular values of the centred rows, descending; of `limit` evenly chosen rows where there are more.

    Sparse rows stay sparse: the matrix of products of rows is centred instead.

    Examples
    --------
    >>> singular_values(np.array([[1.0, 0.0], [-1.0, 0.0]])).round(3).tolist()
    [1.414, 0.0]
    """
    if rows.shape[0] > limit:
        rows = rows[np.linspace(0, rows.shape[0] - 1, limit).astype(int)]
    n, dim = rows.shape
    if issparse(rows) or n < dim:
        product = rows @ rows.T
        products = np.asarray(product.toarray() if issparse(product) else product)
        means = products.mean(axis=0)
        scatter = products - means - means[:, None] + products.mean()
    else:
        centred = rows - rows.mean(axis=0)
        scatter = centred.T @ centred
    return np.sqrt(np.maximum(np.linalg.eigvalsh(scatter)[::-1], 0))


def effective_rank(values: Floats) -> float:
    """Return the effective rank of singular values: the exponential of the entropy of their shares.

    References
    ----------
    Roy & Vetterli, The effective rank: a measure of effective dimensionality, EUSIPCO 2007; Garrido et al., RankMe,
    ICML 2023, use it to judge representations without labels.

    Examples
    --------
    >>> round(effective_rank(np.array([2.0, 2.0, 2.0, 0.0])), 6)
    3.0
    """
    total = float(values.sum())
    if total <= 0:
        return 0.0
    shares = values[values > 1e-9 * values.max()] / total
    return float(np.exp(-np.sum(shares * np.log(shares))))


def mean_cosine(rows: Any) -> float:
    """Return the mean cosine of two different rows, zero rows left out: the share of a code that all items have.

    It is (‖Σu‖² - n) / (n(n - 1)) over unit rows u; 0 when fewer than two rows are not zero.

    References
    ----------
    Ethayarajh, How contextual are contextualized word representations?, EMNLP 2019 (anisotropy); Mu & Viswanath,
    All-but-the-top, ICLR 2018.

    Examples
    --------
    >>> round(mean_cosine(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])), 3)
    0.333
    """
    count = int(np.count_nonzero(squared_lengths(rows) > 0))
    if count < 2:
        return 0.0
    total = np.asarray(unit_rows(rows).sum(axis=0), np.float64).ravel()
    return (float(total @ total) - count) / (count * (count - 1))


def constant_components(rows: Any, share: float = NEAR_CONSTANT) -> tuple[float, float]:
    """Return the share of components that are constant, and of others that vary hardly.

    Sparse rows: components that are the same number, not 0, in every row; a word that no sampled item has is no fault.

    Examples
    --------
    >>> constant_components(np.array([[1.0, 0.0, 0.0, 5.0], [1.0, 9.0, 0.01, 0.0]]))
    (0.25, 0.25)
    """
    n, dim = rows.shape
    if issparse(rows):
        columns = rows.tocsc()
        full = np.flatnonzero(np.diff(columns.indptr) == n)
        same = [
            column for column in full if np.ptp(columns.data[columns.indptr[column] : columns.indptr[column + 1]]) == 0
        ]
        return len(same) / dim, 0.0
    deviations = rows.std(axis=0)
    constant = np.ptp(rows, axis=0) == 0
    hardly = ~constant & (deviations < share * float(deviations.max()))
    return float(constant.mean()), float(hardly.mean())
