"""The items of a collection in SQLite, as a corpus."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from encoders.batches import chunks
from encoders.codes import Modality
from encoders.errors import ArtifactError, CollectionError, one_line
from retrieval.collection.database import Database
from retrieval.collection.filter_sql import FUNCTIONS, matching_ids
from retrieval.collection.filters import Filter, fields_of
from retrieval.collection.items import Change, CollectionItems
from retrieval.corpora.base import Corpus, Item, OnBad, Qrels, item_bytes, raise_bad, unique_ids
from retrieval.corpora.item_record import COLUMNS, item_digest, item_of, metadata_of, record_of

_SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE items (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content NOT NULL, shape TEXT, title TEXT,
                    label TEXT, metadata TEXT, digest BLOB NOT NULL);
CREATE TABLE queries (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content NOT NULL, shape TEXT, title TEXT,
                      label TEXT, metadata TEXT);
CREATE TABLE qrels (query TEXT NOT NULL, item TEXT NOT NULL, grade INTEGER NOT NULL, PRIMARY KEY (query, item));
"""
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

    Raises
    ------
    ArtifactError
        When the file is missing, or is not an item store.
    """

    def __init__(self, path: Path, name: str | None = None, writable: bool = False) -> None:
        if not path.is_file():
            raise ArtifactError(f"{path} is missing: the collection is incomplete")
        self.path = path
        with self._reading():
            self._database = Database(path, _SCHEMA, writable, functions=FUNCTIONS)
            about = dict(self._database.rows("SELECT key, value FROM about"))
            self.modality = Modality(about["modality"])
            self._own_queries = about["own_queries"] == "yes"
            self._queries_are_items = about["queries_are_items"] == "yes"
            self.name = about["name"] if name is None else name

    @classmethod
    def create(cls, path: Path, corpus: Corpus, on_bad: OnBad = raise_bad) -> ItemStore:
        """Write a corpus, item by item, with its queries and judgements."""
        made = Database(path, _SCHEMA, new=True)
        qrels = corpus.qrels()
        own_queries = qrels is not None or not corpus.queries_are_items
        about = {
            "name": corpus.name,
            "modality": str(corpus.modality),
            "own_queries": "yes" if own_queries else "no",
            "queries_are_items": "yes" if corpus.queries_are_items else "no",
        }
        made.write("INSERT INTO about VALUES (?, ?)", about.items())
        made.commit()
        made.close()
        store = cls(path, writable=True)
        store.put(unique_ids(corpus, on_bad))
        if own_queries:
            store._put_queries(corpus.queries())
        if qrels is not None:
            rows = ((query, item, grade) for query, grades in qrels.items() for item, grade in grades.items())
            store._database.write("INSERT INTO qrels VALUES (?, ?, ?)", rows)
        store._database.commit()
        return store

    # -- reading: the contract of a corpus ---------------------------------------------------------------------

    def __iter__(self) -> Iterator[Item]:
        return self.items_after(0)

    def items_after(self, row: int) -> Iterator[Item]:
        """Read the items that were written after a row number (see `last_row`)."""
        query = f"SELECT {COLUMNS}, digest FROM items WHERE row > ? ORDER BY row"  # noqa: S608
        return (self._whole(record) for record in self._read(query, (row,)))

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
        for query, item, grade in self._read("SELECT query, item, grade FROM qrels"):
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
        for (digest,) in self._read("SELECT digest FROM items ORDER BY row"):
            whole.update(digest)
        return whole.hexdigest()

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return items by id, in the order asked for.

        Raises
        ------
        CollectionError
            For an id that does not exist.
        ArtifactError
            For an item that differs from its checksum.
        """
        found: dict[str, Item] = {}
        for chunk in chunks(ids, _IDS_AT_ONCE):
            marks = ",".join("?" * len(chunk))
            query = f"SELECT {COLUMNS}, digest FROM items WHERE id IN ({marks})"  # noqa: S608
            for record in self._read(query, chunk):
                item = self._whole(record)
                found[item.id] = item
        self._require_found(ids, found)
        return [found[id] for id in ids]

    def page(self, offset: int, limit: int) -> Iterator[Item]:
        """Read some items in their order, from the one at a position (0 is the first)."""
        query = f"SELECT {COLUMNS}, digest FROM items ORDER BY row LIMIT ? OFFSET ?"  # noqa: S608
        return (self._whole(record) for record in self._read(query, (limit, offset)))

    def matching(self, filters: Sequence[Filter]) -> list[str]:
        """Return the ids of the items that satisfy every filter, in the order of their rows.

        Raises
        ------
        QueryError
            When there is none, with the filter that no item satisfies.
        """
        return matching_ids(self._read, filters, is_table=self.modality is Modality.ROW)

    def labels_and_fields(self, limit: int) -> Iterator[tuple[str | None, Mapping[str, str]]]:
        """Read the label and the other fields of the first items; see `CollectionItems.labels_and_fields`."""
        if self.modality is Modality.ROW:
            for item in self._items(f"SELECT {COLUMNS} FROM items ORDER BY row LIMIT ?", (limit,)):  # noqa: S608
                yield item.label, fields_of(item.metadata, item.content)
            return
        for label, metadata in self._read("SELECT label, metadata FROM items ORDER BY row LIMIT ?", (limit,)):
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
        self._require_found(ids, self._digests(ids))

    # -- writing, in a draft only ------------------------------------------------------------------------------

    def put(self, items: Iterable[Item]) -> Change:
        """Add items; an item with an existing id replaces the old one and moves to the end, unless it is equal."""
        added: list[str] = []
        changed: list[str] = []
        unchanged = 0
        row = self.last_row  # before anything is deleted: SQLite reuses the number of a deleted last row
        for chunk in chunks(items, _BATCH, item_bytes):
            known = self._digests([item.id for item in chunk])
            rows = []
            for item in chunk:
                digest = item_digest(item)
                if known.get(item.id) == digest:
                    unchanged += 1
                    continue
                (changed if item.id in known else added).append(item.id)
                known[item.id] = digest
                row += 1
                rows.append((row, *record_of(item, self.modality), digest))
            self._database.write("DELETE FROM items WHERE id = ?", [(values[1],) for values in rows])
            self._database.write(
                f"INSERT INTO items (row, {COLUMNS}, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                rows,
            )
        self._database.commit()
        return Change(added, changed, unchanged)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove items and their judgements; all or none."""
        self.require(ids)
        self._database.write("DELETE FROM items WHERE id = ?", [(id,) for id in ids])
        self._database.write("DELETE FROM qrels WHERE item = ?", [(id,) for id in ids])
        self._database.commit()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _put_queries(self, queries: Iterable[Item]) -> None:
        rows = (record_of(query, self.modality) for query in unique_ids(queries))
        self._database.write(f"INSERT INTO queries ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", rows)  # noqa: S608

    def _digests(self, ids: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for chunk in chunks(ids, _IDS_AT_ONCE):
            marks = ",".join("?" * len(chunk))
            found |= dict(self._read(f"SELECT id, digest FROM items WHERE id IN ({marks})", chunk))  # noqa: S608
        return found

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

    def _read(self, query: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        with self._reading():
            for row in self._database.rows(query, values):  # noqa: UP028  # `yield from` closes a closed cursor
                yield row

    def _items(self, query: str, values: Sequence[Any] = ()) -> Iterator[Item]:
        return map(self._item, self._read(query, values))

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
        return int(next(self._read(query))[0])

    def _first_ids(self, limit: int) -> list[str]:
        return [id for (id,) in self._read("SELECT id FROM items ORDER BY row LIMIT ?", (limit,))]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"it holds {type(value).__name__} for a text")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"it holds {type(value).__name__} for a whole number")
    return value
