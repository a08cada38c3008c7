"""Batches of items: cut from a stream or a matrix, encoded lazily, collected into one matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from scipy.sparse import issparse

from encoders.codes import Batch, Batches, Codes, Items, n_rows, slices, stack_codes
from encoders.errors import BadItemError

#: Rows per batch of a matrix.
BATCH_ROWS = 4096
#: Bytes per batch of a stream: a thousand pictures may be a gigabyte.
BATCH_BYTES = 64 * 2**20
T = TypeVar("T")


def chunks(
    stream: Iterable[T], rows: int, size: Callable[[T], int] | None = None, max_bytes: int = BATCH_BYTES
) -> Iterator[list[T]]:
    """Cut a stream into lists of at most `rows` entries and, with `size`, of about `max_bytes` bytes.

    `size` returns the bytes of an entry. A larger entry is a list of one; nothing is read ahead.

    Examples
    --------
    >>> list(chunks(["aa", "b", "cccc", "d"], 3, len, max_bytes=3))
    [['aa', 'b'], ['cccc'], ['d']]
    """
    chunk: list[T] = []
    total = 0
    for entry in stream:
        bytes = 0 if size is None else size(entry)
        if chunk and total + bytes > max_bytes:
            yield chunk
            chunk, total = [], 0
        chunk.append(entry)
        total += bytes
        if len(chunk) == rows or total >= max_bytes:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk


class Encoded:
    """Batches to which a function is applied when they are read; re-iterable, nothing is stored."""

    def __init__(self, batches: Batches, encode: Callable[[Items], Codes]) -> None:
        self.batches, self.encode = batches, encode

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.batches:
            yield Batch(self.encode(batch.items), batch.labels)


class _Sliced:
    """A matrix or list cut into batches."""

    def __init__(self, items: Items, labels: Sequence[Any] | None) -> None:
        if labels is not None and len(labels) != n_rows(items):
            raise BadItemError(f"every item has one label or None: got {n_rows(items):,} items, {len(labels):,} labels")
        self.items, self.labels = items, labels

    def __iter__(self) -> Iterator[Batch]:
        start = 0
        for piece in slices(self.items, BATCH_ROWS):
            stop = start + n_rows(piece)
            yield Batch(piece, None if self.labels is None else [_label(label) for label in self.labels[start:stop]])
            start = stop


def _label(value: Any) -> str | None:
    return None if value is None else str(value)


def as_batches(items: Batches | Items, y: Sequence[Any] | None = None) -> Batches:
    """Return re-iterable batches of items, or the batches unchanged.

    Raises
    ------
    BadItemError
        For a single text, or a generator, which can be read only once.

    Examples
    --------
    >>> [len(batch.items) for batch in as_batches(["a text", "another"])]
    [2]
    """
    if isinstance(items, str | bytes):
        raise BadItemError("expected many items, got a single text: put it into a list")
    if isinstance(items, Iterator):
        raise BadItemError("expected batches that can be read more than once, got a generator: pass a list instead")
    if isinstance(items, np.ndarray) or issparse(items):
        return _Sliced(items, y)
    if isinstance(items, Sequence) and not (len(items) and isinstance(items[0], Batch)):
        return _Sliced(items, y)
    return items


def collect(batches: Batches) -> Codes:
    """Collect all rows of checked `batches` into one matrix; a dense one is filled in place, without a second copy.

    Raises
    ------
    BadItemError
        When there is nothing to collect.
    """
    blocks: list[Codes] = [batch.items for batch in batches if n_rows(batch.items)]
    if not blocks:
        raise BadItemError("there is nothing to fit on: the corpus holds no items")
    if len(blocks) == 1 or issparse(blocks[0]):
        return stack_codes(blocks)
    width = blocks[0].shape[1]
    matrix = np.empty((sum(block.shape[0] for block in blocks), width), dtype=blocks[0].dtype)
    start = 0
    while blocks:  # free each block as soon as it is copied
        block = blocks.pop(0)
        matrix[start : start + block.shape[0]] = block
        start += block.shape[0]
    return matrix


def collect_labelled(batches: Batches) -> tuple[Codes, list[str] | None]:
    """Collect all rows into one matrix, and all labels; None instead of labels if an item has none.

    Raises
    ------
    BadItemError
        When there is nothing to collect.
    """
    matrix, labels = partly_labelled(batches)
    known = [label for label in labels if label is not None]
    return matrix, known if len(known) == len(labels) else None


def partly_labelled(batches: Batches) -> tuple[Codes, list[str | None]]:
    """Collect all rows into one matrix, and a label for each; None for an item without a label.

    Raises
    ------
    BadItemError
        When there is nothing to collect.
    """
    labels: list[str | None] = []

    def read() -> Iterator[Batch]:
        for batch in batches:
            labels.extend(batch.labels if batch.labels is not None else [None] * n_rows(batch.items))
            yield batch

    return collect(read()), labels
