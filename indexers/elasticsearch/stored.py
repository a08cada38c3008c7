"""Codes at full precision, as they lie in the documents: for scores that are computed here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Metric, Space, packed_width
from encoders.errors import IndexGoneError
from indexers.base import Rows
from indexers.elasticsearch.site import Site
from indexers.pairs import BinaryPairs, DensePairs, Pairs, best_pairs

#: Documents fetched in one request: at 4,096 numbers each, 30 MB of JSON.
AT_ONCE = 1_000


def stored_codes(site: Site, index: str, field: str, space: Space, keys: Sequence[str]) -> Codes:
    """Return the codes of documents: of a cosine space, unit vectors.

    Raises
    ------
    IndexGoneError
        When a document is not there any more.
    """
    width = packed_width(space.dim) if space.kind is Kind.BINARY else space.dim
    codes = np.empty((len(keys), width), dtype=np.uint8 if space.kind is Kind.BINARY else np.float32)
    for start in range(0, len(keys), AT_ONCE):
        some = list(keys[start : start + AT_ONCE])
        with site.asking() as client:
            found = client.mget(index=index, ids=some, source_includes=[field], filter_path=f"docs._source.{field}")
        documents = found.get("docs", [])
        if len(documents) < len(some):
            raise IndexGoneError("some items were removed from the index while they were read: ask again")
        for row, document in enumerate(documents, start=start):
            value = document["_source"][field]
            codes[row] = np.frombuffer(bytes.fromhex(value), dtype=np.uint8) if isinstance(value, str) else value
    return codes


def exact_rows(
    site: Site,
    index: str,
    field: str,
    space: Space,
    queries: Codes,
    rows: NDArray[np.int64],
    key_of: Callable[[int], str],
) -> Rows:
    """Return the rows found for each query in the order of their exact scores, from their codes."""
    fetched = Fetched(site, index, field, space, queries, rows, key_of)
    return best_pairs(fetched, rows, rows.shape[1], positive_only=False)


class Fetched:
    """Compares queries with rows whose codes were fetched for it; a `Pairs`."""

    def __init__(
        self,
        site: Site,
        index: str,
        field: str,
        space: Space,
        queries: Any,
        rows: NDArray[np.int64],
        key_of: Callable[[int], str],
    ) -> None:
        self._rows = np.unique(rows[rows >= 0])
        codes = stored_codes(site, index, field, space, [key_of(row) for row in self._rows.tolist()])
        none = np.empty(0, dtype=np.float32)
        # unit vectors are stored for cosine, and asked with
        metric = Metric.EUCLIDEAN if space.metric is Metric.EUCLIDEAN else Metric.DOT
        binary = space.kind is Kind.BINARY
        self._pairs: Pairs = BinaryPairs(queries, codes, none, metric) if binary else DensePairs(queries, codes, none, metric)

    def scores(self, place: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores of some rows for the query at `place`."""
        return self._pairs.scores(place, np.searchsorted(self._rows, rows))
