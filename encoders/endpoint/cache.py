"""Embeddings that were paid for, by the digest of their texts: one SQLite file for each endpoint and model."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError
from encoders.progress import say

#: Folder of caches, instead of the user's own.
CACHE_VARIABLE = "NEARBY_CACHE"
_AT_ONCE = 500
_SUM_BYTES = 4
#: Seconds to wait for another process that writes.
_PATIENT = 60.0


class EmbeddingCache:
    """A cache on disk; what is written stays after a kill.

    Parameters
    ----------
    identity : sequence of str
        What embeddings depend on besides their text: endpoint, model, width.
    """

    def __init__(self, identity: Sequence[str]) -> None:
        name = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:32]
        self.path = cache_folder() / f"{name}.sqlite"
        self._full = False

    def get(self, digests: Sequence[bytes], dim: int | None) -> dict[bytes, NDArray[np.float32]]:
        """Return those embeddings that are there, of the width `dim`."""
        if not self.path.exists():
            return {}
        codes: dict[bytes, NDArray[np.float32]] = {}
        with self._opened() as connection:
            for start in range(0, len(digests), _AT_ONCE):
                some = digests[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT digest, code FROM codes WHERE digest IN ({marks})"  # noqa: S608  # marks only
                for digest, stored in connection.execute(query, list(some)):
                    code = _code(stored)
                    if code is not None and (dim is None or len(code) == dim):
                        codes[digest] = code
        return codes

    def put(self, codes: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Store embeddings; a full disk is said once, and they are then not stored."""
        if self._full:
            return
        try:
            with self._opened() as connection, connection:
                connection.executemany(
                    "INSERT OR REPLACE INTO codes VALUES (?, ?)", [(key, _stored(code)) for key, code in codes.items()]
                )
        except ArtifactError as error:
            if not _is_full(error.__cause__):
                raise
            self._full = True
            say(f"the cache of embeddings is not written any more ({error.__cause__}): make room in {self.path.parent}")

    def clear(self) -> None:
        """Forget everything."""
        with self._opened() as connection, connection:
            connection.execute("DELETE FROM codes")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self.path, timeout=_PATIENT)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS codes (digest BLOB PRIMARY KEY, code BLOB) WITHOUT ROWID"
                )
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise ArtifactError(
                f"the cache of embeddings {self.path} cannot be used ({error}): delete it, set {CACHE_VARIABLE} to "
                "another folder, or do without (cache=false)"
            ) from error


def cache_folder() -> Path:
    """Return the folder of the caches."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given).expanduser() / "embeddings"
    import platformdirs

    return Path(platformdirs.user_cache_dir("nearby", appauthor=False)) / "embeddings"


def digest_of(text: str) -> bytes:
    """Return the key of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _stored(code: NDArray[np.float32]) -> bytes:
    numbers = np.ascontiguousarray(code, "<f4").tobytes()
    return zlib.crc32(numbers).to_bytes(_SUM_BYTES, "little") + numbers


def _code(stored: object) -> NDArray[np.float32] | None:
    """Return the numbers of a stored code; None when it is damaged, so that it is embedded again."""
    if not isinstance(stored, bytes) or len(stored) <= _SUM_BYTES or len(stored) % 4:
        return None
    numbers = stored[_SUM_BYTES:]
    if zlib.crc32(numbers).to_bytes(_SUM_BYTES, "little") != stored[:_SUM_BYTES]:
        return None
    return np.frombuffer(numbers, "<f4").astype(np.float32)


def _is_full(error: BaseException | None) -> bool:
    import errno

    return (isinstance(error, sqlite3.Error) and "full" in str(error)) or getattr(error, "errno", 0) == errno.ENOSPC
