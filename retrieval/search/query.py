"""Queries: texts, pictures, sounds and vectors that a program sent, and items of the collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import QueryError
from encoders.named import Named
from retrieval.collection.base import Collection
from retrieval.corpora.base import Content, Item
from retrieval.corpora.inputs import reads_ids
from retrieval.search.result import Shown, show


@dataclass(frozen=True)
class Query:
    """A query; `item_id` is the id of the item that it is, or None when it is not an item.

    `vector` is its embedding, if it was computed elsewhere, for spaces of such embeddings.
    """

    content: Content
    shown: Shown
    item_id: str | None = None
    vector: NDArray[np.float32] | None = field(default=None, compare=False)

    def input_of(self, encoder: Encoder) -> Content | Named:
        """Return the query as an encoder reads it."""
        return Named(self.content, self.item_id, vector=self.vector) if reads_ids(encoder) else self.content


def item_query(collection: Collection, id: str) -> Query:
    """Return the query that is an item of the collection; it is not among its own answers.

    Raises
    ------
    CollectionError
        When there is no such item.
    """
    item = collection.items.get([id])[0]
    return Query(item.content, show(item), item.id)


def text_query(collection: Collection, words: str) -> Query:
    """Return the query that is a text.

    Raises
    ------
    QueryError
        When it has no words, or the items are no texts.
    """
    require_modality(collection, Modality.TEXT)
    if not words.strip():
        raise QueryError("the query is empty: give some words, or the id of an item")
    return Query(words, show(Item("query", words)))


def image_query(collection: Collection, raw: bytes, name: str = "query") -> Query:
    """Return the query that is a picture, given the bytes of its file; it gets the size of those that are indexed.

    Raises
    ------
    CorpusError
        When it cannot be decoded, or is too large.
    QueryError
        When the items are no pictures.
    """
    from retrieval.corpora.image_preprocessing import preprocessing_like
    from retrieval.corpora.images import decode_image

    require_modality(collection, Modality.IMAGE)
    return named_query(
        name, decode_image(raw, preprocessing_like(first_content(collection), collection.manifest.corpus))
    )


def sound_query(collection: Collection, raw: bytes, name: str = "query") -> Query:
    """Return the query that is a sound, given the bytes of its file; it gets the rate of those that are indexed.

    Raises
    ------
    CorpusError
        When it cannot be decoded, or is too long.
    QueryError
        When the items are no sounds.
    """
    from retrieval.corpora.sound_file import decode

    require_modality(collection, Modality.SOUND)
    return named_query(name, decode(raw).at(getattr(first_content(collection), "rate", None)))


def vector_query(collection: Collection, numbers: Sequence[float]) -> Query:
    """Return the query that is a vector: of the width of the items, or an embedding for a space `given`.

    Raises
    ------
    QueryError
        When it has another width than the items, a number that is not finite, or nothing is compared with vectors.
    """
    with np.errstate(over="ignore"):  # numbers beyond float32 become infinite and are refused below
        vector = np.asarray(numbers, np.float32)
    if not np.isfinite(vector).all():
        raise QueryError("the query has a number that is not finite")
    if collection.items.modality is not Modality.VECTOR and _takes_embeddings(collection):
        return Query(vector, show(Item("query", vector, title="query")), vector=vector)
    require_modality(collection, Modality.VECTOR)
    width = len(first_content(collection))  # type: ignore[arg-type]  # a vector, as the modality says
    if vector.shape != (width,):
        raise QueryError(f"the query has {len(numbers):,} numbers; the items have {width:,}")
    return named_query("query", vector)


def _takes_embeddings(collection: Collection) -> bool:
    """Return whether vectors of a space come from elsewhere, so that the embedding of a query does too."""
    return any(reads_ids(collection.space(spec).encoder) for spec in collection.spaces)


def require_modality(collection: Collection, asked: Modality) -> None:
    """Refuse a query of another modality than the items.

    Raises
    ------
    QueryError
    """
    modality = collection.items.modality
    if modality is not asked:
        raise QueryError(
            f"the query is of modality {asked}, the items are of modality {modality}: give the same, or an id"
        )


def first_content(collection: Collection) -> Content:
    """Return the content of the first item, which shows the size, rate or columns of all."""
    return next(iter(collection.items)).content


def named_query(name: str, content: Content) -> Query:
    """Return the query that is a content with a name, such as that of its file."""
    return Query(content, show(Item(name, content, title=name)))
