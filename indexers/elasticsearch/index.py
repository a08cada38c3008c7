"""Elasticsearch as an index: dense and binary codes and BM25's words, on one server or a cluster of them.

Source: Elasticsearch reference 8.19, kNN search and dense vector field type; docs/elasticsearch.md says what was tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Metric, n_rows
from encoders.errors import ArtifactError, OptionError
from encoders.json_text import parse_json
from encoders.numbers import read_number
from encoders.plain_file import read_plain
from indexers.base import Index, Rows
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.bulk import Bulk
from indexers.elasticsearch.fetch_vectors import StoredVectors, exact_rows
from indexers.elasticsearch.fields import WINDOW, Field, QueryOptions, WordsField, field_of
from indexers.elasticsearch.index_admin import KEPT, MADE_BY, IndexAdmin, own_name, write_alias
from indexers.elasticsearch.mapping import IndexMapping
from indexers.elasticsearch.ownership import IDENTITY, ONE_SPACE, is_own_name, new_identity, require_maker
from indexers.elasticsearch.privileges import require_rights
from indexers.elasticsearch.query import Answers, searched
from indexers.folder import read_array, write_array

POSITIONS, ABOUT = "places.npy", "about.json"
CANDIDATES = 100
#: The field of an index that holds one space alone.
CODE = "code"


class Elasticsearch(Index):
    """A space in Elasticsearch: ``elasticsearch:http://host:9200/news,int8_hnsw,m=32?num_candidates=200``.

    This one makes an index of its own, under a name that begins with the one in the description, and removes it
    when it is closed without having been saved; a collection holds all its spaces in one index (`CollectionField`).

    Search parameters: ``num_candidates`` (of each shard, 1 to 10,000), ``oversample`` (how many times k are put in
    order again by their full-precision vectors; quantised types only) and ``rescore`` (``true``: scores are
    computed here, from the full-precision codes).
    """

    name = "elasticsearch"
    changes_unit: ClassVar[bool] = False
    spaces: ClassVar[frozenset[tuple[Kind, Metric]]] = frozenset(
        {(Kind.DENSE, metric) for metric in (Metric.COSINE, Metric.DOT, Metric.EUCLIDEAN)}
        | {(Kind.BINARY, Metric.HAMMING)}
    )
    takes_words = True
    max_k = WINDOW

    @classmethod
    def check(cls, backend: str, parameters: Mapping[str, str]) -> None:
        """Refuse a wrong address or parameter, where no Elasticsearch answers, and who may not index there."""
        super().check(backend, parameters)
        require_rights(IndexAdmin(Address.read(backend), named=True))

    def _configure(self, backend: str) -> None:
        self.address = Address.read(backend)
        self.positive_only = self.stores_counts
        self.field: Field = field_of(self.space, self.address, self.lexicon)
        self._candidates, self._rescore = CANDIDATES, False
        self._oversample: float | None = None
        self._index: str | None = None
        self._positions = np.empty(0, dtype=np.int64)
        self._next_position = 0
        self._kept, self._stale = False, False
        self._identity = new_identity()
        self._named = True  # by whoever describes the index; a saved folder is no such

    def _set_parameter(self, key: str, value: str) -> None:
        if key == "num_candidates":
            self._candidates = int(_number(key, value, 1, WINDOW, whole=True))
        elif key == "oversample":
            self._oversample = _number(key, value, 1, 100)
        elif key == "rescore":
            if value not in ("true", "false"):
                raise OptionError(f"rescore should be true or false; got '{value}'")
            self._rescore = value == "true"
        else:
            raise OptionError(
                f"'elasticsearch' has no search parameter '{key}'; it has num_candidates, oversample and rescore"
            )

    @property
    def index_name(self) -> str:
        """The index, by its own name; it is made when it is first needed."""
        return self._made()

    @cached_property
    def admin(self) -> IndexAdmin:
        """The server, connected to when it is first needed."""
        return IndexAdmin(self.address, named=self._named)

    # -- what the contract asks for ----------------------------------------------------------------------------

    def _add(self, codes: Codes) -> None:
        import orjson

        index = self._made()
        first = self._next_position
        with Bulk(self.admin.client, self.address.hosts, write_alias(index)) as bulk:
            for position, value in enumerate(self.field.values(self.comparable(codes)), start=first):
                document = orjson.dumps({"place": position, CODE: value}, option=orjson.OPT_SERIALIZE_NUMPY)
                bulk.put(str(position), document)
        self._next_position = first + n_rows(codes)
        self._positions = np.concatenate([self._positions, np.arange(first, self._next_position)])
        self._stale = True

    def _remove(self, rows: NDArray[np.int64]) -> None:
        with Bulk(self.admin.client, self.address.hosts, write_alias(self._made())) as bulk:
            for position in self._positions[rows].tolist():
                bulk.delete(str(position))
        self._positions = np.delete(self._positions, rows)
        self._stale = True

    def _search(self, queries: Codes, k: int) -> Rows:
        found = self._answers(queries, k)
        scores = np.full((len(found), k), -np.inf, dtype=np.float32)
        rows = np.full((len(found), k), -1, dtype=np.int64)
        for query, answers in enumerate(found):
            count = len(answers.raw)
            scores[query, :count] = self.field.scores(answers.raw)
            rows[query, :count] = self._rows_of_positions(answers.positions)
        if self._rescore and not self.stores_counts:
            return exact_rows(self._stored, queries, rows, self._key_of)
        return Rows(scores, rows)

    def _write(self, folder: Path) -> None:
        index = self._made()
        self._refresh()
        write_array(folder / POSITIONS, self._positions)
        about = {"index": index, "next_place": self._next_position, IDENTITY: self._identity}
        (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        self._kept = True
        self.admin.set_meta(index, {**self._meta(), KEPT: True})

    def _bytes_on_disk(self) -> int | None:
        self._refresh()
        return self.admin.bytes(self._made())

    def _read(self, folder: Path, mmap: bool) -> None:
        about = parse_json(read_plain(folder / ABOUT))
        self._positions = read_array(folder / POSITIONS, mmap=False)
        self._index, self._next_position, self._kept = str(about["index"]), int(about["next_place"]), True
        self._identity, self._named = str(about.get(IDENTITY, "")), False
        if not is_own_name(self._index, self.address.name) or not self.admin.exists(self._index):
            raise ArtifactError(
                f"{folder} names the index '{self._index}', which is not at {self.address.hosts[0]}: index the items "
                "again"
            )
        require_maker(self.admin, self._index, self._identity)
        self.admin.require_alive(self._index)
        self.admin.refresh(self._index)
        held = self.admin.count(self._index)
        if held != len(self):
            raise ArtifactError(f"'{self._index}' holds {held:,} items, {folder} says {len(self):,}: index them again")

    def close(self) -> None:
        """Remove the index from the server, unless it was saved."""
        if self._index is not None and not self._kept:
            self.admin.remove([self._index])
            self._index = None

    # -- inside ------------------------------------------------------------------------------------------------

    _field_name = CODE

    @property
    def _stored(self) -> StoredVectors:
        return StoredVectors(self.admin, self._made(), self._field_name, self.space)

    def _answers(self, queries: Codes, k: int) -> list[Answers]:
        if k > WINDOW:
            raise OptionError(f"Elasticsearch gives at most {WINDOW:,} answers; got k={k:,}")
        searches = self.searches(queries, k)
        index = self._made()
        self._refresh()
        return searched(self.admin, index, searches, k, self._many_shards)

    def searches(self, queries: Codes, k: int, only: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
        """Return what asks the server for the `k` nearest of each `comparable` query, of those that pass filters."""
        options = QueryOptions(self._candidates, self._oversample, tuple(only))
        return [self.field.query(self._field_name, code, k, options) for code in self.field.values(queries)]

    @property
    def _many_shards(self) -> bool:
        return self.address.shards > 1 and isinstance(self.field, WordsField)

    def _rows_of_positions(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows are the live items in the order of adding, and positions only grow."""
        return np.searchsorted(self._positions, positions)

    def _key_of(self, row: int) -> str:
        return str(int(self._positions[row]))

    def _made(self) -> str:
        """Return the index, which is made when it is first needed."""
        if self._index is None:
            mapping = IndexMapping({CODE: self.field})
            name = own_name(self.address.name, self._identity[:12])
            self.admin.create(name, write_alias(name), mapping, self._meta())
            require_maker(self.admin, name, self._identity)
            self._index = name  # before anything else can fail: `close` removes it
            self.admin.require_alive(name)
        return self._index

    def _meta(self) -> dict[str, Any]:
        return {MADE_BY: ONE_SPACE, IDENTITY: self._identity, "space": self.space.to_json()}

    def _refresh(self) -> None:
        if self._stale:
            self.admin.refresh(self._made())
            self._stale = False


def _number(key: str, value: str, least: float, most: float, whole: bool = False) -> float:
    try:
        number = read_number(value)
    except ValueError:
        number = float("nan")
    if not least <= number <= most or (whole and number != int(number)):
        kind = "whole number" if whole else "number"
        raise OptionError(f"{key} should be a {kind} from {least:,} to {most:,}; got '{value}'")
    return number
