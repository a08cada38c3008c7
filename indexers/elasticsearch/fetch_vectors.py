"""Full-precision codes, fetched from the documents, for scores that nearby computes itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.batches import chunks
from encoders.codes import Codes, Kind, Metric, Space, packed_width
from encoders.errors import IndexGoneError
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.hits import Rows
from indexers.pairs import BinaryPairs, DensePairs, Pairs, as_cosines, best_pairs

#: Documents fetched in one request: at 4,096 numbers each, 30 MB of JSON.
AT_ONCE = 1_000
#: Returns the key of a row.
KeyOf = Callable[[int], str]


@dataclass(frozen=True)
class StoredVectors:
    """The field of an index that holds the codes of a space."""

    admin: IndexAdmin
    index: str
    field: str
    space: Space

    def codes(self, keys: Sequence[str]) -> Codes:
        """Return the codes of documents; unit vectors in a cosine space.

        Raises
        ------
        IndexGoneError
            When a document was removed.
        """
        binary = self.space.kind is Kind.BINARY
        width = packed_width(self.space.dim) if binary else self.space.dim
        codes = np.empty((len(keys), width), dtype=np.uint8 if binary else np.float32)
        values = (value for some in chunks(keys, AT_ONCE) for value in self._values(some))
        for row, value in enumerate(values):
            codes[row] = np.frombuffer(bytes.fromhex(value), dtype=np.uint8) if binary else value
        return codes

    def _values(self, keys: list[str]) -> list[Any]:
        documents = self.admin.documents(self.index, keys, [self.field])
        if not all(document.get("found") and self.field in document["_source"] for document in documents):
            raise IndexGoneError("some items were removed from the index while they were read: run the command again")
        return [document["_source"][self.field] for document in documents]


def exact_rows(stored: StoredVectors, queries: Codes, rows: NDArray[np.int64], key_of: KeyOf) -> Rows:
    """Return the rows of each query in the order of their exact scores, computed from their codes."""
    return best_pairs(FetchedPairs(stored, queries, rows, key_of), rows, rows.shape[1], positive_only=False)


class FetchedPairs:
    """Compares `comparable` queries with rows whose codes it fetches; a `Pairs`."""

    def __init__(self, stored: StoredVectors, queries: Any, rows: NDArray[np.int64], key_of: KeyOf) -> None:
        self._rows = np.unique(rows[rows >= 0])
        codes = stored.codes([key_of(row) for row in self._rows.tolist()])
        self._cosine = stored.space.metric is Metric.COSINE
        none = np.empty(0, dtype=np.float64)
        # for cosine, codes and queries are unit vectors
        metric = Metric.EUCLIDEAN if stored.space.metric is Metric.EUCLIDEAN else Metric.DOT
        binary = stored.space.kind is Kind.BINARY
        self._pairs: Pairs = (BinaryPairs if binary else DensePairs)(queries, codes, none, metric)

    def scores(self, query_row: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores of some rows for the query at `query_row`."""
        scores = self._pairs.scores(query_row, np.searchsorted(self._rows, rows))
        return as_cosines(scores) if self._cosine else scores
