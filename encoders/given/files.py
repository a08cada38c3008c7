"""The files of a space of given embeddings: vectors of items and of queries, read when they are first needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError, BadItemError, DimensionError, OptionError
from encoders.given.vector_file import read_vectors
from encoders.given.vector_table import VectorTable
from encoders.named import Named

#: Vectors that a saved encoder keeps, to notice another model in the same file.
KEPT = 16


@dataclass
class GivenFiles:
    """Vectors of items in one file, and of queries in another, if there is one.

    Parameters
    ----------
    file, ids, key
        As `encoders.given.vector_file.read_vectors` takes them.
    queries, query_ids
        The same for the queries; None: there is no such file.
    """

    file: str
    ids: str | None
    key: str | None
    queries: str | None
    query_ids: str | None
    _items: VectorTable | None = field(default=None, init=False)
    _queries: VectorTable | None = field(default=None, init=False)
    #: Ids and vectors that the file of the items had when the space was made.
    kept: tuple[list[str], NDArray[np.float32]] | None = field(default=None, init=False)

    def items(self) -> VectorTable:
        """Return the vectors of the items.

        Raises
        ------
        ArtifactError
            When the file is missing, or holds other vectors than those that the space was made of. It may have grown.
        """
        if self._items is None:
            table = read_vectors(Path(self.file), self.ids, self.key)
            if self.kept is not None:
                self._require_same(table, *self.kept)
            self._items = table
        return self._items

    def asked(self) -> VectorTable | None:
        """Return the vectors of the queries, which have the width of the items; None: there is no such file.

        Raises
        ------
        BadItemError, DimensionError
            When they have no ids, or another width.
        """
        if self.queries is None:
            if self.query_ids is not None:
                raise OptionError("given: query-ids= are the ids of the vectors in queries=: name that file too")
            return None
        if self._queries is None:
            table = read_vectors(Path(self.queries), self.query_ids)
            if table.is_numbered:
                raise BadItemError(
                    f"{self.queries} has no ids, so that it does not say which vector belongs to which query: give "
                    "them with query-ids=FILE"
                )
            width = self.items().dim if self.kept is None else self.kept[1].shape[1]
            if table.dim != width:
                raise DimensionError(
                    f"the vectors of the queries in {self.queries} have {table.dim:,} numbers, those of the items in "
                    f"{self.file} {width:,}: embed both with one model"
                )
            self._queries = table
        return self._queries

    def knows(self, query: Named) -> bool:
        """Return whether a query has a vector."""
        return query.vector is not None or any(name in table for table, name in self._tables_and_ids(query))

    def vector_of(self, query: Named) -> NDArray[np.float32] | None:
        """Return the vector of a query: that of its id among the queries, or of the item that it is."""
        return next((table.rows([name])[0] for table, name in self._tables_and_ids(query) if name in table), None)

    def keep_some(self) -> None:
        """Remember some vectors, by which the file is known again."""
        items = self.items()
        rows = np.unique(np.linspace(0, len(items) - 1, min(KEPT, len(items))).astype(int)).tolist()
        names = [items.ids[row] for row in rows]
        self.kept = names, items.rows(names)

    def _tables_and_ids(self, query: Named) -> Iterator[tuple[VectorTable, str]]:
        """Give the tables in which the vector of a query may be, the first one first, and its id there."""
        asked = self.asked()
        if asked is not None and query.query_id is not None:
            yield asked, query.query_id
        if query.item_id is not None:
            yield self.items(), query.item_id

    def _require_same(self, table: VectorTable, names: list[str], vectors: NDArray[np.float32]) -> None:
        rows = [row for row, name in enumerate(names) if name in table]
        fits = bool(rows) and table.dim == vectors.shape[1]
        if not fits or not np.allclose(table.rows([names[row] for row in rows]), vectors[rows], rtol=1e-3, atol=1e-5):
            raise ArtifactError(
                f"given: the vectors in {self.file} are not those that this space was made of, so that codes cannot be "
                "compared: bring the old file back, or index again"
            )


def absolute_path(file: str, beside: str | None = None) -> str:
    """Return the absolute path of a file, searched in the current folder, then beside another file."""
    path = os.path.abspath(os.path.expanduser(file))
    if path == file:
        return file  # the same object, for which scikit-learn's clone asks
    if beside is not None and not os.path.exists(path):
        other = os.path.join(os.path.dirname(beside), file)
        return other if os.path.exists(other) else path
    return path


def file_or_name(value: str, beside: str) -> str:
    """Return the absolute path of a file of ids, or the value itself, which is then the name of a column."""
    path = absolute_path(value, beside)
    return path if os.path.isfile(path) else value
