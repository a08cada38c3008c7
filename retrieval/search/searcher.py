"""Search of a collection: one query, and the answers of each space."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.codes import Codes, Kind, Metric, Modality
from encoders.errors import BadItemError, CollectionError, OptionError, QueryError, UnknownNameError, one_line
from encoders.json_text import parse_json
from encoders.progress import say
from encoders.row import Row
from indexers.base import Hit
from retrieval.collection.base import Collection
from retrieval.collection.filters import Filter
from retrieval.corpora.base import Content, Item
from retrieval.corpora.code_matrix import read_npy
from retrieval.search.given_columns import search_spaces
from retrieval.search.result import Answer, Shown, distance_of, show

#: The largest number of answers; for more, `nearby compare -o` writes TREC runs.
MAX_K = 10_000


@dataclass(frozen=True)
class Query:
    """A query; `item_id` is the id of the item that it is, or None when it is not an item."""

    content: Content
    shown: Shown
    item_id: str | None = None


@dataclass(frozen=True)
class SpaceAnswers:
    """The answers of one space, best first; `note` says why there are none."""

    spec: str
    options: str
    metric: str
    answers: list[Answer]
    milliseconds: float
    note: str | None = None


class Searcher:
    """Answers queries in some spaces of a collection.

    Parameters
    ----------
    collection : Collection
    specs : sequence of str, optional
        The spaces; by default all.

    Raises
    ------
    QueryError
        When the collection has no space yet.
    """

    def __init__(self, collection: Collection, specs: Sequence[str] | None = None) -> None:
        if not collection.spaces:
            raise QueryError(f"{collection.folder} has no space yet: add one with  nearby index ... -s SPACE")
        self.collection = collection
        asked = map(collection.resolve, specs) if specs else collection.spaces
        self.specs = list(dict.fromkeys(asked))

    def search(self, query: Query, k: int = 10, filters: Sequence[Filter] = ()) -> list[SpaceAnswers]:
        """Return the answers of every space; each space is searched and timed alone.

        Raises
        ------
        QueryError
            When no space can answer, or no item satisfies the filters; the message says why.
        """
        require_valid_k(k)
        found = self.collection.read_consistently(
            lambda: [self._search(spec, query, k, filters) for spec in self.specs]
        )
        if all(one.note for one in found):
            raise QueryError(found[0].note or "no space can answer")
        return found

    def _search(self, spec: str, query: Query, k: int, filters: Sequence[Filter]) -> SpaceAnswers:
        opened = self.collection.space(spec)
        metric, options = opened.encoder.space.metric, opened.encoder.spec(full=True)
        begun = time.perf_counter()
        try:
            codes = encode_query(opened.encoder, query.content)
        except (QueryError, BadItemError) as error:
            return SpaceAnswers(spec, options, str(metric), [], 0.0, str(error))
        wanted = k + (query.item_id is not None)
        (hits,) = search_spaces(self.collection, [(spec, codes)], query.content, wanted, filters)
        hits = without_query(hits, query, k)
        milliseconds = 1000 * (time.perf_counter() - begun)
        return SpaceAnswers(spec, options, str(metric), answers_of(self.collection, query, hits, metric), milliseconds)


def require_valid_k(k: int) -> None:
    """Refuse a number of answers below 1 or above `MAX_K`.

    Raises
    ------
    OptionError
    """
    if not 1 <= k <= MAX_K:
        raise OptionError(f"k should be from 1 to {MAX_K:,}; got {k}")


def without_query(hits: Sequence[Hit], query: Query, k: int) -> list[Hit]:
    """Return the best `k` of k + 1 hits, without the item that is the query."""
    return [hit for hit in hits if hit.id != query.item_id][:k]


def answers_of(collection: Collection, query: Query, hits: Sequence[Hit], metric: Metric) -> list[Answer]:
    """Return hits as answers: the item, its distance, and whether it has the label of the query."""
    items = collection.items.get([hit.id for hit in hits])
    label = query.shown.label
    return [
        Answer(show(item), hit.score, distance_of(hit.score, metric), None if label is None else item.label == label)
        for hit, item in zip(hits, items, strict=True)
    ]


def encode_query(encoder: Encoder, content: Content) -> Codes:
    """Encode one query.

    Raises
    ------
    QueryError
        When the space knows no part of the query: every item would be equally near.
    """
    if isinstance(content, str) and not content.strip():
        raise QueryError("the query is an empty text: choose another item")
    codes: Any = encoder.encode_queries([content])
    empty = codes.nnz == 0 if issparse(codes) else encoder.space.metric is Metric.COSINE and not codes.any()
    if not empty and isinstance(content, str):
        empty = _unknown(encoder, content)
    if empty:
        what = "word of the query" if isinstance(content, str) else "part of the query"
        advice = "try other words, or another space" if isinstance(content, str) else "try another space"
        raise QueryError(f"no {what} is known to the space '{encoder}': {advice}")
    return codes


def _unknown(encoder: Encoder, text: str) -> bool:
    """Return whether the first stage counts words and knows none of the text."""
    first = encoder.parts[0]
    return first.space.kind is Kind.SPARSE and first.encode_queries([text]).nnz == 0


def read_query(collection: Collection, text: str, whole: bool = False) -> Query:
    """Read a query: a text, the path of a picture, sound or ``.npy`` vector, a row as a JSON object, or ``@id``.

    With `whole`, a row has all columns of the table, and those that it does not give are missing values.

    Raises
    ------
    QueryError
        When it is empty, or has another modality than the collection.
    """
    if text.startswith("@") and not text.startswith("@@"):
        item = _item(collection, text[1:])
        return Query(item.content, show(item), item.id)
    if collection.items.modality is Modality.TEXT:
        words = text.removeprefix("@") if text.startswith("@@") else text
        if not words.strip():
            raise QueryError("the query is empty: give some words, or @id of an item")
        return Query(words, show(Item("query", words)))
    if collection.items.modality is Modality.ROW:
        first = next(iter(collection.items)).content
        names = first.names if isinstance(first, Row) else ()
        row = row_of(text, names) if whole else given_row(text, names)
        return Query(row, show(Item("query", row)))
    read = {Modality.IMAGE: _read_picture, Modality.SOUND: _read_sound}.get(collection.items.modality, _read_vector)
    content = read(collection, text)
    return Query(content, show(Item(Path(text).name, content, title=Path(text).name)))


def _item(collection: Collection, id: str) -> Item:
    texts = "; for a text that begins with '@' write '@@'" if collection.items.modality is Modality.TEXT else ""
    if not id:
        raise QueryError(f"the query is empty: give the id of an item after '@'{texts}")
    try:
        return collection.items.get([id])[0]
    except CollectionError as error:
        raise QueryError(f"{error}{texts}") from None


def _read_picture(collection: Collection, path: str) -> Content:
    from retrieval.corpora.image_preprocessing import preprocessing_like
    from retrieval.corpora.images import read_image

    if not Path(path).is_file():
        raise QueryError(f"'{path}' is not a file: give the path of a picture, or @id of an item")
    first = next(iter(collection.items)).content
    return read_image(Path(path), preprocessing_like(first, collection.manifest.corpus))


def _read_sound(collection: Collection, path: str) -> Content:
    from retrieval.corpora.sound_file import read_sound

    if not Path(path).is_file():
        raise QueryError(f"'{path}' is not a file: give the path of a WAV or FLAC file, or @id of an item")
    first = next(iter(collection.items)).content
    return read_sound(Path(path), getattr(first, "rate", None))


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
    from retrieval.corpora.rows import CellValues

    example = """give a JSON object, as in '{"amount": 12, "type": "CASH_OUT"}', or @id of an item"""
    try:
        given = parse_json(text)
    except ValueError as error:
        raise QueryError(f"the query is not a row of a table ({one_line(error)}): {example}") from None
    if not isinstance(given, dict) or not given:
        raise QueryError(f"the query is not a row of a table: {example}")
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
    width = len(next(iter(collection.items)).content)  # type: ignore[arg-type]  # a vector, as the modality says
    wanted = f"one vector of {width:,} numbers"
    rows = read_npy(Path(path), width, wanted)
    if len(rows) > 1:
        raise QueryError(f"{path} holds an array of shape {rows.shape}; expected {wanted}")
    vector: Content = rows[0].astype(np.float32)
    return vector
