"""Queries, and how they are read: from what a person typed, or from contents that a program sent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import CollectionError, OptionError, QueryError, UnknownNameError, one_line
from encoders.json_text import parse_json
from encoders.named import Named
from encoders.progress import say
from encoders.row import Row
from retrieval.collection.base import Collection
from retrieval.corpora.base import Content, Item
from retrieval.corpora.code_matrix import read_npy
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
    return _named(Path(text).name, read(collection, text))


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


def row_query(collection: Collection, cells: Mapping[str, object]) -> Query:
    """Return the query that is a row of a table, or some columns of one.

    Raises
    ------
    QueryError, UnknownNameError
        When a value or column cannot be taken, or the items are no rows.
    """
    require_modality(collection, Modality.ROW)
    row = row_of_cells(cells, columns_of(collection))
    return Query(row, show(Item("query", row)))


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
    return _named(name, decode_image(raw, preprocessing_like(first_content(collection), collection.manifest.corpus)))


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
    return _named(name, decode(raw).at(getattr(first_content(collection), "rate", None)))


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
    return _named("query", vector)


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


def columns_of(collection: Collection) -> tuple[str, ...]:
    """Return the names of the columns of a collection of rows."""
    first = first_content(collection)
    return first.names if isinstance(first, Row) else ()


def _named(name: str, content: Content) -> Query:
    return Query(content, show(Item(name, content, title=name)))


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


def row_of(text: str, names: tuple[str, ...]) -> Row:
    """Read a JSON object as a row of a table with these columns; one that it lacks is missing, and a line says so.

    Raises
    ------
    QueryError, UnknownNameError
        As `given_row` does.
    """
    row = given_row(text, names, "missing")
    return Row(names, tuple(row[name] if name in row.names else None for name in names))


#: What columns are that a query leaves out.
_LEFT_OUT = "not compared in the space columns, taken as typical in others"


def given_row(text: str, names: tuple[str, ...], lacking_are: str = _LEFT_OUT) -> Row:
    """Read a JSON object as a row of those columns of a table that it gives, in their order; null is a missing value.

    Raises
    ------
    QueryError
        When it is no JSON object, or has an infinite value.
    UnknownNameError
        For a column that the table does not have.
    """
    example = """give a JSON object, as in '{"amount": 12, "type": "CASH_OUT"}', or @id of an item"""
    try:
        given = parse_json(text)
    except ValueError as error:
        raise QueryError(f"the query is not a row of a table ({one_line(error)}): {example}") from None
    if not isinstance(given, dict) or not given:
        raise QueryError(f"the query is not a row of a table: {example}")
    return row_of_cells(given, names, lacking_are)


def row_of_cells(given: Mapping[str, object], names: tuple[str, ...], lacking_are: str = _LEFT_OUT) -> Row:
    """Return cells by their columns as a row of those columns, in the order of the table; None is a missing value.

    Raises
    ------
    QueryError, UnknownNameError
        As `given_row` does.
    """
    from retrieval.corpora.rows import CellValues

    if not given:
        raise QueryError("the query has no column: give the value of at least one")
    for name, value in given.items():
        if name not in names:
            raise UnknownNameError("column of the table", name, names)
        if isinstance(value, float) and math.isinf(value):
            raise QueryError(f"the value of '{name}' is infinite: give a finite number, or null where it is missing")
    given_names = [name for name in names if name in given]
    lacking = [name for name in names if name not in given]
    if lacking:
        more = f" and {len(lacking) - 5:,} others" if len(lacking) > 5 else ""
        say(f"the query has no value for {', '.join(lacking[:5])}{more}: {lacking_are}")
    cells = CellValues()
    return Row(tuple(given_names), tuple(cells.of(given[name], name) for name in given_names))


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
