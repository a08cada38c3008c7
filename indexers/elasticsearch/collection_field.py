"""A space of a collection in Elasticsearch: one field of the index that holds all its spaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Lexicon, Space
from encoders.errors import OptionError
from indexers.base import Hit, HitLists
from indexers.elasticsearch.fetch_vectors import FetchedPairs, exact_rows
from indexers.elasticsearch.fields import WINDOW
from indexers.elasticsearch.index import Elasticsearch
from indexers.elasticsearch.keys import id_of, key_of
from indexers.elasticsearch.lexical_scores import LexicalPairs
from indexers.elasticsearch.paginate import read_documents
from indexers.elasticsearch.query import Answers
from indexers.pairs import Pairs
from indexers.validation import checked_codes, checked_k

_PAGE = 10_000


class CollectionField(Elasticsearch):
    """A field of an existing index. A collection writes whole items, so one field alone cannot be changed.

    Ids are read from the server when rows are needed; a search for hits needs none.

    Parameters
    ----------
    space : Space
    backend : str
        The address.
    parameters : mapping of str to str
    lexicon : Lexicon, optional
    field : str
        Name of the field.
    index : str
        Name of the index (not its alias).
    """

    def __init__(
        self,
        space: Space,
        backend: str,
        parameters: Mapping[str, str],
        lexicon: Lexicon | None,
        field: str,
        index: str,
    ) -> None:
        super().__init__(space, backend, parameters, lexicon)
        self._field_name, self._index, self._saved = field, index, True
        self._listed, self._named = False, False

    @property
    def field_name(self) -> str:
        """The name of the field."""
        return self._field_name

    def values(self, codes: Codes) -> list[Any]:
        """Return codes (or counts) as documents store them.

        Raises
        ------
        BadItemError, DimensionError
            When they are not codes of this space.
        """
        self._choose_unit(codes)  # refuses codes whose squares float32 cannot hold
        return self.field.values(self.comparable(checked_codes(codes, self.space)))

    def search_bodies(self, queries: Codes, k: int, filters: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
        """Return the search for the `k` nearest items of each query that satisfy the filters."""
        return self.searches(self.comparable(self._checked(queries)), min(checked_k(k), WINDOW), filters)

    def hits_of(self, queries: Codes, answers: Sequence[Answers]) -> list[list[Hit]]:
        """Turn answers into hits; with ``rescore``, their scores are computed from the codes."""
        if self._rescore and not self.stores_counts:
            return self._rescored(self.comparable(self._checked(queries)), answers)
        return [list(map(Hit, one.ids, self.field.scores(one.raw).tolist())) for one in answers]

    # -- the contract of an index, without a list of all ids -----------------------------------------------------

    def __len__(self) -> int:
        return len(self._ids) if self._listed else self.admin.count(self._created_index())

    def search(self, queries: Codes, k: int) -> HitLists:
        """Return the best `k` hits of every query, best first."""
        matrix = self.comparable(self._checked(queries))
        return HitLists.of(self.hits_of(queries, self._answers(matrix, checked_k(k))) if matrix.shape[0] else [])

    def close(self) -> None:
        """Do nothing: the index stays on the server."""

    @property
    def _ids(self) -> list[str]:
        self._list()
        return self._listed_ids

    @_ids.setter
    def _ids(self, ids: list[str]) -> None:
        self._listed_ids = ids

    def _list(self) -> None:
        if getattr(self, "_listed", True):  # False only after __init__ of this class
            return
        documents = list(read_documents(self.admin, self._created_index(), page=_PAGE))
        self._listed = True
        self._listed_ids = [id_of(hit["_id"], hit["fields"].get("own_id", (None,))[0]) for hit in documents]
        self._positions = np.array([hit["fields"]["place"][0] for hit in documents], dtype=np.int64)

    def _key_of(self, row: int) -> str:
        return key_of(self._ids[row])

    def _pairs(self, queries: Codes, rows: NDArray[np.int64]) -> Pairs:
        if self.stores_counts:
            return LexicalPairs(
                self.admin, self._created_index(), self._field_name, self.field, queries, rows, self._key_of
            )
        return FetchedPairs(self._stored, queries, rows, self._key_of)

    def _rescored(self, queries: Codes, answers: Sequence[Answers]) -> list[list[Hit]]:
        ids = sorted({id for one in answers for id in one.ids})
        number = {id: row for row, id in enumerate(ids)}
        rows = np.full((len(answers), max((len(one.ids) for one in answers), default=0)), -1, dtype=np.int64)
        for query, one in enumerate(answers):
            rows[query, : len(one.ids)] = [number[id] for id in one.ids]
        exact = exact_rows(self._stored, queries, rows, lambda row: key_of(ids[row]))
        return [
            [Hit(ids[row], score) for row, score in zip(*pair, strict=True) if row >= 0]
            for pair in zip(exact.rows.tolist(), exact.scores.tolist(), strict=True)
        ]

    def _add(self, codes: Codes) -> None:
        raise _read_only_error()

    def _bytes_on_disk(self) -> None:
        """Return None: the server tells the size of an index, not of one field."""

    def _remove(self, rows: NDArray[np.int64]) -> None:
        raise _read_only_error()


def _read_only_error() -> OptionError:
    return OptionError("one space of a collection cannot be changed alone: use  nearby add  or  nearby delete")
