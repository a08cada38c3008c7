"""Combination of several scores: the mean of their ranks among the scores of normal items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def rank_among(reference: ArrayLike, scores: ArrayLike) -> Floats:
    """Return the rank of scores among reference scores, as a share from 0 to 1.

    A score beyond the largest one of the reference gets a little more than 1, growing with the distance: otherwise all
    clear anomalies would be tied.

    Parameters
    ----------
    reference, scores : array-like float (n,), (m,)

    Examples
    --------
    >>> rank_among([1.0, 2.0, 3.0, 4.0], [0.0, 2.0, 4.0]).tolist()
    [0.0, 0.375, 0.875]
    >>> far, farther = rank_among([1.0, 2.0, 3.0, 4.0], [9.0, 99.0])
    >>> bool(1 < far < farther)
    True
    """
    known, asked = np.sort(np.asarray(reference, np.float64)), np.asarray(scores, np.float64)
    below, upto = np.searchsorted(known, asked, side="left"), np.searchsorted(known, asked, side="right")
    ranks = (below + upto) / 2 / len(known)  # equal scores share a rank
    spread = float(known[-1] - np.median(known)) or abs(float(known[-1])) or 1.0
    beyond = np.maximum(asked - known[-1], 0)
    with np.errstate(over="ignore"):
        excess = np.minimum(beyond / spread, np.finfo(np.float64).max)
    return np.asarray(ranks + np.log1p(excess) / len(known))


def mean_rank(references: Sequence[ArrayLike], scores: Sequence[ArrayLike]) -> Floats:
    """Return the mean of the ranks that an item has by each score.

    Parameters
    ----------
    references : sequence of array-like float (n,)
        The scores of the same normal items, one array for each score.
    scores : sequence of array-like float (m,)

    Returns
    -------
    ndarray float64 (m,)

    References
    ----------
    Aggarwal & Sathe, Theoretical foundations and algorithms for outlier ensembles, SIGKDD Explorations 17(1), 2015.

    Examples
    --------
    >>> mean_rank([[1.0, 2.0], [10.0, 20.0]], [[1.5], [5.0]]).tolist()
    [0.25]
    """
    ranks = [rank_among(known, asked) for known, asked in zip(references, scores, strict=True)]
    return np.asarray(np.mean(ranks, axis=0))
