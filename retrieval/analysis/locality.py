"""Local against distributed representation: the same items as a cluster's number and as a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.cluster.kmeans import KMeans
from encoders.cluster.membership import clusters_of
from encoders.codes import Codes, Kind, Space
from indexers.registry import create_index
from retrieval.evaluation import evaluate_labels

SHOWN, NEIGHBOURS = 4, 8


@dataclass(frozen=True)
class Locality:
    """What two representations of the same items retrieve.

    Attributes
    ----------
    k : int
        Number of clusters.
    clusters : ndarray int (n,)
    queries : list of int
        Rows that are shown.
    local, distributed : ndarray int (len(queries), NEIGHBOURS)
        Their nearest rows; those in the query's own cluster are all equally near, in their own order. -1 for none.
    precision : dict of str to float
        P@10 by label of the local and the distributed form; empty without labels.
    """

    k: int
    clusters: NDArray[np.int64]
    queries: list[int]
    local: NDArray[np.int64]
    distributed: NDArray[np.int64]
    precision: dict[str, float]


def locality(codes: Codes, space: Space, labels: Sequence[str | None], k: int, seed: int = 0) -> Locality:
    """Cluster the codes of a space, and let cluster numbers and codes answer the same queries."""
    clusters = clusters_of(KMeans(k, seed=seed).fit_encode(codes))
    count = len(clusters)
    own = np.arange(count)
    index = create_index(None, space)
    index.add([str(row) for row in range(count)], codes)
    distributed = _without(index.search_rows(codes, min(count, 101)).rows, own)
    local = _same_cluster(clusters, distributed.shape[1])
    known = all(label is not None for label in labels) and len(set(labels)) > 1
    precision = {}
    if known:
        for name, rows in (("cluster", local), ("code", distributed)):
            precision[name] = evaluate_labels(rows, list(labels), list(labels), ("P@10",), exclude=own).means["P@10"]
    queries = np.linspace(0, count - 1, SHOWN).astype(int).tolist()
    return Locality(k, clusters, queries, local[queries, :NEIGHBOURS], distributed[queries, :NEIGHBOURS], precision)


def _without(rows: NDArray[Any], own: NDArray[Any]) -> NDArray[np.int64]:
    """Drop each query's own row."""
    order = np.argsort(rows == own[:, None], axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1)[:, :-1]


def _same_cluster(clusters: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return, for every item, others of its cluster, from just behind it on; -1 where none is left."""
    rows = np.full((len(clusters), width), -1, dtype=np.int64)
    for cluster in np.unique(clusters):
        members = np.flatnonzero(clusters == cluster)
        for place, row in enumerate(members):
            others = np.concatenate([members[place + 1 :], members[:place]])[:width]
            rows[row, : len(others)] = others
    return rows


def is_dense(space: Space) -> bool:
    """Tell whether codes of a space can be clustered as they are."""
    return space.kind is not Kind.BINARY
