"""Writing the items of a collection: a file of items that has no readers yet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from encoders.batches import chunks
from encoders.npy import release
from retrieval.collection.database import Database
from retrieval.collection.item_file import SCHEMA
from retrieval.collection.item_store import ItemStore
from retrieval.collection.items import Change
from retrieval.collection.vector_file import VECTORS, VectorFile
from retrieval.corpora.base import Corpus, Item, OnBad, item_bytes, raise_bad, unique_ids
from retrieval.corpora.blocks import Block
from retrieval.corpora.item_record import COLUMNS, item_digest, item_of, record_of, vector_digests

#: Returns the digests of the existing ones of some ids.
KnownDigests = Callable[[Sequence[str]], Mapping[str, bytes]]
_INSERT = f"INSERT INTO items (row, {COLUMNS}, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_INSERT_QUERY = f"INSERT INTO queries ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
_INSERT_QRELS = "INSERT INTO qrels VALUES (?, ?, ?)"
_BATCH = 1024


class ItemDraft(ItemStore):
    """An `ItemStore` that is being written."""

    @classmethod
    def create(cls, path: Path, corpus: Corpus, on_bad: OnBad = raise_bad) -> ItemDraft:
        """Write a corpus with its queries and judgements."""
        qrels = corpus.qrels()
        own_queries = qrels is not None or not corpus.queries_are_items
        store = cls._empty(path, corpus, own_queries)
        if not corpus.has_only_columns or not store._put_blocks(corpus.blocks(_BATCH)):
            store = store._restarted(corpus, own_queries)
            store.put(unique_ids(corpus, on_bad))
        if own_queries:
            store._put_queries(corpus.queries())
        if qrels is not None:
            rows = ((query, item, grade) for query, grades in qrels.items() for item, grade in grades.items())
            store._file.database.write(_INSERT_QRELS, rows)
        store._file.database.commit()
        return store

    @classmethod
    def more(cls, path: Path, first: ItemStore) -> ItemDraft:
        """Return an empty store for items that join those of a first one, which keeps queries and judgements."""
        return cls._empty(path, first, own_queries=False)

    @classmethod
    def merged(cls, path: Path, stores: Sequence[ItemStore], with_queries: bool) -> ItemDraft:
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
        with VectorFile(path.with_name(VECTORS)) as vectors:
            records = (record for one in stores for record in _moved(one, vectors))
            store._file.database.write(_INSERT, ((row, *record) for row, record in enumerate(records, 1)))
        if with_queries:
            queries = first.read(f"SELECT {COLUMNS} FROM queries ORDER BY row")  # noqa: S608
            store._file.database.write(_INSERT_QUERY, queries)
            store._file.database.write(_INSERT_QRELS, first.read("SELECT query, item, grade FROM qrels"))
        store._file.database.commit()
        return store

    @classmethod
    def _empty(cls, path: Path, like: Corpus, own_queries: bool) -> ItemDraft:
        """Create a store that says of itself what is true of a corpus."""
        made = Database(path, SCHEMA, new=True)
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

    def _restarted(self, corpus: Corpus, own_queries: bool) -> ItemDraft:
        """Return an empty store in the place of this one."""
        self.close()
        self.path.unlink()
        self.path.with_name(VECTORS).unlink(missing_ok=True)
        return self._empty(self.path, corpus, own_queries)

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
        with VectorFile(self.path.with_name(VECTORS)) as vectors:
            for chunk in chunks(items, _BATCH, item_bytes):
                known = (known_digests or self.digests)([item.id for item in chunk])
                rows: list[tuple[Any, ...]] = []
                replaced: list[str] = []
                for item in chunk:
                    digest = item_digest(item)
                    if known.get(item.id) == digest:
                        unchanged += 1
                        continue
                    (replaced if item.id in known else added).append(item.id)
                    row += 1
                    rows.append((row, *self._record(item, vectors), digest))
                self._file.database.write("DELETE FROM items WHERE id = ?", ((id,) for id in replaced))
                self._file.database.write(_INSERT, rows)
                changed += replaced
        self._file.database.commit()
        self._file.vectors.close()
        return Change(added, changed, unchanged)

    def _record(self, item: Item, vectors: VectorFile) -> tuple[Any, ...]:
        """Return the record of an item, after its vector was appended to the file of vectors, if it belongs there."""
        record = record_of(item, self.modality)
        if not vectors.takes(item.content):
            return record
        values: Any = item.content
        return record[0], vectors.append(values[None]), None, *record[3:]

    def _put_blocks(self, blocks: Iterable[Block]) -> bool:
        """Add vectors to an empty store; return False, for reading item by item, if there are none or an id repeats."""
        seen: set[str] = set()
        with VectorFile(self.path.with_name(VECTORS)) as vectors:
            for block in blocks:
                seen.update(block.ids)
                if len(seen) != vectors.count + len(block.ids):
                    return False
                first = vectors.append(np.asarray(block.contents))
                digests = vector_digests(block)
                rows = (
                    (first + at + 1, id, first + at, None, None, label, None, digest)
                    for at, (id, label, digest) in enumerate(zip(block.ids, block.labels, digests, strict=True))
                )
                self._file.database.write(_INSERT, rows)
        self._file.database.commit()
        return bool(seen)

    def _put_queries(self, queries: Iterable[Item]) -> None:
        rows = (record_of(query, self.modality) for query in unique_ids(queries))
        self._file.database.write(_INSERT_QUERY, rows)


def _moved(store: ItemStore, vectors: VectorFile) -> Iterator[tuple[Any, ...]]:
    """Read the records of a store; those of its vectors name their rows in another file, to which they are appended.

    A vector of another width than those of that file becomes a part of its record.
    """
    for chunk in chunks(store.read(f"SELECT {COLUMNS}, digest FROM items ORDER BY row"), _BATCH):  # noqa: S608
        rows = [record[1] for record in chunk if type(record[1]) is int]
        matrix = store.vectors(rows) if rows else np.empty((0, 0), np.float32)
        stored_vectors = iter(matrix)
        fits = bool(rows) and vectors.takes(matrix[0])
        new_rows = itertools.count(vectors.append(matrix) if fits else 0)
        for *record, digest in chunk:
            if type(record[1]) is not int:
                yield *record, digest
            elif fits:
                yield record[0], next(new_rows), *record[2:], digest
            else:
                yield *record_of(item_of((record[0], next(stored_vectors), *record[2:])), store.modality), digest
        release(matrix)
