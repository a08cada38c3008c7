"""The items of a collection in SQLite: themselves a corpus, so that whatever reads corpora reads collections."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from encoders.codes import Modality
from encoders.errors import ArtifactError, CollectionError, CorpusError
from retrieval.corpora.base import Content, Corpus, Item, OnBad, Qrels, raise_bad, unique_ids, update_digest

_COLUMNS = "id, content, shape, title, label, metadata"
_SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE items (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content NOT NULL, shape TEXT, title TEXT,
                    label TEXT, metadata TEXT, digest BLOB NOT NULL);
CREATE TABLE queries (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content NOT NULL, shape TEXT, title TEXT,
                      label TEXT, metadata TEXT);
CREATE TABLE qrels (query TEXT NOT NULL, item TEXT NOT NULL, grade INTEGER NOT NULL, PRIMARY KEY (query, item));
"""
_BATCH = 1024


class Change(NamedTuple):
    """What writing items did: ids that are new, ids whose item changed, and how many were there already."""

    added: list[str]
    changed: list[str]
    unchanged: int


class ItemStore(Corpus):
    """Items, queries and judgements in one SQLite file.

    Parameters
    ----------
    path : Path
        The file.
    name : str, optional
        What the corpus is called; by default what was stored.
    writable : bool
        Only a draft that nobody reads is opened for writing.

    Raises
    ------
    ArtifactError
        When the file is missing or no such store.
    """

    def __init__(self, path: Path, name: str | None = None, writable: bool = False) -> None:
        if not path.is_file():
            raise ArtifactError(f"{path} is missing: the collection is incomplete")
        mode = "mode=rw" if writable else "mode=ro&immutable=1"
        self._database = _connect(f"{path.absolute().as_uri()}?{mode}")
        try:
            about = dict(self._database.execute("SELECT key, value FROM about"))
            self.modality = Modality(about["modality"])
        except (sqlite3.DatabaseError, KeyError, ValueError) as error:
            raise ArtifactError(f"{path} is corrupt: {error}") from None
        self._own_queries = about["own_queries"] == "yes"
        self._queries_are_items = about["queries_are_items"] == "yes"
        self.name = about["name"] if name is None else name

    @classmethod
    def create(cls, path: Path, corpus: Corpus, on_bad: OnBad = raise_bad) -> ItemStore:
        """Write a corpus, item by item, with its queries and judgements."""
        database = _connect(f"{path.absolute().as_uri()}?mode=rwc")
        database.executescript(_SCHEMA)
        qrels = corpus.qrels()
        own_queries = qrels is not None or not corpus.queries_are_items
        about = {
            "name": corpus.name,
            "modality": str(corpus.modality),
            "own_queries": "yes" if own_queries else "no",
            "queries_are_items": "yes" if corpus.queries_are_items else "no",
        }
        database.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        database.commit()
        database.close()
        store = cls(path, writable=True)
        store.put(unique_ids(corpus, on_bad))
        if own_queries:
            store._put_queries(corpus.queries())
        if qrels is not None:
            rows = ((query, item, grade) for query, grades in qrels.items() for item, grade in grades.items())
            store._database.executemany("INSERT INTO qrels VALUES (?, ?, ?)", rows)
        store._database.commit()
        return store

    # -- reading: the contract of a corpus ---------------------------------------------------------------------

    def __iter__(self) -> Iterator[Item]:
        return self.items_after(0)

    def items_after(self, row: int) -> Iterator[Item]:
        """Read the items that were written after a row number (see `last_row`)."""
        cursor = self._database.execute(f"SELECT {_COLUMNS} FROM items WHERE row > ? ORDER BY row", (row,))  # noqa: S608
        return map(_item, cursor)

    def queries(self) -> Iterator[Item]:
        """Read the queries; the items where the corpus had none of its own."""
        if not self._own_queries:
            return iter(self)
        return map(_item, self._database.execute(f"SELECT {_COLUMNS} FROM queries ORDER BY row"))  # noqa: S608

    def qrels(self) -> Qrels | None:
        """Return the judgements, where there are any."""
        found: Qrels = {}
        for query, item, grade in self._database.execute("SELECT query, item, grade FROM qrels"):
            found.setdefault(query, {})[item] = grade
        return found or None

    @property
    def queries_are_items(self) -> bool:
        """True when queries are items of the corpus."""
        return bool(self._queries_are_items)

    @property
    def size(self) -> int:
        """Number of items."""
        return int(self._database.execute("SELECT count(*) FROM items").fetchone()[0])

    @property
    def last_row(self) -> int:
        """The highest row number."""
        return int(self._database.execute("SELECT coalesce(max(row), 0) FROM items").fetchone()[0])

    def digest(self) -> str:
        """Return a SHA-256 over the digests of the items in their order."""
        whole = hashlib.sha256()
        for (digest,) in self._database.execute("SELECT digest FROM items ORDER BY row"):
            whole.update(digest)
        return whole.hexdigest()

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return items by id, in the order asked for.

        Raises
        ------
        CollectionError
            Naming an id that is not there.
        """
        found = {}
        for chunk in _chunks(ids):
            marks = ",".join("?" * len(chunk))
            for record in self._database.execute(f"SELECT {_COLUMNS} FROM items WHERE id IN ({marks})", chunk):  # noqa: S608
                found[record[0]] = _item(record)
        missing = [id for id in ids if id not in found]
        if missing:
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise CollectionError(f"the collection holds no item '{missing[0]}'{more}")
        return [found[id] for id in ids]

    # -- writing, in a draft only ------------------------------------------------------------------------------

    def put(self, items: Iterable[Item]) -> Change:
        """Add items; one whose id is there replaces the old one, behind all others, unless nothing changed."""
        added: list[str] = []
        changed: list[str] = []
        unchanged = 0
        row = self.last_row  # before anything is deleted: SQLite would give the number of a deleted last row out again
        stream = iter(items)
        while chunk := list(islice(stream, _BATCH)):
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
                rows.append((row, *_record(item, self.modality), digest))
            self._database.executemany("DELETE FROM items WHERE id = ?", [(values[1],) for values in rows])
            self._database.executemany(
                f"INSERT INTO items (row, {_COLUMNS}, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                rows,
            )
        self._database.commit()
        return Change(added, changed, unchanged)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove items and their judgements; all or none."""
        self.get(ids)
        self._database.executemany("DELETE FROM items WHERE id = ?", [(id,) for id in ids])
        self._database.executemany("DELETE FROM qrels WHERE item = ?", [(id,) for id in ids])
        self._database.commit()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _put_queries(self, queries: Iterable[Item]) -> None:
        rows = (_record(query, self.modality) for query in unique_ids(queries))
        self._database.executemany(f"INSERT INTO queries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", rows)  # noqa: S608

    def _digests(self, ids: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for chunk in _chunks(ids):
            marks = ",".join("?" * len(chunk))
            found |= dict(self._database.execute(f"SELECT id, digest FROM items WHERE id IN ({marks})", chunk))  # noqa: S608
        return found


def item_digest(item: Item) -> bytes:
    """Return a SHA-256 over everything that is stored of an item.

    Examples
    --------
    >>> item_digest(Item("1", "a text")) == item_digest(Item("1", "a text", label="x"))
    False
    """
    digest = hashlib.sha256()
    update_digest(digest, item)
    digest.update(json.dumps([item.title, item.metadata], sort_keys=True).encode())
    return digest.digest()


def _connect(uri: str) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(uri, uri=True)
        # A draft is made durable as a whole, when all of its files are; until then nobody reads it.
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA journal_mode = MEMORY")
    except sqlite3.DatabaseError as error:
        raise ArtifactError(f"{uri.removeprefix('file://').partition('?')[0]} is corrupt: {error}") from None
    return database


def _record(item: Item, modality: Modality) -> tuple[Any, ...]:
    content = item.content
    found = Modality.TEXT if isinstance(content, str) else Modality.IMAGE if content.ndim > 1 else Modality.VECTOR
    if found is not modality:
        raise CorpusError(f"item '{item.id}' is of the sort {found}, but the collection holds {modality}s")
    metadata = json.dumps(item.metadata, ensure_ascii=False) if item.metadata else None
    if isinstance(content, str):
        return item.id, content, None, item.title, item.label, metadata
    array = np.ascontiguousarray(content)
    shape = json.dumps([array.dtype.str, *array.shape])
    return item.id, array.tobytes(), shape, item.title, item.label, metadata


def _item(record: tuple[Any, ...]) -> Item:
    id, content, shape, title, label, metadata = record
    value: Content = content
    if shape is not None:
        dtype, *lengths = json.loads(shape)
        value = np.frombuffer(content, dtype=np.dtype(dtype)).reshape(lengths)
    return Item(id, value, title, label, json.loads(metadata) if metadata else {})


def _chunks(ids: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
