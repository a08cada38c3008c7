"""SQLite files of unknown origin: the tables must be those of nearby, and every statement is bounded in time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from encoders.plain_file import require_plain

#: Steps of SQLite's virtual machine between two checks of the time limit.
_TICK = 100_000
#: Largest number of steps until the next row: per byte of the file, and in addition.
_STEPS_PER_BYTE, _STEPS = 16, 20_000_000
#: Smallest size of a row in bytes, and rows allowed in addition: more rows come only from pages in a cycle.
_BYTES_PER_ROW, _ROWS = 4, 1000
_ENDLESS = "its pages form a cycle, so reading it would not end"
#: Rows fetched at a time where no other number is given: they may be large pictures.
_FETCHED = 16
_SCHEMA_OF, _MAX_TABLES = "SELECT type, name, tbl_name, sql FROM sqlite_master", 100
#: Functions of SQL, by name.
Functions = Mapping[str, Callable[..., Any]]
#: Hidden rows: name of a table -> a column, and the values of hidden rows in it.
Hidden = Mapping[str, tuple[str, Sequence[Any]]]


class Database:
    """A connection whose statements are bounded.

    Parameters
    ----------
    path : Path
        The file.
    schema : str
        The statements that create its tables.
    writable : bool
        Otherwise the file is never changed, not even by a journal.
    new : bool
        Create the file and its tables.
    functions : mapping, optional
        Functions that statements may call, by name.
    hidden : mapping, optional
        Rows that no statement sees: name of a table -> one of its columns, and the values of hidden rows in it.

    Raises
    ------
    sqlite3.Error
        When it is not a database, or damaged.
    ValueError
        When its tables are not those of the schema, or it has anything else: views, triggers and computed columns run
        statements of the author of the file.
    OSError
        When it is not a plain file.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        writable: bool = False,
        new: bool = False,
        functions: Functions | None = None,
        hidden: Hidden | None = None,
    ) -> None:
        if not new:
            require_plain(path)
        mode = "rwc" if new else "rw" if writable else "ro&immutable=1"
        self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)
        self._path, self._writable, self._ticks = path, writable or new, 0
        try:
            self._bound()
            for name, function in (functions or {}).items():
                self._connection.create_function(name, -1, function, deterministic=True)
            if new:
                self._connection.executescript(schema)
            else:
                self._require(schema)
            for table, (column, values) in (hidden or {}).items():
                if values:
                    self._hide(table, column, values)
        except BaseException:
            self._connection.close()
            raise

    def rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Run a statement and yield its rows.

        Raises
        ------
        sqlite3.Error
            When the file is damaged, or reading it would not end.
        """
        return (row for batch in self.batches(statement, _FETCHED, values) for row in batch)

    def batches(self, statement: str, rows: int, values: Sequence[Any] = ()) -> Iterator[list[Any]]:
        """Run a statement and yield lists of at most `rows` of its rows; see `rows`."""
        self._restart()
        limit, count = _ROWS + self._size // _BYTES_PER_ROW, 0
        try:
            cursor = self._connection.execute(statement, values)
            while batch := cursor.fetchmany(rows):
                count += len(batch)
                if count > limit:
                    raise sqlite3.DatabaseError(_ENDLESS)
                yield batch
                self._ticks = 0
        except sqlite3.OperationalError as error:
            if str(error) != "interrupted":
                raise
            raise sqlite3.DatabaseError(_ENDLESS) from None

    def write(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once with each row of values."""
        self._restart()
        self._connection.executemany(statement, self._each(rows))

    def _each(self, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """Yield rows of values; each has the time limit of a statement."""
        for values in rows:
            self._ticks = 0
            yield values

    def commit(self) -> None:
        """Commit all writes."""
        self._connection.commit()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _bound(self) -> None:
        connection = self._connection
        self._restart()
        if not self._writable:  # no value is longer than the file
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(2**20, min(self._size, 2**31 - 1)))
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, 100)
        connection.set_progress_handler(self._tick, _TICK)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        if self._writable:
            # A draft is synced to disk as a whole when it is complete; until then it has no readers.
            connection.execute("PRAGMA synchronous = OFF")
        else:
            connection.execute("PRAGMA query_only = ON")

    def _require(self, schema: str) -> None:
        """Refuse a file that has more or less than the tables of a schema, before any table is read."""
        objects = self._connection.execute(_SCHEMA_OF).fetchmany(_MAX_TABLES)
        if set(objects) != _objects(schema):
            raise ValueError("its tables are not those of nearby")
        if self._writable:
            self._connection.execute("PRAGMA journal_mode = MEMORY")

    def _hide(self, table: str, column: str, values: Sequence[Any]) -> None:
        """Put a temporary view before a table: a name without a schema means the temporary one first."""
        connection = self._connection
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA query_only = OFF")  # a file that is opened read-only stays so
        affinity = "INTEGER" if isinstance(values[0], int) else "TEXT"  # of another one, no row is found by its key
        connection.execute(f"CREATE TEMP TABLE hidden_{table} (value {affinity} PRIMARY KEY)")
        connection.executemany(f"INSERT OR IGNORE INTO hidden_{table} VALUES (?)", ((value,) for value in values))  # noqa: S608
        connection.execute(
            f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} AS stored "  # noqa: S608
            f"WHERE stored.{column} NOT IN temp.hidden_{table}"
        )
        connection.commit()
        if not self._writable:
            connection.execute("PRAGMA query_only = ON")

    def _restart(self) -> None:
        """Reset the limits for a new statement; they depend on the present size of the file."""
        self._ticks = 0
        self._size = self._path.stat().st_size
        self._max_ticks = (_STEPS + _STEPS_PER_BYTE * self._size) // _TICK

    def _tick(self) -> int:
        """Return whether SQLite should interrupt the statement."""
        self._ticks += 1
        return self._ticks > self._max_ticks


@lru_cache(maxsize=4)
def _objects(schema: str) -> frozenset[Any]:
    """Return the objects that a schema creates, as SQLite lists them."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(schema)
        return frozenset(connection.execute(_SCHEMA_OF))
    finally:
        connection.close()
