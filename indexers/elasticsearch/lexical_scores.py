"""BM25 scores of given items, computed by the server."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes
from encoders.errors import OptionError
from indexers.elasticsearch.fetch_vectors import KeyOf
from indexers.elasticsearch.fields import WINDOW, Field, QueryOptions
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.query import run_searches


class LexicalPairs:
    """Compares queries with rows by a search among these rows on the server; a `Pairs`."""

    def __init__(
        self,
        admin: IndexAdmin,
        index: str,
        name: str,
        field: Field,
        queries: Codes,
        rows: NDArray[np.int64],
        key_of: KeyOf,
    ) -> None:
        if rows.shape[1] > WINDOW:
            raise OptionError(f"Elasticsearch ranks at most {WINDOW:,} items; got {rows.shape[1]:,}")
        self._admin, self._index, self._name, self._field = admin, index, name, field
        self._queries: list[Any] = field.values(queries)
        self._key_of = key_of

    def scores(self, query_row: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores of some rows for the query at `query_row`; 0 where they share no word."""
        keys = [self._key_of(row) for row in rows.tolist()]
        options = QueryOptions(WINDOW, filters=({"ids": {"values": keys}},))
        body = self._field.query(self._name, self._queries[query_row], len(keys), options)
        (answers,) = run_searches(self._admin, self._index, [body], max(1, len(keys)), several_shards=True)
        row_of = {key: row for row, key in enumerate(keys)}
        scores = np.zeros(len(rows), dtype=np.float32)
        scores[[row_of[key] for key in answers.keys]] = self._field.scores(answers.raw)
        return scores
