"""The items of a collection in SQLite, as a corpus."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.batches import chunks
from encoders.codes import Modality
from encoders.errors import ArtifactError, CollectionError, one_line
from retrieval.collection.database import Database, Hidden
from retrieval.collection.filter_sql import FUNCTIONS, matching_ids
from retrieval.collection.filters import Filter, fields_of
from retrieval.collection.items import Change, CollectionItems
from retrieval.corpora.base import Corpus, Item, OnBad, Qrels, item_bytes, raise_bad, unique_ids
from retrieval.corpora.item_record import COLUMNS, item_digest, item_of, metadata_of, record_of

#: Returns the digests of the existing ones of some ids.
KnownDigests = Callable[[Sequence[str]], Mapping[str, bytes]]
_SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE items (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content NOT NULL, shape TEXT, title TEXT,
                    label TEXT, metadata TEXT, digest BLOB NOT NULL);
CREATE TABLE queries (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content NOT NULL, shape TEXT, title TEXT,
                      label TEXT, metadata TEXT);
CREATE TABLE qrels (query TEXT NOT NULL, item TEXT NOT NULL, grade INTEGER NOT NULL, PRIMARY KEY (query, item));
"""
_INSERT = f"INSERT INTO items (row, {COLUMNS}, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_INSERT_QUERY = f"INSERT INTO queries ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
_INSERT_QRELS = "INSERT INTO qrels VALUES (?, ?, ?)"
_BATCH = 1024
#: Ids in one statement; SQLite takes at least 999 values.
_IDS_AT_ONCE = 500


