"""Batches on their way to an encoder: made of items given at once, seen through a function; texts and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Batch, Batches, Codes, Items, describe, n_rows, slices
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
        for piece in slices(self.items, BATCH_ROWS) if hasattr(self.items, "shape") else self._pieces():
            stop = start + n_rows(piece)
            yield Batch(piece, None if self.labels is None else [_label(label) for label in self.labels[start:stop]])
            start = stop

    def _pieces(self) -> Iterator[Items]:
        for start in range(0, n_rows(self.items), BATCH_ROWS):
            yield self.items[start : start + BATCH_ROWS]


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


def as_texts(items: Items) -> list[str]:
    """Return items as a list of texts, or say which one is none."""
    if isinstance(items, str) or issparse(items):
        raise BadItemError(f"expected a list of texts, got {describe(items)}")
    texts = list(items)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise BadItemError(f"item {row} should be a text, got {describe(text)}: is this a text corpus?")
    return texts


def as_images(items: Items) -> list[NDArray[Any]]:
    """Return items as a list of pictures ``(h, w)`` or ``(h, w, c)``, or say which one is none."""
    if isinstance(items, str) or issparse(items):
        raise BadItemError(f"expected pictures, got {describe(items)}: is this an image corpus?")
    pictures = list(items)
    for row, picture in enumerate(pictures):
        if not isinstance(picture, np.ndarray) or picture.ndim not in (2, 3):
            raise BadItemError(f"item {row} should be a picture (height, width[, channels]), got {describe(picture)}")
    return pictures
