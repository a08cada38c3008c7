"""An item as a row of the item store, and back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.json_text import parse_json
from encoders.row import Row, names_json
from encoders.sound import MAX_RATE, MIN_RATE, Sound
from retrieval.corpora.base import Content, Item, content_bytes, hashed_fields, shape_and_size, with_length
from retrieval.corpora.blocks import Block

#: Types of the numbers of pictures and vectors, as NumPy writes them.
_NUMBERS = re.compile(r"[<>|=]?[biuf][1248]")
#: What stands for the type of a sound; its rate follows.
_SOUND = "sound"
#: What stands for the type of a row; the names of its columns follow.
_ROW = "row"
#: Writes title and metadata for the digest.
_texts_json = json.JSONEncoder(sort_keys=True).encode
_NO_TEXTS = b"[null, {}]"
COLUMNS = "id, content, shape, title, label, metadata"


def item_digest(item: Item) -> bytes:
    """Return a SHA-256 over everything that is stored of an item.

    Examples
    --------
    >>> item_digest(Item("1", "a text")) == item_digest(Item("1", "a text", label="x"))
    False
    """
    no_texts = item.title is None and not item.metadata
    texts = _NO_TEXTS if no_texts else _texts_json([item.title, item.metadata]).encode()
    return hashlib.sha256(hashed_fields(item) + texts).digest()


def vector_digests(block: Block) -> list[bytes]:
    """Return the `item_digest` of vectors that have neither title nor metadata.

    Examples
    --------
    >>> vectors = np.eye(2, dtype=np.float32)
    >>> vector_digests(Block(["a", "b"], vectors, [None, "x"]))[1] == item_digest(Item("b", vectors[1], label="x"))
    True
    """
    matrix = np.ascontiguousarray(block.contents)
    before, data, size = shape_and_size(matrix.dtype, matrix.shape[1:]), matrix.tobytes(), matrix[0].nbytes
    after = {label: with_length((label or "").encode()) + _NO_TEXTS for label in set(block.labels)}
    return [
        hashlib.sha256(b"".join((with_length(id.encode()), before, data[at : at + size], after[label]))).digest()
        for id, label, at in zip(block.ids, block.labels, range(0, len(data), size), strict=True)
    ]


def items_digest(items: Iterable[Item]) -> str:
    """Return a SHA-256 over the digests of items in their order: what `ItemStore.digest` says of stored ones."""
    passing = Digested(items)
    for _ in passing:
        pass
    return passing.digest


class Digested:
    """Items that pass by on their way elsewhere, and the digest of all that have passed."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items, self._whole = items, hashlib.sha256()

    def __iter__(self) -> Iterator[Item]:
        self._whole = hashlib.sha256()
        for item in self._items:
            self._whole.update(item_digest(item))
            yield item

    @property
    def digest(self) -> str:
        """A SHA-256 over the digests of the items in their order."""
        return self._whole.hexdigest()


def record_of(item: Item, modality: Modality) -> tuple[Any, ...]:
    """Return an item as a row of `COLUMNS`.

    Raises
    ------
    CorpusError
        When it is of another sort than the collection.
    """
    require_modality(item, modality)
    content = item.content
    metadata = json.dumps(item.metadata, ensure_ascii=False) if item.metadata else None
    if isinstance(content, str):
        return item.id, content, None, item.title, item.label, metadata
    if isinstance(content, Row):
        shape = f'["{_ROW}",{names_json(content.names)[1:]}' if content.names else f'["{_ROW}"]'
        return item.id, content_bytes(content), shape, item.title, item.label, metadata
    shape = (
        json.dumps([_SOUND, content.rate]) if isinstance(content, Sound) else _shape_of(content.dtype, content.shape)
    )
    return item.id, content_bytes(content), shape, item.title, item.label, metadata


@lru_cache(maxsize=64)
def _shape_of(dtype: np.dtype[Any], lengths: tuple[int, ...]) -> str:
    """Return type and shape of an array as they are stored; the arrays of a corpus share them."""
    return json.dumps([dtype.str, *lengths])


