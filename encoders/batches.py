"""Batches on their way to an encoder: made of items given at once, seen through a function; texts and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from scipy.sparse import issparse

from encoders.codes import Batch, Batches, Codes, Items, n_rows, slices, stack_codes
from encoders.errors import BadItemError

#: Rows handed on at a time when a whole matrix is given where batches are expected.
BATCH_ROWS = 4096
#: Bytes handed on at a time, whatever the number of rows: a thousand pictures may be a gigabyte.
BATCH_BYTES = 64 * 2**20
T = TypeVar("T")


def chunks(
    stream: Iterable[T], rows: int, size: Callable[[T], int] | None = None, most: int = BATCH_BYTES
) -> Iterator[list[T]]:
    """Cut a stream into lists of at most `rows` entries and, where their `size` is given, of about `most` bytes.

    An entry that is larger than that by itself is a list of its own; nothing is read ahead.

    Examples
    --------
    >>> list(chunks(["aa", "b", "cccc", "d"], 3, len, most=3))
    [['aa', 'b'], ['cccc'], ['d']]
    """
    chunk: list[T] = []
    held = 0
    for entry in stream:
        bytes = 0 if size is None else size(entry)
        if chunk and held + bytes > most:
            yield chunk
            chunk, held = [], 0
        chunk.append(entry)
        held += bytes
        if len(chunk) == rows or held >= most:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


class Encoded:
    """Batches as seen through a function: re-iterable, nothing kept."""

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
    """Return re-iterable batches, whether given as such or as the items themselves.

    Raises
    ------
    BadItemError
        For a single text, or a generator that could be read only once.

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
    """Hold every row of checked `batches` as ONE matrix, filled in place where dense (no second copy).

    Raises
    ------
    BadItemError
        When there is nothing to collect.
    """
    parts: list[Codes] = [batch.items for batch in batches if n_rows(batch.items)]
    if not parts:
        raise BadItemError("there is nothing to fit on: the corpus holds no items")
    if len(parts) == 1 or issparse(parts[0]):
        return stack_codes(parts)
    width = parts[0].shape[1]
    whole = np.empty((sum(part.shape[0] for part in parts), width), dtype=parts[0].dtype)
    start = 0
    while parts:  # each part is let go as soon as it is copied
        part = parts.pop(0)
        whole[start : start + part.shape[0]] = part
        start += part.shape[0]
    return whole


def collect_labelled(batches: Batches) -> tuple[Codes, list[str] | None]:
    """Hold every row as ONE matrix, and every label, or None when an item has none.

    Raises
    ------
    BadItemError
        When there is nothing to collect.
    """
    matrix, labels = partly_labelled(batches)
    known = [label for label in labels if label is not None]
    return matrix, known if len(known) == len(labels) else None


def partly_labelled(batches: Batches) -> tuple[Codes, list[str | None]]:
    """Hold every row as ONE matrix, and a label for each, None where it has none.

    Raises
    ------
    BadItemError
        When there is nothing to collect.
    """
    labels: list[str | None] = []

    def noted() -> Iterator[Batch]:
        for batch in batches:
            labels.extend(batch.labels if batch.labels is not None else [None] * n_rows(batch.items))
            yield batch

    return collect(noted()), labels