class ItemStore(CollectionItems):
    """Items, queries and judgements in one SQLite file.

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
    ) -> None:
        if not path.is_file():
            raise ArtifactError(f"{path} is missing: the collection is incomplete")
        self.path = path
        with self._reading():
            hidden: Hidden = {"items": ("row", list(removed)), "qrels": ("item", list(unjudged))}
            self._database = Database(path, _SCHEMA, writable, functions=FUNCTIONS, hidden=hidden)
            about = dict(self._database.rows("SELECT key, value FROM about"))
            self.modality = Modality(about["modality"])
            self._own_queries = about["own_queries"] == "yes"
            self._queries_are_items = about["queries_are_items"] == "yes"
            self.name = about["name"] if name is None else name

    @classmethod
    def create(cls, path: Path, corpus: Corpus, on_bad: OnBad = raise_bad) -> ItemStore:
        """Write a corpus, item by item, with its queries and judgements."""
        qrels = corpus.qrels()
        own_queries = qrels is not None or not corpus.queries_are_items
        store = cls._empty(path, corpus, own_queries)
        store.put(unique_ids(corpus, on_bad))
        if own_queries:
            store._put_queries(corpus.queries())
        if qrels is not None:
            rows = ((query, item, grade) for query, grades in qrels.items() for item, grade in grades.items())
            store._database.write(_INSERT_QRELS, rows)
        store._database.commit()
        return store

    @classmethod
    def more(cls, path: Path, first: ItemStore) -> ItemStore:
        """Return an empty store for items that join those of a first one, which keeps queries and judgements."""
        return cls._empty(path, first, own_queries=False)

    @classmethod
    def merged(cls, path: Path, stores: Sequence[ItemStore], with_queries: bool) -> ItemStore:
        """Write the items of several stores, as they are read, into a new one; rows are counted from 1.

        Parameters
        ----------
        path : Path
        stores : sequence of ItemStore
            No id is read from two of them.
        with_queries : bool
            Write the queries and judgements of the first store, too.
        """
        first = stores[0]
        store = cls._empty(path, first, first.has_queries and with_queries)
        records = (record for one in stores for record in one.read(f"SELECT {COLUMNS}, digest FROM items ORDER BY row"))  # noqa: S608
        store._database.write(_INSERT, ((row, *record) for row, record in enumerate(records, 1)))
        if with_queries:
            queries = first.read(f"SELECT {COLUMNS} FROM queries ORDER BY row")  # noqa: S608
            store._database.write(_INSERT_QUERY, queries)
            store._database.write(_INSERT_QRELS, first.read("SELECT query, item, grade FROM qrels"))
        store._database.commit()
        return store

    @classmethod
    def _empty(cls, path: Path, like: Corpus, own_queries: bool) -> ItemStore:
        """Create a store that says of itself what is true of a corpus."""
        made = Database(path, _SCHEMA, new=True)
        about = {
            "name": like.name,
            "modality": str(like.modality),
            "own_queries": "yes" if own_queries else "no",
            "queries_are_items": "yes" if like.queries_are_items else "no",
        }
        made.write("INSERT INTO about VALUES (?, ?)", about.items())
        made.commit()
        made.close()
        return cls(path, writable=True)

    # -- reading: the contract of a corpus ---------------------------------------------------------------------

    def __iter__(self) -> Iterator[Item]:
        query = f"SELECT {COLUMNS}, digest FROM items ORDER BY row"  # noqa: S608
        return (self._whole(record) for record in self.read(query))

    def queries(self) -> Iterator[Item]:
        """Read the queries, or the items if the corpus had no separate queries."""
        if not self._own_queries:
            return iter(self)
        return self._items(f"SELECT {COLUMNS} FROM queries ORDER BY row")  # noqa: S608

    @property
    def has_queries(self) -> bool:
        """True when the corpus had separate queries."""
        return bool(self._own_queries)

    def qrels(self) -> Qrels | None:
        """Return the judgements; None if there are none."""
        found: Qrels = {}
        for query, item, grade in self.read("SELECT query, item, grade FROM qrels"):
            with self._reading():
                found.setdefault(_text(query), {})[_text(item)] = _whole(grade)
        return found or None

    @property
    def queries_are_items(self) -> bool:
        """True when queries are items of the corpus."""
        return bool(self._queries_are_items)

    @property
    def size(self) -> int:
        """Number of items."""
        return self._number("SELECT count(*) FROM items")

    @property
    def bytes_on_disk(self) -> int:
        """Size of the SQLite file."""
        return self.path.stat().st_size

    @property
    def last_row(self) -> int:
        """The highest row number."""
        return self._number("SELECT coalesce(max(row), 0) FROM items")

    def digest(self) -> str:
        """Return a SHA-256 over the digests of the items in their order."""
        whole = hashlib.sha256()
        for digest in self.item_digests():
            whole.update(digest)
        return whole.hexdigest()

    def item_digests(self) -> Iterator[bytes]:
        """Read the digest of every item."""
        return (digest for (digest,) in self.read("SELECT digest FROM items ORDER BY row"))

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return items by id, in the order asked for.

        Raises
        ------
        CollectionError
            For an id that does not exist.
        ArtifactError
            For an item that differs from its checksum.
        """
        found = {item.id: item for item in self.present(ids)}
        self._require_found(ids, found)
        return [found[id] for id in ids]

    def present(self, ids: Sequence[str]) -> Iterator[Item]:
        """Read the existing ones of some items, in any order; see `get`."""
        return map(self._whole, self._by_id(f"SELECT {COLUMNS}, digest FROM items WHERE id", ids))  # noqa: S608

    def page(self, offset: int, limit: int) -> Iterator[Item]:
        """Read some items in their order, from the one at a position (0 is the first)."""
        query = f"SELECT {COLUMNS}, digest FROM items ORDER BY row LIMIT ? OFFSET ?"  # noqa: S608
        return (self._whole(record) for record in self.read(query, (limit, offset)))

    def matching(self, filters: Sequence[Filter]) -> list[str]:
        """Return the ids of the items that satisfy every filter, in the order of their rows.

        Raises
        ------
        QueryError
            When there is none, with the filter that no item satisfies.
        """
        return matching_ids([self.read], filters, is_table=self.modality is Modality.ROW)

    def labels_and_fields(self, limit: int) -> Iterator[tuple[str | None, Mapping[str, str]]]:
        """Read the label and the other fields of the first items; see `CollectionItems.labels_and_fields`."""
        if self.modality is Modality.ROW:
            for item in self._items(f"SELECT {COLUMNS} FROM items ORDER BY row LIMIT ?", (limit,)):  # noqa: S608
                yield item.label, fields_of(item.metadata, item.content)
            return
        for label, metadata in self.read("SELECT label, metadata FROM items ORDER BY row LIMIT ?", (limit,)):
            with self._reading():
                pair = None if label is None else _text(label), fields_of(metadata_of(metadata), None)
            yield pair

    def require(self, ids: Sequence[str]) -> None:
        """Refuse ids that do not exist; their items are not checked, so that damaged ones can be deleted.

        Raises
        ------
        CollectionError
            For an id that does not exist.
        """
        self._require_found(ids, self.digests(ids))

    def digests(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the digests of items by id; ids that do not exist are left out."""
        return dict(self._by_id("SELECT id, digest FROM items WHERE id", ids))

    def rows(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the row numbers of items by id; ids that do not exist are left out."""
        return dict(self._by_id("SELECT id, row FROM items WHERE id", ids))

    def judged(self, ids: Sequence[str]) -> set[str]:
        """Return the ids that have judgements."""
        return {id for (id,) in self._by_id("SELECT DISTINCT item FROM qrels WHERE item", ids)}

    def positions(self, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Return the positions (0 is the first) of row numbers among all `count` rows; none may be hidden."""
        if self.last_row == count:  # rows are counted from 1, without gaps
            return rows - 1
        every = np.fromiter((row for (row,) in self.read("SELECT row FROM items ORDER BY row")), np.int64)
        return np.searchsorted(every, rows)

    # -- writing, in a draft only ------------------------------------------------------------------------------

    def put(self, items: Iterable[Item], known_digests: KnownDigests | None = None) -> Change:
        """Add items; an item with an existing id replaces the old one and moves to the end, unless it is equal.

        Parameters
        ----------
        items : iterable of Item
        known_digests : callable, optional
            Ids -> the digests of existing items; by default those of this store.
        """
        added: list[str] = []
        changed: list[str] = []
        unchanged = 0
        row = self.last_row  # before anything is deleted: SQLite reuses the number of a deleted last row
        for chunk in chunks(items, _BATCH, item_bytes):
            known = (known_digests or self.digests)([item.id for item in chunk])
            rows = []
            for item in chunk:
                digest = item_digest(item)
                if known.get(item.id) == digest:
                    unchanged += 1
                    continue
                (changed if item.id in known else added).append(item.id)
                row += 1
                rows.append((row, *record_of(item, self.modality), digest))
            self._database.write("DELETE FROM items WHERE id = ?", [(values[1],) for values in rows])
            self._database.write(_INSERT, rows)
        self._database.commit()
        return Change(added, changed, unchanged)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _put_queries(self, queries: Iterable[Item]) -> None:
        rows = (record_of(query, self.modality) for query in unique_ids(queries))
        self._database.write(_INSERT_QUERY, rows)

    # -- inside ------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn the errors of reading a damaged file into one sentence."""
        try:
            yield
        except KeyError as error:
            raise self._damaged(f"it lacks {error}") from None
        except UnicodeEncodeError as error:  # of a requested id: stored ids are always valid
            raise CollectionError(f"the collection holds no item {error.object!a}: that is not a text") from None
        except (sqlite3.Error, TypeError, ValueError, ArithmeticError, OSError) as error:
            raise self._damaged(error) from None

    def _damaged(self, reason: object) -> ArtifactError:
        return ArtifactError(f"{self.path} is damaged: {one_line(reason)}; index the corpus again in a new folder")

    def _by_id(self, query: str, ids: Sequence[str]) -> Iterator[Any]:
        """Run a query that ends with the name of a column, for the rows with one of some ids in it."""
        for chunk in chunks(ids, _IDS_AT_ONCE):
            yield from self.read(f"{query} IN ({','.join('?' * len(chunk))})", chunk)

    def read(self, query: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Run an SQL query; `filter_sql.FUNCTIONS` are known in it."""
        with self._reading():
            for row in self._database.rows(query, values):  # noqa: UP028  # `yield from` closes a closed cursor
                yield row

    def _items(self, query: str, values: Sequence[Any] = ()) -> Iterator[Item]:
        return map(self._item, self.read(query, values))

    def _item(self, record: Sequence[Any]) -> Item:
        with self._reading():
            return item_of(record)

    def _whole(self, record: Sequence[Any]) -> Item:
        """Return the item of a record that ends with its checksum, after comparing it."""
        item = self._item(record[:-1])
        if item_digest(item) != record[-1]:
            raise self._damaged(f"item '{item.id}' differs from its checksum")
        return item

    def _number(self, query: str) -> int:
        return int(next(self.read(query))[0])

    def _first_ids(self, limit: int) -> list[str]:
        return [id for (id,) in self.read("SELECT id FROM items ORDER BY row LIMIT ?", (limit,))]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"it holds {type(value).__name__} for a text")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"it holds {type(value).__name__} for a whole number")
    return value
