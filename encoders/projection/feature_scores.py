"""Scores of components by several criteria; larger is better unless the docstring says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes
from encoders.errors import BadItemError, OptionError

#: Rows in the neighbour graph of the Laplacian score; the score is a mean over them.
GRAPH_ROWS = 5000
#: Levels of a component for mutual information.
LEVELS = 8
#: Numbers of a dense matrix per block in float64 (512 KiB).
BLOCK = 2**16
#: Largest width for which the (dim, dim) covariance is computed.
MAX_WIDTH = 8192

Scores = NDArray[np.float64]


def means(matrix: Codes) -> Scores:
    """Return the mean of every component, float64 (dim,), summed in float64 (SciPy's mean sums in float32).

    Examples
    --------
    >>> means(np.array([[0.0, 1.0], [2.0, 1.0]], dtype=np.float32)).tolist()
    [1.0, 1.0]
    """
    rows, width = matrix.shape
    if issparse(matrix):
        return np.asarray(np.bincount(matrix.indices, matrix.data, minlength=width) / rows)
    return np.asarray(matrix.mean(axis=0, dtype=np.float64))


def variances(matrix: Codes) -> Scores:
    """Return the variance of every component, float64 (dim,).

    Examples
    --------
    >>> variances(np.array([[0.0, 1.0], [2.0, 1.0]])).tolist()
    [1.0, 0.0]
    """
    rows, width = matrix.shape
    mean = means(matrix)
    if issparse(matrix):
        # about the mean: squares minus the squared mean would not give 0 for a constant component
        present = np.bincount(matrix.indices, minlength=width)
        squares = np.bincount(matrix.indices, np.square(matrix.data - mean[matrix.indices]), minlength=width)
        return np.asarray((squares + (rows - present) * mean**2) / rows)
    # float64 for the sums only, never for the whole matrix: blocks of rows fit the cache
    total = np.zeros(width)
    height = max(1, BLOCK // width)
    for start in range(0, rows, height):
        block = matrix[start : start + height] - mean
        block *= block
        total += np.ones(len(block)) @ block
    return np.asarray(total / rows)


def laplacian(matrix: Codes, neighbours: int) -> Scores:
    """Return the Laplacian score of every component (dim,); SMALLER is better, in [0, 2], inf where constant.

    The graph joins each of up to `GRAPH_ROWS` rows with its nearest neighbours, weights exp(-d² / mean d²).
    """
    from sklearn.neighbors import kneighbors_graph

    if matrix.shape[0] < 3:
        raise BadItemError(f"the Laplacian score needs at least 3 items, got {matrix.shape[0]}")
    rows = np.random.default_rng(0).permutation(matrix.shape[0])[:GRAPH_ROWS]
    sample: Any = matrix[np.sort(rows)].astype(np.float64)
    graph = kneighbors_graph(sample, min(neighbours, len(rows) - 1), mode="distance")
    squares = graph.data**2
    mean_square = float(squares.mean())
    graph.data = np.exp(-squares / (mean_square or 1.0))
    weights = graph.maximum(graph.T)
    degree = np.asarray(weights.sum(axis=1)).ravel()
    dense = np.asarray(sample.toarray() if issparse(sample) else sample, dtype=np.float64)
    centred = dense - (degree @ dense) / degree.sum()
    spread = degree @ np.square(centred)
    smooth = np.einsum("ij,ij->j", centred, weights @ centred)
    smallest = 1e-12 * float(spread.max(initial=0.0))
    varies = spread > smallest
    return np.where(varies, (spread - smooth) / np.where(varies, spread, 1), np.inf)


def greedy_reconstruction(matrix: Codes, n_components: int) -> NDArray[np.int64]:
    """Return components, each chosen so that the chosen ones predict all components with the least squared error.

    With covariance C, the gain of component j is ``|C_j|² / C_jj``; after each choice, its share is removed from C.
    """
    width = int(matrix.shape[1])
    if width > MAX_WIDTH:
        raise OptionError(
            f"select: criterion=reconstruction reads vectors of up to {MAX_WIDTH:,} numbers, got {width:,}; "
            "use variance, or mutual-information where there are labels"
        )
    covariance = _covariance(matrix)
    smallest = 1e-9 * float(np.trace(covariance)) or np.finfo(np.float64).tiny
    chosen: list[int] = []
    for _ in range(n_components):
        diagonal = np.diag(covariance)
        gain = np.where(diagonal > smallest, np.square(covariance).sum(axis=0) / np.maximum(diagonal, smallest), -1.0)
        gain[chosen] = -2.0  # components without any gain come last, and none is chosen twice
        best = int(np.argmax(gain))
        chosen.append(best)
        if diagonal[best] > smallest:
            column = covariance[:, best] / np.sqrt(diagonal[best])
            covariance -= np.outer(column, column)
    return np.asarray(chosen, dtype=np.int64)


def _covariance(matrix: Codes) -> Scores:
    mean = means(matrix)
    total = np.zeros((len(mean), len(mean)))
    for start in range(0, matrix.shape[0], 4096):
        block: Any = matrix[start : start + 4096]
        centred = (block.toarray() if issparse(block) else block) - mean
        total += centred.T @ centred
    return np.asarray(total / matrix.shape[0])


def chi2(matrix: Codes, labels: Sequence[str]) -> Scores:
    """Return the chi-squared statistic of every non-negative component with the class (dim,)."""
    from sklearn.feature_selection import chi2 as statistic

    values = matrix.data if issparse(matrix) else matrix
    if values.size and float(values.min()) < 0:
        raise BadItemError("select: criterion=chi2 reads counts, and some values are negative: use mutual-information")
    with np.errstate(invalid="ignore", divide="ignore"):  # a component that is always 0 has no statistic
        return np.nan_to_num(np.asarray(statistic(matrix, list(labels))[0], dtype=np.float64))


def mutual_information(matrix: Codes, labels: Sequence[str]) -> Scores:
    """Return the mutual information of every component's level with the class, in nats (dim,).

    A sparse component has two levels, absent and present; a dense component has `LEVELS` levels of equal width.
    """
    classes, member = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    indicator = np.zeros((len(classes), len(member)), dtype=np.float32)
    indicator[member, np.arange(len(member))] = 1
    share = indicator.mean(axis=1, dtype=np.float64)[:, None]
    total = np.zeros(matrix.shape[1])
    for present in _levels(matrix):
        joint = np.asarray(indicator @ present, dtype=np.float64) / len(member)
        level = joint.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            total += np.nan_to_num(joint * np.log(joint / (share * level))).sum(axis=0)
    return total


def _levels(matrix: Codes) -> Any:
    """Yield for each level whether each value is in it, float32 (n, dim)."""
    if issparse(matrix):
        present = (matrix != 0).astype(np.float32)
        yield present
        yield _Absent(present)
        return
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    width = np.where(high > low, high - low, 1)
    level = np.minimum((matrix - low) / width * LEVELS, LEVELS - 1).astype(np.uint8)
    for value in range(LEVELS):
        yield (level == value).astype(np.float32)


class _Absent:
    """``1 - present`` of a sparse matrix, without making it dense; it supports only `indicator @ self`."""

    __array_ufunc__ = None  # so that NumPy calls `__rmatmul__`

    def __init__(self, present: Any) -> None:
        self.present = present

    def __rmatmul__(self, indicator: Any) -> Any:
        return indicator.sum(axis=1, keepdims=True) - indicator @ self.present
