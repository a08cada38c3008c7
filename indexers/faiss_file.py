"""The file of a FAISS index: written part by part, read or mapped."""

from __future__ import annotations

import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from encoders.codes import Kind


def write_index(index: Any, kind: Kind, take: Callable[[bytes], object]) -> None:
    """Let FAISS write an index, part by part.

    FAISS does not write the file itself: what it loses when it closes a file on a full disk, it only prints.

    Raises
    ------
    OSError
        From `take`.
    """
    import faiss

    failures: list[OSError] = []

    def taken(part: bytes) -> int:
        if not failures:
            try:
                take(part)
            except OSError as error:  # it cannot pass through FAISS
                failures.append(error)
        return len(part)

    write = faiss.write_index_binary if kind is Kind.BINARY else faiss.write_index
    write(index, typing.cast("Any", faiss).PyCallbackIOWriter(taken, 2**20))
    if failures:
        raise failures[0]


def bytes_of_index(index: Any, kind: Kind) -> int:
    """Return the size of the file of an index; nothing is written."""
    size = 0

    def count(part: bytes) -> None:
        nonlocal size
        size += len(part)

    write_index(index, kind, count)
    return size


def read_index(path: Path, kind: Kind, mmap: bool) -> tuple[Any, bool]:
    """Return the index of a file, and whether it is mapped: FAISS can since 1.11."""
    import faiss

    read = faiss.read_index_binary if kind is Kind.BINARY else faiss.read_index
    flag = getattr(faiss, "IO_FLAG_MMAP_IFC", None) if mmap else None
    return (read(str(path)) if flag is None else read(str(path), flag)), flag is not None


def read_into_memory(index: Any, kind: Kind) -> Any:
    """Return a copy of a mapped index that can change: FAISS aborts when a mapped index grows."""
    import faiss

    if kind is Kind.BINARY:
        return faiss.deserialize_index_binary(faiss.serialize_index_binary(index))
    return faiss.deserialize_index(faiss.serialize_index(index))
