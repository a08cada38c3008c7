"""The queries of tuning: random items, the corpus' own queries, and the neighbours that exact search finds for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, n_rows, stack_codes
from indexers.base import Index
from retrieval.collection.base import Collection
from retrieval.corpora.sample import draw
from retrieval.evaluation.significance import Interval, bootstrap_interval
from retrieval.experiment.tuning.result import Recall

#: Chance that a recall is below its interval, when no sampled query missed anything.
ONE_SIDED = 0.025


@dataclass(frozen=True)
class Queries:
    """Codes of queries, and the score that an item needs to be among the true k nearest.

    Attributes
    ----------
    codes : codes (n, dim)
    query_rows : ndarray int64 (n,)
        The row of each query among the items, which is no answer to it; -1 when the query is no item.
    groups : mapping of str to slice
        The rows of each group of queries.
    k : int
    exact : Index
        It scores answers: a row that is as near as the true k-th counts, so that ties cost no recall.
    worst : ndarray (n, 1)
        Exact score of the k-th nearest item.
    """

    codes: Codes
    query_rows: NDArray[np.int64]
    groups: Mapping[str, slice]
    k: int
    exact: Index
    worst: NDArray[np.float32]

    @classmethod
    def of(
        cls, exact: Index, codes: Codes, query_rows: NDArray[np.int64], groups: Mapping[str, slice], k: int
    ) -> Queries:
        """Search exactly."""
        hits = exact.search_rows(codes, k + 1)
        rows = drop_query_rows(hits.rows, query_rows, k)
        return cls(codes, query_rows, groups, k, exact, exact.score_rows(codes, rows).min(axis=1, keepdims=True))

    def __len__(self) -> int:
        return n_rows(self.codes)

    def recalls(self, index: Index) -> dict[str, Recall]:
        """Return the recall of an index for each group of queries."""
        rows = drop_query_rows(index.search_rows(self.codes, self.k + 1).rows, self.query_rows, self.k)
        near = (self.exact.score_rows(self.codes, rows) >= self.worst) & (rows >= 0)
        shares = near.mean(axis=1)
        return {name: recall_of(shares[part], index is self.exact) for name, part in self.groups.items()}


def queries_of(collection: Collection, spec: str, exact: Index, size: int, k: int, seed: int = 0) -> Queries:
    """Draw queries: up to `size` random items, and as many of the corpus' own queries if it has any."""
    encoder, ids = collection.space(spec).encoder, exact.ids
    rows = np.sort(np.random.default_rng(seed).choice(len(ids), min(size, len(ids)), replace=False))
    asked = collection.items.get(exact.ids_of_rows(rows))
    codes = [encoder.encode_queries([item.content for item in asked])]
    groups, query_rows = {"items": slice(0, len(rows))}, [rows]
    others = [] if collection.items.queries_are_items else draw(collection.items.queries(), size, seed)
    if others:
        codes.append(encoder.encode_queries([item.content for item in others]))
        groups["queries"] = slice(len(rows), len(rows) + len(others))
        query_rows.append(np.full(len(others), -1))
    return Queries.of(exact, stack_codes(codes), np.concatenate(query_rows), groups, k)


def drop_query_rows(rows: NDArray[np.int64], query_rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return the first k rows of each query that are not the query itself.

    Examples
    --------
    >>> drop_query_rows(np.array([[4, 7, 2], [5, 1, 0]]), np.array([7, -1]), 2).tolist()
    [[4, 2], [5, 1]]
    """
    is_query = (rows == query_rows[:, None]) & (query_rows >= 0)[:, None]
    return np.take_along_axis(rows, np.argsort(is_query, axis=1, kind="stable")[:, :k], axis=1)


def recall_of(shares: Sequence[float] | NDArray[np.float64], is_exact: bool = False) -> Recall:
    """Return the mean of the queries' recalls with its interval.

    When no query missed anything, resampling says nothing. Then the interval begins where so many queries without a
    miss would still be seen by chance in 2.5% of the samples (the rule of three); that of exact search is 1.

    Examples
    --------
    >>> recall_of([1.0] * 100)
    Recall(mean=1.0, interval=Interval(low=0.963..., high=1.0))
    """
    values = np.asarray(shares, np.float64)
    mean = float(values.mean())
    if mean < 1:
        return Recall(mean, bootstrap_interval(values))
    return Recall(1.0, Interval(1.0 if is_exact else float(ONE_SIDED ** (1 / len(values))), 1.0))
