"""Local and distributed representation compared: the same items as cluster numbers and as codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.cluster.kmeans import KMeans
from encoders.cluster.membership import clusters_of
from encoders.codes import Codes, Kind, Space, n_rows
from indexers.base import Index
from indexers.registry import create_index
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.ranking import rank
from retrieval.evaluation.relevance import LabelRelevance

#: Number of queries shown, of neighbours of each, and of answers that are measured.
SHOWN, NEIGHBOURS, DEPTH = 4, 8, 10


@dataclass(frozen=True)
class Locality:
    """The answers that cluster numbers and codes of the same items retrieve.

    Attributes
    ----------
    k : int
        Number of clusters.
    clusters : ndarray int (n,)
    queries : list of int
        Rows of the queries that are shown.
    local, distributed : ndarray int (len(queries), NEIGHBOURS)
        Their nearest rows; -1 for none. By cluster number, all items of the query's cluster are equally near and
        come in a random order.
    precision : dict of str to float
        P@10 by label of clusters and codes, expected under a random order of equal scores, over the items whose
        label another item shares; empty without labels.
    """

    k: int
    clusters: NDArray[np.int64]
    queries: list[int]
    local: NDArray[np.int64]
    distributed: NDArray[np.int64]
    precision: dict[str, float]


def locality(codes: Codes, space: Space, labels: Sequence[str | None], k: int, seed: int = 0) -> Locality:
    """Cluster the codes of a space, then answer the same queries by cluster number and by code.

    All items of a cluster are equally near to each other: the precision is the mean over their orders.
    """
    kmeans = KMeans(k, seed=seed)
    numbers = kmeans.fit_encode(codes)
    count = n_rows(numbers)
    order = np.random.default_rng(seed).permutation(count)
    query_rows = np.arange(count)
    relevance = LabelRelevance(labels, labels, query_rows)
    forms = {"cluster": (kmeans.space, numbers), "code": (space, codes)}
    lists = {name: rank(_index(*form), form[1], DEPTH, query_rows, order, relevance) for name, form in forms.items()}
    asking = np.flatnonzero(relevance.n_relevant > 0)
    precision = {}
    if len(asking) and len(set(labels)) > 1:
        for name, rankings in lists.items():
            measured = expected_measures(rankings, relevance, ("P@10",), complete=True).per_query["P@10"]
            precision[name] = float(measured[asking].mean())
    queries = np.linspace(0, count - 1, SHOWN).astype(int).tolist()
    local, distributed = (lists[name].rows[queries, :NEIGHBOURS] for name in forms)
    return Locality(k, clusters_of(numbers), queries, local, distributed, precision)


def _index(space: Space, codes: Codes) -> Index:
    index = create_index(None, space)
    index.add([str(row) for row in range(n_rows(codes))], codes)
    return index


def is_dense(space: Space) -> bool:
    """Return whether the codes of a space can be clustered without conversion."""
    return space.kind is not Kind.BINARY