def require_modality(item: Item, modality: Modality) -> None:
    """Refuse an item of another modality than the collection.

    Raises
    ------
    CorpusError
    """
    item_modality = modality_of(item.content)
    if item_modality is not modality:
        raise CorpusError(f"item '{item.id}' is of the sort {item_modality}, but the collection holds {modality}s")


def modality_of(content: Content) -> Modality:
    """Return what a content is.

    Examples
    --------
    >>> str(modality_of("a text")), str(modality_of(np.zeros((2, 2), np.uint8)))
    ('text', 'image')
    """
    if isinstance(content, str):
        return Modality.TEXT
    if isinstance(content, Sound):
        return Modality.SOUND
    if isinstance(content, Row):
        return Modality.ROW
    return Modality.IMAGE if content.ndim > 1 else Modality.VECTOR


def item_of(record: Sequence[Any]) -> Item:
    """Return the item that `record_of` wrote; TypeError or ValueError where that cannot be.

    Instead of bytes and shape, a vector may be given as an array.
    """
    id, content, shape, title, label, metadata = record
    for value, wanted in ((id, str), (title, str | None), (label, str | None), (metadata, str | None)):
        if not isinstance(value, wanted):
            raise TypeError(f"an item holds {type(value).__name__} where a text belongs")
    return Item(id, _content_of(content, shape), title, label, metadata_of(metadata))


def metadata_of(text: str | None) -> dict[str, str]:
    """Return the metadata that a row of the item store holds; ValueError when it is not an object of texts."""
    metadata = parse_json(text) if text else {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("the metadata of an item is not an object of texts")
    return metadata


def _content_of(content: Any, shape: Any) -> Content:
    if shape is None:
        if isinstance(content, np.ndarray):
            return content
        if not isinstance(content, str):
            raise TypeError(f"an item holds {type(content).__name__} where a text belongs")
        return content
    if not isinstance(shape, str) or not isinstance(content, bytes):
        raise TypeError("an item holds no bytes where an array belongs")
    if shape.startswith(f'["{_ROW}"'):
        return Row.of_stored(names_of(shape), parse_json(content))
    kind = _array_kind(shape)
    if isinstance(kind, int):
        return Sound(np.frombuffer(content, dtype="<i2"), kind)
    return np.frombuffer(content, dtype=kind[0]).reshape(kind[1])


@lru_cache(maxsize=64)
def _array_kind(shape: str) -> int | tuple[np.dtype[Any], tuple[int, ...]]:
    """Return the rate of a sound, or type and shape of an array, given what is stored as its shape.

    Examples
    --------
    >>> _array_kind('["<f4",3,2]'), _array_kind('["sound",8000]')
    ((dtype('float32'), (3, 2)), 8000)
    """
    dtype, *lengths = parse_json(shape)
    if dtype == _SOUND:
        (rate,) = lengths
        if type(rate) is not int or not MIN_RATE <= rate <= MAX_RATE:
            raise ValueError("an item holds a sound without a possible sample rate")
        return rate
    if not isinstance(dtype, str) or _NUMBERS.fullmatch(dtype) is None:
        raise ValueError(f"an item holds values of type {str(dtype)[:40]!r}")
    if not all(type(length) is int and length >= 0 for length in lengths):
        raise ValueError("an item holds an array of no possible shape")
    return np.dtype(dtype), tuple(lengths)


@lru_cache(maxsize=64)
def names_of(shape: str) -> tuple[str, ...]:
    """Return the names of the columns of a row, given what is stored as its shape; the rows of a table share them.

    Examples
    --------
    >>> names_of('["row","amount","fee"]')
    ('amount', 'fee')
    """
    kind, *names = parse_json(shape)
    if kind != _ROW or not all(isinstance(name, str) for name in names):
        raise ValueError("the columns of a row have no names")
    return tuple(names)
