"""The SQLite file of items and the file of vectors beside it, read by SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from encoders.batches import chunks
from encoders.checksums import check_file
from encoders.codes import Modality
from encoders.errors import ArtifactError, CollectionError, one_line
from retrieval.collection.database import Database, Hidden
from retrieval.collection.filter_sql import FUNCTIONS
from retrieval.collection.vector_file import VECTORS, StoredVectors
from retrieval.corpora.base import Item
from retrieval.corpora.item_record import item_digest, item_of

T = TypeVar("T", str, int)

SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE items (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content NOT NULL, shape TEXT, title TEXT,
                    label TEXT, metadata TEXT, digest BLOB NOT NULL);
CREATE TABLE queries (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content NOT NULL, shape TEXT, title TEXT,
                      label TEXT, metadata TEXT);
CREATE TABLE qrels (query TEXT NOT NULL, item TEXT NOT NULL, grade INTEGER NOT NULL, PRIMARY KEY (query, item));
"""
#: Ids in one statement; SQLite takes at least 999 values.
IDS_AT_ONCE = 500
#: What a value of a type is called.
_WORDS = {str: "a text", int: "a whole number"}


class ItemFile:
    """A file of items and the vectors beside it, read by SQL; what is damaged is one sentence.

    Parameters
    ----------
    path, writable, removed, unjudged, sums
        As in `item_store.ItemStore`.

    Attributes
    ----------
    path : Path
    database : Database
    about : dict of str to str
        What the file says of the corpus.
    modality : Modality
    vectors : StoredVectors

    Raises
    ------
    ArtifactError
        When the file is missing, or is not an item store.
    """

    def __init__(
        self,
        path: Path,
        writable: bool = False,
        removed: Iterable[int] = (),
        unjudged: Iterable[str] = (),
        sums: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        if not path.is_file():
            raise ArtifactError(f"{path} is missing: the collection is incomplete")
        self.path = path
        with self.reading():
            hidden: Hidden = {"items": ("row", list(removed)), "qrels": ("item", list(unjudged))}
            self.database = Database(path, SCHEMA, writable, functions=FUNCTIONS, hidden=hidden)
            self.about = dict(self.database.rows("SELECT key, value FROM about"))
            self.modality = Modality(self.about["modality"])
        self._sums = dict(sums or {})
        self.vectors = StoredVectors(path.with_name(VECTORS))

    @contextmanager
    def reading(self) -> Iterator[None]:
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

    def read(self, query: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Run an SQL query; `filter_sql.FUNCTIONS` are known in it."""
        with self.reading():
            for row in self.database.rows(query, values):  # noqa: UP028  # `yield from` closes a closed cursor
                yield row

    def number(self, query: str) -> int:
        """Run an SQL query for one whole number."""
        return int(next(self.read(query))[0])

    def by_id(self, query: str, ids: Sequence[str]) -> Iterator[Any]:
        """Run a query that ends with the name of a column, for the rows with one of some ids in it."""
        for chunk in chunks(ids, IDS_AT_ONCE):
            yield from self.read(among(query, chunk), chunk)

    def items(self, query: str, values: Sequence[Any] = ()) -> Iterator[Item]:
        """Read the items of a query for `COLUMNS`."""
        with self.reading():
            for record in self.database.rows(query, values):
                yield self._item(record)

    def whole_items(self, query: str, values: Sequence[Any] = ()) -> Iterator[Item]:
        """Read the items of a query for `COLUMNS` and the checksum, after comparing each with it."""
        with self.reading():
            for record in self.database.rows(query, values):
                item = self._item(record[:-1])
                if item_digest(item) != record[-1]:
                    raise self._damaged(f"item '{item.id}' differs from its checksum")
                yield item

    def _item(self, record: Sequence[Any]) -> Item:
        if type(record[1]) is int and self.modality is Modality.VECTOR:
            return item_of((record[0], self.vectors.rows(record[1:2])[0], *record[2:]))
        return item_of(record)

    def others_than_vectors(self) -> bool:
        """Return whether an item is not in the file of vectors."""
        if self.modality is not Modality.VECTOR:
            return True
        return bool(self.number("SELECT EXISTS (SELECT 1 FROM items WHERE typeof(content) <> 'integer')"))

    def require_whole(self) -> None:
        """Compare every byte of both files with their checksums, once."""
        with self.reading():
            for name, sums in self._sums.items():
                check_file(self.path.with_name(name), sums, whole=True)
        self._sums = {}


def stored(value: Any, kind: type[T]) -> T:
    """Return a stored value that is of a type: a text or a whole number.

    Raises
    ------
    TypeError
        When it is something else: the file is damaged.
    """
    if not isinstance(value, kind):
        raise TypeError(f"it holds {type(value).__name__} for {_WORDS[kind]}")
    return value


def among(query: str, values: Sequence[Any]) -> str:
    """Return a query that ends with the name of a column, for the rows with one of some values in it."""
    return f"{query} IN ({','.join('?' * len(values))})"
