"""Remedies for a space, learnt from a sample without labels: other vectors, or other scores of the same vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Kind, Metric, Space

Floats = NDArray[np.float64]
#: Neighbours whose mean score is a neighbourhood's density in CSLS (Conneau et al. use 10).
CSLS_NEIGHBOURS = 10
#: Width to which sparse codes are reduced, as in the default space of texts.
SPARSE_WIDTH = 128
#: Components with less than this share of the largest variance are rounding, and are not whitened.
_ROUNDING = 1e-8


@dataclass(frozen=True)
class VectorRemedy:
    """Another vector for each code.

    Attributes
    ----------
    name : str
        As in `retrieval.evaluation.health.checks`.
    detail : str
        Its parameter, such as the width.
    transform : callable
        Codes ``(m, dim)`` -> vectors ``(m, width)``.
    metric : Metric
        In which the vectors are compared.
    stage : str
        What to add to the spec of the space to get it; empty where nearby has no such stage.
    """

    name: str
    detail: str
    transform: Callable[[Any], Any]
    metric: Metric
    stage: str


def vector_remedies(rows: Any, space: Space, dimension: float | None = None) -> Iterator[VectorRemedy]:
    """Give the remedies that apply to a space, fitted on the rows.

    Parameters
    ----------
    rows : array or csr_array float64 (n, dim)
        As `retrieval.evaluation.health.similarity.rows_of` returns them.
    space : Space
    dimension : float, optional
        The intrinsic dimension; twice that is one of the widths that are tried.

    References
    ----------
    Mu & Viswanath, All-but-the-top: simple and effective postprocessing for word representations, ICLR 2018: remove the
    mean and dim / 100 directions; Su et al., Whitening sentence representations, 2021.
    """
    if space.kind is Kind.BINARY:
        return
    metric = space.metric
    if space.dim > 1 and metric is not Metric.DOT:
        other = Metric.EUCLIDEAN if metric is Metric.COSINE else Metric.COSINE
        yield VectorRemedy("the other metric", str(other), lambda x: x, other, "")
    elif metric is Metric.DOT:
        yield VectorRemedy("the other metric", "cosine", lambda x: x, Metric.COSINE, "")
    if issparse(rows):
        yield from _sparse_widths(rows, metric)
    elif space.dim > 1 and len(rows) > 2:
        yield from _dense(rows, metric, dimension)


def _dense(rows: Floats, metric: Metric, dimension: float | None) -> Iterator[VectorRemedy]:
    mean = rows.mean(axis=0)
    variances, directions = principal_directions(rows - mean)
    n, dim = rows.shape
    kept = ",metric=cosine" if metric is Metric.COSINE else ""
    rank = len(variances)
    if rank == 0:
        return
    if metric is not Metric.EUCLIDEAN:  # a shift changes no Euclidean distance
        yield VectorRemedy("centring", "", lambda x: x - mean, metric, f"+pca:{min(rank, n - 1)},metric=cosine")
    top = max(1, round(dim / 100))
    if top < rank:
        away = directions[:top]
        yield VectorRemedy(
            "all-but-the-top", f"{top} removed", lambda x: (x - mean) - ((x - mean) @ away.T) @ away, metric, ""
        )
    many = min(rank, n // 2)
    scale = directions[:many] / np.sqrt(variances[:many])[:, None]
    yield VectorRemedy(
        "whitening", f"{many} components", lambda x: (x - mean) @ scale.T, metric, f"+pca:{many},whiten=true{kept}"
    )
    for width in _widths(dim, rank, dimension):
        yield _projected(directions[:width], mean, metric, f"+pca:{width}{kept}")


def _projected(directions: Floats, mean: Floats, metric: Metric, stage: str) -> VectorRemedy:
    width = len(directions)
    return VectorRemedy("fewer components", f"{width}", lambda x: (x - mean) @ directions.T, metric, stage)


def _widths(dim: int, rank: int, dimension: float | None) -> list[int]:
    """Return widths to try: half, a quarter, and twice the intrinsic dimension."""
    known = [] if dimension is None or not math.isfinite(dimension) else [math.ceil(2 * dimension)]
    return sorted({width for width in (dim // 2, dim // 4, *known) if 2 <= width < min(dim, rank + 1)}, reverse=True)


def _sparse_widths(rows: Any, metric: Metric) -> Iterator[VectorRemedy]:
    width = min(SPARSE_WIDTH, min(rows.shape) // 2)
    if width < 2 or rows.nnz == 0:
        return
    from sklearn.decomposition import TruncatedSVD

    directions = TruncatedSVD(width, random_state=0).fit(rows).components_
    yield VectorRemedy(
        "fewer components", f"{width}", lambda x: np.asarray(x @ directions.T), Metric.COSINE, f"+lsa:{width}"
    )


def principal_directions(centred: Floats) -> tuple[Floats, Floats]:
    """Return variances (descending) and unit directions of centred rows, without those that only rounding has.

    Examples
    --------
    >>> variances, directions = principal_directions(np.array([[2.0, 0.0], [-2.0, 0.0]]))
    >>> variances.tolist(), np.abs(directions).tolist()
    ([4.0], [[1.0, 0.0]])
    """
    n, dim = centred.shape
    wide = n < dim
    values, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    order = np.argsort(values)[::-1]
    order = order[values[order] > _ROUNDING * max(float(values.max()), 0)]
    values, vectors = values[order], vectors[:, order]
    directions = (centred.T @ vectors / np.sqrt(values)).T if wide else vectors.T
    return values / n, directions


def csls(scores: Floats, query_means: Floats, row_means: Floats) -> Floats:
    """Return cross-domain similarity local scaling: 2 s(q, x) minus the mean scores of q and of x with their nearest.

    References
    ----------
    Conneau, Lample, Ranzato, Denoyer & Jégou, Word translation without parallel data, ICLR 2018, equation 4.

    Examples
    --------
    >>> csls(np.array([[0.9, 0.8]]), np.array([0.85]), np.array([0.9, 0.4])).round(2).tolist()
    [[0.05, 0.35]]
    """
    return 2 * scores - query_means[:, None] - row_means


def mean_of_nearest(scores: Floats, k: int = CSLS_NEIGHBOURS) -> Floats:
    """Return the mean of the k largest finite scores of every row of a matrix; 0 where there are none.

    Examples
    --------
    >>> mean_of_nearest(np.array([[-np.inf, 1.0, 3.0]]), 2)
    array([2.])
    """
    k = min(k, scores.shape[1])
    best = np.partition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k :]
    known = np.isfinite(best)
    return np.asarray(np.where(known, best, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))


def mutual_proximity(distances: Floats, query_moments: Floats, row_moments: Floats) -> Floats:
    """Return the probability that neither q is nearer to others nor x, with normal and independent distances.

    Parameters
    ----------
    distances : ndarray float64 (m, n)
    query_moments, row_moments : ndarray float64 (2, m), (2, n)
        Mean and standard deviation of the distances of each query, and row, to the items.

    References
    ----------
    Schnitzer, Flexer, Schedl & Widmer, Local and global scaling reduce hubs in space, JMLR 13, 2012, section 3.2
    (independent Gaussian form).

    Examples
    --------
    >>> mutual_proximity(np.array([[1.0]]), np.array([[1.0], [0.5]]), np.array([[1.0], [0.5]])).tolist()
    [[0.25]]
    """
    from scipy.special import log_ndtr

    tiny = 1e-12
    ours = log_ndtr((query_moments[0][:, None] - distances) / np.maximum(query_moments[1], tiny)[:, None])
    theirs = log_ndtr((row_moments[0] - distances) / np.maximum(row_moments[1], tiny))
    return np.asarray(np.exp(ours + theirs))


def moments(distances: Floats, query_rows: NDArray[np.int64] | None = None) -> Floats:
    """Return mean and standard deviation of every row of distances, (2, m), its own left out."""
    known = np.ones(distances.shape, bool)
    if query_rows is not None:
        asked = np.flatnonzero(query_rows >= 0)
        known[asked, query_rows[asked]] = False
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, distances, 0).sum(axis=1) / count
    spread = np.sqrt(np.where(known, (distances - mean[:, None]) ** 2, 0).sum(axis=1) / count)
    return np.stack([mean, spread])
