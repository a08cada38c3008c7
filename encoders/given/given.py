"""Embeddings that were computed elsewhere, as a space."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Kind, Metric, Modality, Space, normalized
from encoders.errors import BadItemError, DimensionError, OptionError
from encoders.given.files import GivenFiles, absolute_path, file_or_name
from encoders.given.query_encoder import QueryEncoder
from encoders.given.vector_table import VectorTable
from encoders.named import Named
from encoders.numbers import counted
from encoders.options import option
from encoders.progress import say

#: Ids that a message names.
_LISTED = 3
#: What the arrays of the encoder of queries are named by.
_PREFIX = "encoder."


@dataclass
class Given(Encoder):
    """Embeddings that were computed elsewhere, read from a file.

    Use it when you have vectors of your items already, such as those of a paid service, and want to compare them with
    other spaces or search in them.

    ``given:openai.npy?ids=ids.txt&queries=q.npy&query-ids=qids.txt`` names the files: .npy, .npz, Parquet (a column of
    lists) or JSON lines. Items are matched by their ids, whatever their modality; every item needs a vector, and
    vectors without an item are counted and said. A query is looked up by its id among the queries; a query that is an
    item has the item's vector. Other texts are embedded by ``encoder=``, or come with ``--query-vector``. Files are
    mapped where their format allows it (.npy, uncompressed .npz), and stay where they are; no Python objects are read.

    References
    ----------
    Kusupati et al., Matryoshka representation learning, NeurIPS 2022, for ``+truncate:256`` after it.
    """

    name: ClassVar[str] = "given"
    reads: ClassVar[Modality] = Modality.ITEM
    answers_alone: ClassVar[bool] = False
    file: str = option("embeddings.npy", "File of the vectors: .npy, .npz, .parquet or .jsonl.")
    ids: str | None = option(
        None, "File with one id per line, or column (array, field) of the file; none: id, or the numbers of the rows."
    )
    queries: str | None = option(None, "File with the vectors of the queries; none: queries are items, or encoded.")
    query_ids: str | None = option(None, "The ids of the queries, as ids are for the items.")
    key: str | None = option(None, "Column (array, field) of the vectors; none: embedding, vector, or the only one.")
    metric: str = option("cosine", "How vectors are compared.", choices=("cosine", "dot", "euclidean"))
    normalize: bool = option(False, "Scale every vector to unit length.")
    encoder: str | None = option(
        None, "Encoder of queries: the address of an embeddings endpoint, a spec, or a saved folder."
    )
    model: str | None = option(None, "Model of the endpoint.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.file = absolute_path(self.file)
        self.queries = None if self.queries is None else absolute_path(self.queries, self.file)
        self.ids = None if self.ids is None else file_or_name(self.ids, self.file)
        self.query_ids = None if self.query_ids is None else file_or_name(self.query_ids, self.queries or self.file)
        self._files = GivenFiles(self.file, self.ids, self.key, self.queries, self.query_ids)
        if self.encoder is None and self.model is not None:
            raise OptionError("given: model= is the model of an endpoint: give encoder=https://HOST/v1/embeddings too")
        self._query_encoder = None if self.encoder is None else QueryEncoder(self.encoder, self.model)
        self._query_shape: dict[str, Any] | None = None
        #: Whether the vectors were compared with all items; a fit may see only some of them.
        self._is_compared = False

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        """Require a vector of every item; nothing is learnt."""
        self._files = GivenFiles(self.file, self.ids, self.key, self.queries, self.query_ids)
        items, seen, missing, count = self._files.items(), set[str](), list[str](), 0
        for batch in batches:
            names = _item_ids(batch.items)
            known = [name for name in names if name in items]
            missing += [name for name in names if name not in items]
            items.rows(known)  # refuses NaN
            seen.update(known)
            count += len(names)
        if not count:
            raise BadItemError("there is nothing to fit on: the corpus holds no items")
        self._require_none_missing(missing, count)
        if not self._is_compared:
            self._report_unused(items, len(items) - len(seen))
        self._files.asked()
        self._files.keep_some()
        if self._query_encoder is not None:
            self._query_encoder.require_width(items.dim, self.file)
        return Space(items.dim, Kind.DENSE, Metric(self.metric))

    def _require_none_missing(self, missing: Sequence[str], count: int) -> None:
        if missing:
            raise BadItemError(
                f"{len(missing):,} of {counted(count, 'item')} have no vector in {self.file} ({_listed(missing)}): "
                f"embed them too, or give the ids of the vectors with ids="
            )

    def _report_unused(self, items: VectorTable, unused: int) -> None:
        """Say how many vectors are of no item; refuse them where only row numbers say which item a vector is of."""
        if unused and items.is_numbered:
            raise BadItemError(
                f"{self.file} has no ids, so that a vector belongs to the item whose id is the number of its row, and "
                f"{unused:,} of {counted(len(items), 'row')} fit no item: give the ids of the vectors with ids=FILE"
            )
        if unused:
            vectors = counted(len(items), "vector")
            say(f"given: {unused:,} of {vectors} in {self.file} belong to no item and are not used")

    def _encode(self, items: Any) -> Codes:
        table, names = self._files.items(), _item_ids(items)
        self._require_none_missing([name for name in names if name not in table], len(names))
        return self._scaled(table.rows(names))

    def _encode_queries(self, items: Any) -> Codes:
        """Look queries up, or encode their contents; a vector that comes with a query is taken as it is."""
        codes = np.empty((len(items), self.space.dim), np.float32)
        others: list[int] = []
        for row, query in enumerate(items):
            vector = self._given_vector(query) if query.vector is not None else self._files.vector_of(query)
            if vector is None:
                others.append(row)
            else:
                codes[row] = vector
        if others and self._query_encoder is None:
            raise BadItemError(self._advice([items[row] for row in others], len(items)))
        if others and self._query_encoder is not None:
            codes[others] = self._query_encoder.encoder.encode_queries([items[row].content for row in others])
        return self._scaled(codes)

    def _given_vector(self, query: Named) -> NDArray[np.float32]:
        vector = np.asarray(query.vector, np.float32)
        if vector.shape != (self.space.dim,):
            raise DimensionError(
                f"the vector of the query has {vector.size:,} numbers, the vectors in {self.file} "
                f"{self.space.dim:,}: embed the query with the model of the items"
            )
        return vector

    def require_known(self, item_ids: Sequence[str], queries: Sequence[Named]) -> None:
        """Raise for items without a vector, and for queries that are neither known nor can be encoded."""
        if item_ids:
            items = self._files.items()
            self._require_none_missing([name for name in item_ids if name not in items], len(item_ids))
            self._report_unused(items, len(items) - len(set(item_ids)))
            self._is_compared = True
        self._files.asked()
        unknown = [] if self._query_encoder is not None else [one for one in queries if not self._files.knows(one)]
        if unknown:
            raise BadItemError(self._advice(unknown, len(queries)))

    def remarks(self) -> list[str]:
        """Return the remarks of the encoder of queries."""
        return [] if self._query_encoder is None else self._query_encoder.remarks()

    def _advice(self, unknown: Sequence[Named], count: int) -> str:
        """Return what to do about queries without a vector."""
        if unknown[0].query_id is None:
            kind = "a text" if isinstance(unknown[0].content, str) else f"a {type(unknown[0].content).__name__}"
            return (
                f"'given' holds vectors of items and cannot encode {kind}: give the vector of the query "
                "(--query-vector FILE), or make the space with the model of the vectors "
                "(encoder=https://HOST/v1/embeddings&model=NAME, or encoder=SPEC)"
            )
        where = "(queries= is not given)" if self.queries is None else f"in {self.queries}"
        return (
            f"{len(unknown):,} of {count:,} queries have no vector {where}, such as "
            f"{_listed([str(one.query_id) for one in unknown])}: give their vectors with queries=FILE and "
            "query-ids=FILE, or an encoder of queries with encoder="
        )

    def _scaled(self, codes: NDArray[np.float32]) -> Codes:
        return normalized(codes) if self.normalize else codes

    def state(self) -> State:
        """Return some vectors with their ids, and the state of the encoder of queries; the files are not copied."""
        assert self._files.kept is not None, "fit or restore sets it"  # noqa: S101
        names, vectors = self._files.kept
        state: State = {"kept": vectors, "kept_ids": np.frombuffer(json.dumps(names).encode(), np.uint8)}
        learnt = None if self._query_encoder is None else self._query_encoder.learnt()
        return state if learnt is None else state | {f"{_PREFIX}{key}": value for key, value in learnt[1].items()}

    def restore(self, state: State) -> None:
        """Restore what `state` returned; files are read when the first item is encoded."""
        names = json.loads(state["kept_ids"].tobytes())
        if state["kept"].shape != (len(names), self.space.dim):
            raise ValueError(f"{len(names):,} ids for vectors of shape {state['kept'].shape}")
        self._files.kept = list(map(str, names)), np.asarray(state["kept"], np.float32)
        if self._query_encoder is not None and self._query_shape is not None:
            learnt = {key.removeprefix(_PREFIX): value for key, value in state.items() if key.startswith(_PREFIX)}
            self._query_encoder.restore(self._query_shape, learnt)

    def learnt_shape(self) -> dict[str, Any]:
        """Return the space, and what the encoder of queries learnt."""
        learnt = None if self._query_encoder is None else self._query_encoder.learnt()
        return super().learnt_shape() if learnt is None else {**super().learnt_shape(), "encoder": learnt[0]}

    def restore_shape(self, value: dict[str, Any]) -> None:
        """Restore what `learnt_shape` returned."""
        super().restore_shape(value)
        self._query_shape = value.get("encoder")


def _item_ids(items: Sequence[Named]) -> list[str]:
    names = [one.item_id for one in items if one.item_id is not None]
    if len(names) < len(items):
        raise BadItemError(
            "'given' finds the vectors of items by their ids, and these items came without: index, compare, search, "
            "analyze and health give ids, in Python corpus.batches_for(encoder) does"
        )
    return names


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_LISTED])
    return f"{shown}, …" if len(names) > _LISTED else shown
