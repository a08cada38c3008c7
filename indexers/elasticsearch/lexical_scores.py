"""Scores of given items by their words, as the server weighs them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes
from encoders.errors import OptionError
from indexers.elasticsearch.fetch_vectors import KeyOf
from indexers.elasticsearch.fields import WINDOW, Field, QueryOptions
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.query import searched


class LexicalPairs:
    """Compares queries with rows by asking the server for these alone; a `Pairs`."""

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
            raise OptionError(f"Elasticsearch puts at most {WINDOW:,} items in order; got {rows.shape[1]:,}")
        self._site, self._index, self._name, self._field = admin, index, name, field
        self._asked: list[Any] = field.values(queries)
        self._key_of = key_of

    def scores(self, query_row: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores of some rows for the query at `query_row`; 0 where no word is shared."""
        keys = [self._key_of(row) for row in rows.tolist()]
        options = QueryOptions(WINDOW, only=({"ids": {"values": keys}},))
        body = self._field.query(self._name, self._asked[query_row], len(keys), options)
        (found,) = searched(self._site, self._index, [body], max(1, len(keys)), several_shards=True)
        row_at = {key: at for at, key in enumerate(keys)}
        scores = np.zeros(len(rows), dtype=np.float32)
        scores[[row_at[key] for key in found.keys]] = self._field.scores(found.raw)
        return scores
