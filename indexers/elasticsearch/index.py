"""Elasticsearch as an index: dense codes, binary codes and words of BM25, on one server or a cluster.

Source: Elasticsearch reference 8.19, kNN search and dense vector field type; docs/elasticsearch.md has measurements.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Metric, n_rows
from encoders.errors import ArtifactError, NotInvertibleError, OptionError
from encoders.json_text import parse_json
from encoders.numbers import read_number
from encoders.plain_file import read_plain
from indexers.checked_index import CheckedIndex
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.bulk import Bulk
from indexers.elasticsearch.fetch_vectors import StoredVectors, exact_rows
from indexers.elasticsearch.fields import WINDOW, Field, QueryOptions, VectorField, WordsField, field_of
from indexers.elasticsearch.index_admin import KEPT, MADE_BY, IndexAdmin, single_space_name, write_alias
from indexers.elasticsearch.mapping import IndexMapping
from indexers.elasticsearch.ownership import IDENTITY, ONE_SPACE, is_single_space_name, new_identity, require_maker
from indexers.elasticsearch.privileges import require_privileges
from indexers.elasticsearch.query import Answers, run_searches
from indexers.folder import read_array, write_array
from indexers.hits import Rows

POSITIONS, ABOUT = "places.npy", "about.json"
CANDIDATES = 100
#: The field of an index that holds a single space.
CODE = "code"


class Elasticsearch(CheckedIndex):
    """A space in Elasticsearch: ``elasticsearch:http://host:9200/news,int8_hnsw,m=32?num_candidates=200``.

    It creates an index whose name begins with the one in the description. Closing removes that index unless it was
    saved. A collection holds all its spaces in one index (`CollectionField`).

    Search parameters: ``num_candidates`` (in each shard, 1 to 10,000), ``oversample`` (Elasticsearch rescores this many
    times k answers by their full-precision vectors; quantised types only) and ``rescore`` (``true``: nearby computes
    the scores from the full-precision codes).
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
        """Refuse a wrong address or parameter, a server that does not answer, and a user who may not index there."""
        super().check(backend, parameters)
        require_privileges(IndexAdmin(Address.read(backend), named=True))

    def _configure(self, backend: str) -> None:
        self.address = Address.read(backend)
        self.positive_only = self.stores_counts
        self.is_exact = self.address.algorithm == "flat" and not self.stores_counts
        self.field: Field = field_of(self.space, self.address, self.lexicon)
        self._candidates, self._rescore = CANDIDATES, False
        self._oversample: float | None = None
        self._index: str | None = None
        self._positions = np.empty(0, dtype=np.int64)
        self._next_position = 0
        self._saved, self._needs_refresh = False, False
        self._identity = new_identity()
        self._named = True  # the user gave the address; a saved folder is not the user

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
        """The name of the index (not its alias); the index is created when it is first needed."""
        return self._created_index()

    @cached_property
    def admin(self) -> IndexAdmin:
        """The connection to the server, opened when it is first needed."""
        return IndexAdmin(self.address, named=self._named)

    def quantised(self) -> Elasticsearch | None:
        """Return the same vectors without graph: the server compares all of up to 10,000; see `Index.quantised`."""
        if self.stores_counts or not (isinstance(self.field, VectorField) and self.field.quantised):
            return None
        if len(self) > WINDOW:
            raise NotInvertibleError(
                f"'{self.description}' holds more than {WINDOW:,} items: the server does not give its quantised vectors"
            )
        every = copy.copy(self)
        # Lucene compares every vector when as many candidates are asked for as there are vectors
        every._candidates, every._oversample, every._rescore, every._saved = WINDOW, None, False, True
        return every

    # -- the contract of an index ------------------------------------------------------------------------------

    def _add(self, codes: Codes) -> None:
        import orjson

        index = self._created_index()
        first = self._next_position
        with Bulk(self.admin.client, self.address.hosts, write_alias(index)) as bulk:
            for position, value in enumerate(self.field.values(self.comparable(codes)), start=first):
                document = orjson.dumps({"place": position, CODE: value}, option=orjson.OPT_SERIALIZE_NUMPY)
                bulk.put(str(position), document)
        self._next_position = first + n_rows(codes)
        self._positions = np.concatenate([self._positions, np.arange(first, self._next_position)])
        self._needs_refresh = True

    def _remove(self, rows: NDArray[np.int64]) -> None:
        with Bulk(self.admin.client, self.address.hosts, write_alias(self._created_index())) as bulk:
            for position in self._positions[rows].tolist():
                bulk.delete(str(position))
        self._positions = np.delete(self._positions, rows)
        self._needs_refresh = True

    def _search(self, queries: Codes, k: int) -> Rows:
        answers = self._answers(queries, k)
        scores = np.full((len(answers), k), -np.inf, dtype=np.float32)
        rows = np.full((len(answers), k), -1, dtype=np.int64)
        for query, one in enumerate(answers):
            count = len(one.raw)
            scores[query, :count] = self.field.scores(one.raw)
            rows[query, :count] = self._rows_of_positions(one.positions)
        if self._rescore and not self.stores_counts:
            return exact_rows(self._stored, queries, rows, self._key_of)
        return Rows(scores, rows)

    def _write(self, folder: Path) -> None:
        index = self._created_index()
        self._refresh()
        write_array(folder / POSITIONS, self._positions)
        about = {"index": index, "next_place": self._next_position, IDENTITY: self._identity}
        (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        self._saved = True
        self.admin.set_meta(index, {**self._meta(), KEPT: True})

    def _bytes_on_disk(self) -> int | None:
        self._refresh()
        return self.admin.bytes(self._created_index())

    def _read(self, folder: Path, mmap: bool) -> None:
        about = parse_json(read_plain(folder / ABOUT))
        self._positions = read_array(folder / POSITIONS, mmap=False)
        self._index, self._next_position, self._saved = str(about["index"]), int(about["next_place"]), True
        self._identity, self._named = str(about.get(IDENTITY, "")), False
        if not is_single_space_name(self._index, self.address.name) or not self.admin.exists(self._index):
            raise ArtifactError(
                f"{folder} names the index '{self._index}', which does not exist at {self.address.hosts[0]}: index the "
                "items again"
            )
        require_maker(self.admin, self._index, self._identity)
        self.admin.require_alive(self._index)
        self.admin.refresh(self._index)
        count = self.admin.count(self._index)
        if count != len(self):
            raise ArtifactError(
                f"'{self._index}' holds {count:,} items, but {folder} lists {len(self):,}: index them again"
            )

    def close(self) -> None:
        """Remove the index from the server, unless it was saved."""
        if self._index is not None and not self._saved:
            self.admin.remove([self._index])
            self._index = None

    # -- inside ------------------------------------------------------------------------------------------------

    _field_name = CODE

    @property
    def _stored(self) -> StoredVectors:
        return StoredVectors(self.admin, self._created_index(), self._field_name, self.space)

    def _answers(self, queries: Codes, k: int) -> list[Answers]:
        if k > WINDOW:
            raise OptionError(f"Elasticsearch returns at most {WINDOW:,} answers; got k={k:,}")
        searches = self.searches(queries, k)
        index = self._created_index()
        self._refresh()
        return run_searches(self.admin, index, searches, k, self._many_shards)

    def searches(self, queries: Codes, k: int, filters: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
        """Return a search for the `k` nearest items of each `comparable` query that satisfy the filters."""
        options = QueryOptions(self._candidates, self._oversample, tuple(filters))
        return [self.field.query(self._field_name, code, k, options) for code in self.field.values(queries)]

    @property
    def _many_shards(self) -> bool:
        return self.address.shards > 1 and isinstance(self.field, WordsField)

    def _rows_of_positions(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return rows: positions only grow, and rows are the remaining items in the order of positions."""
        return np.searchsorted(self._positions, positions)

    def _key_of(self, row: int) -> str:
        return str(int(self._positions[row]))

    def _created_index(self) -> str:
        """Return the name of the index, which is created when it is first needed."""
        if self._index is None:
            mapping = IndexMapping({CODE: self.field})
            name = single_space_name(self.address.name, self._identity[:12])
            self.admin.create(name, write_alias(name), mapping, self._meta())
            require_maker(self.admin, name, self._identity)
            self._index = name  # set before anything else can fail, so that `close` removes it
            self.admin.require_alive(name)
        return self._index

    def _meta(self) -> dict[str, Any]:
        return {MADE_BY: ONE_SPACE, IDENTITY: self._identity, "space": self.space.to_json()}

    def _refresh(self) -> None:
        if self._needs_refresh:
            self.admin.refresh(self._created_index())
            self._needs_refresh = False


def _number(key: str, value: str, lowest: float, highest: float, whole: bool = False) -> float:
    try:
        number = read_number(value)
    except ValueError:
        number = float("nan")
    if not lowest <= number <= highest or (whole and number != int(number)):
        kind = "whole number" if whole else "number"
        raise OptionError(f"{key} should be a {kind} from {lowest:,} to {highest:,}; got '{value}'")
    return number
