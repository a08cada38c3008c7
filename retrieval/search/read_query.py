"""Read a query that a person typed: a text, the path of a file, a row as JSON, or ``@id``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from encoders.codes import Modality
from encoders.errors import CollectionError, OptionError, QueryError
from retrieval.collection.base import Collection
from retrieval.corpora.base import Content, Item
from retrieval.corpora.code_matrix import read_npy
from retrieval.search.query import Query, first_content, item_query, named_query, text_query
from retrieval.search.result import show
from retrieval.search.row_query import columns_of, given_row, row_of


def read_query(collection: Collection, text: str, whole: bool = False) -> Query:
    """Read a query: a text, the path of a picture, sound or ``.npy`` vector, a row as a JSON object, or ``@id``.

    A text also asks for pictures, where a space has both. With `whole`, a row has all columns of the table, and those
    that it does not give are missing values.

    Raises
    ------
    QueryError
        When it is empty, or has another modality than the collection.
    """
    if text.startswith("@") and not text.startswith("@@"):
        return _typed_item(collection, text[1:])
    modality = collection.items.modality
    if modality is Modality.TEXT:
        return text_query(collection, text.removeprefix("@") if text.startswith("@@") else text)
    if modality is Modality.ROW:
        names = columns_of(collection)
        row = row_of(text, names) if whole else given_row(text, names)
        return Query(row, show(Item("query", row)))
    if modality is Modality.IMAGE and not Path(text).is_file() and _answers_texts(collection):
        return Query(text, show(Item("query", text)))
    read = {Modality.IMAGE: _read_picture, Modality.SOUND: _read_sound}.get(modality, _read_vector)
    return named_query(Path(text).name, read(collection, text))


def asked_query(collection: Collection, text: str, vector: Path | None) -> Query:
    """Return the query of a text (see `read_query`), of a file with its embedding, or of both.

    Raises
    ------
    OptionError
        When there is neither.
    QueryError
        When it cannot be read.
    """
    if not text and vector is None:
        raise OptionError("give a query: words, the path of a picture or sound, @id of an item, or --query-vector FILE")
    return read_query(collection, text) if vector is None else with_vector(collection, text, vector)


def with_vector(collection: Collection, text: str, file: Path) -> Query:
    """Return the query with an embedding that was computed elsewhere, for spaces of such embeddings (`given`).

    Without a text, only these spaces can answer.

    Raises
    ------
    QueryError
        When the file does not hold one vector.
    """
    from encoders.given.vector_file import read_vector

    vector = read_vector(file)
    if text:
        return replace(read_query(collection, text), vector=vector)
    return Query(vector, show(Item(file.name, vector, title=file.name)), vector=vector)


def _typed_item(collection: Collection, id: str) -> Query:
    texts = "; for a text that begins with '@' write '@@'" if collection.items.modality is Modality.TEXT else ""
    if not id:
        raise QueryError(f"the query is empty: give the id of an item after '@'{texts}")
    try:
        return item_query(collection, id)
    except CollectionError as error:
        raise QueryError(f"{error}{texts}") from None


def _answers_texts(collection: Collection) -> bool:
    """Return whether a space of pictures can be asked in words."""
    return any(collection.space(spec).encoder.answers_texts for spec in collection.spaces)


def _read_picture(collection: Collection, path: str) -> Content:
    from retrieval.corpora.image_preprocessing import preprocessing_like
    from retrieval.corpora.images import read_image

    if not Path(path).is_file():
        raise QueryError(f"'{path}' is not a file: give the path of a picture, or @id of an item")
    return read_image(Path(path), preprocessing_like(first_content(collection), collection.manifest.corpus))


def _read_sound(collection: Collection, path: str) -> Content:
    from retrieval.corpora.sound_file import read_sound

    if not Path(path).is_file():
        raise QueryError(f"'{path}' is not a file: give the path of a WAV or FLAC file, or @id of an item")
    return read_sound(Path(path), getattr(first_content(collection), "rate", None))


def _read_vector(collection: Collection, path: str) -> Content:
    if not Path(path).is_file():
        raise QueryError(f"'{path}' is not a file: give the path of a .npy vector, or @id of an item")
    width = len(first_content(collection))  # type: ignore[arg-type]  # a vector, as the modality says
    wanted = f"one vector of {width:,} numbers"
    rows = read_npy(Path(path), width, wanted)
    if len(rows) > 1:
        raise QueryError(f"{path} holds an array of shape {rows.shape}; expected {wanted}")
    vector: Content = rows[0].astype(np.float32)
    return vector
