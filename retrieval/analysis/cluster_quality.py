"""Measures of the agreement between clusters and labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def agreement(clusters: NDArray[np.int64], labels: Sequence[str]) -> dict[str, float]:
    """Return four measures of the agreement between clusters and classes; 1 is the best value of each.

    ``NMI``: normalised mutual information (arithmetic mean); ``ARI``: adjusted Rand index, 0 for chance; ``purity``:
    the share of items in their cluster's most frequent class (1 for clusters of one); ``accuracy``: the same when
    each cluster must have a different class.

    Examples
    --------
    >>> agreement(np.array([1, 1, 0, 0]), ["a", "a", "b", "b"])["accuracy"]
    1.0

    References
    ----------
    Manning, Raghavan & Schütze, Introduction to Information Retrieval, 2008, §16.3; Hubert & Arabie, Comparing
    partitions, Journal of Classification 2, 1985.
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    table = contingency(clusters, labels)
    rows, columns = linear_sum_assignment(-table)
    return {
        "NMI": float(normalized_mutual_info_score(list(labels), clusters)),
        "ARI": float(adjusted_rand_score(list(labels), clusters)),
        "purity": float(table.max(axis=1).sum() / table.sum()),
        "accuracy": float(table[rows, columns].sum() / table.sum()),
    }


def contingency(clusters: NDArray[np.int64], labels: Sequence[str]) -> NDArray[Any]:
    """Return the contingency table: the number of items of each class in each cluster (clusters, classes)."""
    rows = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    columns = np.unique(np.asarray(labels, dtype=str), return_inverse=True)[1].reshape(-1)
    table = np.zeros((rows.max() + 1, columns.max() + 1), dtype=np.int64)
    np.add.at(table, (rows, columns), 1)
    return table
