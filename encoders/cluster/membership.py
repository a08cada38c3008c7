"""Conversion between cluster numbers and one-hot codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from encoders.codes import Codes


def one_hot(clusters: NDArray[np.int64], k: int) -> csr_array:
    """Return one-hot codes of cluster numbers: a 1 in the column of the cluster, sparse float32 (n, k).

    Examples
    --------
    >>> one_hot(np.array([1, 0]), 3).toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    ones = np.ones(len(clusters), dtype=np.float32)
    return csr_array((ones, clusters.astype(np.int32), np.arange(len(clusters) + 1)), shape=(len(clusters), k))


def clusters_of(codes: Codes) -> NDArray[np.int64]:
    """Return the cluster of every one-hot code; -1 for a code without a cluster."""
    if issparse(codes):
        clusters = np.full(codes.shape[0], -1, dtype=np.int64)
        clusters[np.repeat(np.arange(codes.shape[0]), np.diff(codes.indptr))] = codes.indices
        return clusters
    return np.where(codes.any(axis=1), codes.argmax(axis=1), -1)
