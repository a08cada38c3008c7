"""The items of a collection in SQLite, as a corpus."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.batches import chunks
from encoders.codes import Modality
from retrieval.collection.filter_sql import matching_ids
from retrieval.collection.filters import Filter, fields_of
from retrieval.collection.item_file import IDS_AT_ONCE, ItemFile, among, stored
from retrieval.collection.items import CollectionItems
from retrieval.corpora.base import Item, Qrels
from retrieval.corpora.blocks import Block
from retrieval.corpora.item_record import COLUMNS, metadata_of


class ItemStore(CollectionItems):
    """Items, queries and judgements in one SQLite file; vectors are in a file beside it, which a space can share.

    The content of a vector is then its row in that file. `item_draft` writes both files.

    Parameters
    ----------
    path : Path
        The file.
    name : str, optional
        Name of the corpus; by default the stored one.
    writable : bool
        True for a draft, which has no readers.
    removed : iterable of int
        Row numbers of items that are not read.
    unjudged : iterable of str
        Ids of items whose judgements are not read.
    sums : mapping, optional
        Checksums of both files by name, which `blocks` compares, as it reads no checksum of an item; see `file_sums`.

    Raises
    ------
    ArtifactError
        When the file is missing, or is not an item store.
    """

    def __init__(
        self,
        path: Path,
        name: str | None = None,
        writable: bool = False,
        removed: Iterable[int] = (),
        unjudged: Iterable[str] = (),
        sums: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._file = ItemFile(path, writable, removed, unjudged, sums)
        self.path, self.modality = path, self._file.modality
        with self._file.reading():
            about = self._file.about
            self._own_queries = about["own_queries"] == "yes"
            self._queries_are_items = about["queries_are_items"] == "yes"
            self.name = about["name"] if name is None else name

    def __iter__(self) -> Iterator[Item]:
        return self._file.whole_items(f"SELECT {COLUMNS}, digest FROM items ORDER BY row")  # noqa: S608

    def blocks(self, rows: int, label_field: str | None = None) -> Iterator[Block]:
        """Read the items in columns, vectors as matrices; see `Corpus.blocks`.

        Raises
        ------
        ArtifactError
            When a file differs from its checksums.
        """
        if label_field is not None or self._file.others_than_vectors():
            return super().blocks(rows, label_field)
        self._file.require_whole()
        return self._vector_blocks(rows)

    def _vector_blocks(self, rows: int) -> Iterator[Block]:
        """Read blocks of items that are all in the file of vectors."""
        with self._file.reading():
            for records in self._file.database.batches("SELECT id, content, label FROM items ORDER BY row", rows):
                ids, at, labels = zip(*records, strict=True)
                for label in labels:
                    if label is not None:
                        stored(label, str)
                yield Block([stored(id, str) for id in ids], self._file.vectors.rows(at), labels)

    def queries(self) -> Iterator[Item]:
        """Read the queries, or the items if the corpus had no separate queries."""
        if not self._own_queries:
            return iter(self)
        return self._file.items(f"SELECT {COLUMNS} FROM queries ORDER BY row")  # noqa: S608

    @property
    def has_queries(self) -> bool:
        """True when the corpus had separate queries."""
        return bool(self._own_queries)

    def qrels(self) -> Qrels | None:
        """Return the judgements; None if there are none."""
        qrels: Qrels = {}
        for query, item, grade in self._file.read("SELECT query, item, grade FROM qrels"):
            with self._file.reading():
                qrels.setdefault(stored(query, str), {})[stored(item, str)] = stored(grade, int)
        return qrels or None

    @property
    def queries_are_items(self) -> bool:
        """True when queries are items of the corpus."""
        return bool(self._queries_are_items)

    @property
    def size(self) -> int:
        """Number of items."""
        return self._file.number("SELECT count(*) FROM items")

    @property
    def bytes_on_disk(self) -> int:
        """Size of the files."""
        return self.path.stat().st_size + self._file.vectors.bytes()

    @property
    def last_row(self) -> int:
        """The highest row number."""
        return self._file.number("SELECT coalesce(max(row), 0) FROM items")

    def digest(self) -> str:
        """Return a SHA-256 over the digests of the items in their order."""
        whole = hashlib.sha256()
        with self._file.reading():
            for batch in self._file.database.batches("SELECT digest FROM items ORDER BY row", IDS_AT_ONCE):
                whole.update(b"".join([digest for (digest,) in batch]))
        return whole.hexdigest()

    def item_digests(self) -> Iterator[bytes]:
        """Read the digest of every item."""
        return (digest for (digest,) in self._file.read("SELECT digest FROM items ORDER BY row"))

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return items by id, in the order asked for.

        Raises
        ------
        CollectionError
            For an id that does not exist.
        ArtifactError
            For an item that differs from its checksum.
        """
        items = {item.id: item for item in self.present(ids)}
        self._require_present(ids, items)
        return [items[id] for id in ids]

    def present(self, ids: Sequence[str]) -> Iterator[Item]:
        """Read the existing ones of some items, in any order; see `get`."""
        query = f"SELECT {COLUMNS}, digest FROM items WHERE id"  # noqa: S608
        return (item for some in chunks(ids, IDS_AT_ONCE) for item in self._file.whole_items(among(query, some), some))

    def page(self, offset: int, limit: int) -> Iterator[Item]:
        """Read some items in their order, from the one at a position (0 is the first)."""
        query = f"SELECT {COLUMNS}, digest FROM items ORDER BY row LIMIT ? OFFSET ?"  # noqa: S608
        return self._file.whole_items(query, (limit, offset))

    def matching(self, filters: Sequence[Filter]) -> list[str]:
        """Return the ids of the items that satisfy every filter, in the order of their rows.

        Raises
        ------
        QueryError
            When there is none, with the filter that no item satisfies.
        """
        return matching_ids([self._file.read], filters, is_table=self.modality is Modality.ROW)

    def labels_and_fields(self, limit: int) -> Iterator[tuple[str | None, Mapping[str, str]]]:
        """Read the label and the other fields of the first items; see `CollectionItems.labels_and_fields`."""
        if self.modality is Modality.ROW:
            for item in self._file.items(f"SELECT {COLUMNS} FROM items ORDER BY row LIMIT ?", (limit,)):  # noqa: S608
                yield item.label, fields_of(item.metadata, item.content)
            return
        for label, metadata in self._file.read("SELECT label, metadata FROM items ORDER BY row LIMIT ?", (limit,)):
            with self._file.reading():
                pair = None if label is None else stored(label, str), fields_of(metadata_of(metadata), None)
            yield pair

    def require(self, ids: Sequence[str]) -> None:
        """Refuse ids that do not exist; their items are not checked, so that damaged ones can be deleted.

        Raises
        ------
        CollectionError
            For an id that does not exist.
        """
        self._require_present(ids, self.digests(ids))

    def digests(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the digests of items by id; ids that do not exist are left out."""
        return dict(self._file.by_id("SELECT id, digest FROM items WHERE id", ids))

    def rows(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the row numbers of items by id; ids that do not exist are left out."""
        return dict(self._file.by_id("SELECT id, row FROM items WHERE id", ids))

    def judged(self, ids: Sequence[str]) -> set[str]:
        """Return the ids that have judgements."""
        return {id for (id,) in self._file.by_id("SELECT DISTINCT item FROM qrels WHERE item", ids)}

    def positions(self, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Return the positions (0 is the first) of row numbers among all `count` rows; none may be hidden."""
        if self.last_row == count:  # rows are counted from 1, without gaps
            return rows - 1
        every = np.fromiter((row for (row,) in self._file.read("SELECT row FROM items ORDER BY row")), np.int64)
        return np.searchsorted(every, rows)

    def close(self) -> None:
        """Close the files."""
        self._file.database.close()
        self._file.vectors.close()

    def read(self, query: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Run an SQL query; `filter_sql.FUNCTIONS` are known in it."""
        return self._file.read(query, values)

    def vectors(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return rows of the file of vectors (n, width)."""
        with self._file.reading():
            return self._file.vectors.rows(rows)

    @property
    def vector_file(self) -> Path | None:
        """The .npy file that holds the items and nothing else, in their order; None where there is none."""
        if self.modality is not Modality.VECTOR or self._file.others_than_vectors():
            return None
        count, last = next(self._file.read("SELECT count(*), sum(content = row - 1) FROM items"))
        with self._file.reading():
            complete = count and count == last == len(self._file.vectors)
        if not complete:
            return None
        self._file.require_whole()
        return self._file.vectors.path

    def _first_ids(self, limit: int) -> list[str]:
        return [id for (id,) in self._file.read("SELECT id FROM items ORDER BY row LIMIT ?", (limit,))]
