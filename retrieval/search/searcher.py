"""Search of a collection: one query, and the answers of each space."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.codes import Codes, Kind, Metric, Modality
from encoders.errors import ArtifactError, BadItemError, EndpointError, OptionError, QueryError
from encoders.named import Named
from indexers.base import Hit
from retrieval.collection.base import Collection
from retrieval.collection.filters import Filter
from retrieval.corpora.base import Content
from retrieval.corpora.inputs import reads_ids
from retrieval.search.given_columns import search_spaces
from retrieval.search.new_categories import say_new_categories
from retrieval.search.query import Query
from retrieval.search.result import Answer, distance_of, show
from retrieval.spaces.encode import say_remarks

#: The largest number of answers; for more, `nearby compare -o` writes TREC runs.
MAX_K = 10_000


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
        answers = self.collection.read_consistently(
            lambda: [self._search(spec, query, k, filters) for spec in self.specs]
        )
        if all(one.note for one in answers):
            raise QueryError(answers[0].note or "no space can answer")
        return answers

    def _search(self, spec: str, query: Query, k: int, filters: Sequence[Filter]) -> SpaceAnswers:
        opened = self.collection.space(spec)
        metric, options = opened.encoder.space.metric, opened.encoder.spec(full=True)
        begun = time.perf_counter()
        try:
            codes = query_codes(self.collection, spec, query)
        except (QueryError, BadItemError, EndpointError) as error:
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


def query_codes(collection: Collection, spec: str, query: Query) -> Codes:
    """Return the code of a query in a space; see `encode_query`.

    The code of an item in a space whose vectors are looked up in a file is known to the index when the file is gone.
    """
    encoder = collection.space(spec).encoder
    content = input_for(encoder, query)
    try:
        codes = encode_query(encoder, content)
    except ArtifactError:
        held = collection.codes_of(spec)
        if query.item_id is None or not reads_ids(encoder) or not held.holds_codes:
            raise
        return held.codes()[held.rows_of_ids([query.item_id])]
    say_remarks(encoder)
    say_new_categories(encoder, query)
    return codes


def input_for(encoder: Encoder, query: Query) -> Content | Named:
    """Return what an encoder reads of a query.

    Raises
    ------
    QueryError
        When it reads another sort of items.
    """
    if (
        query.vector is not None
        and query.content is query.vector
        and encoder.reads not in (Modality.ITEM, Modality.VECTOR)
    ):
        raise QueryError(
            f"'{encoder}' reads {encoder.reads}s, and the query is a vector only: give its {encoder.reads} too"
        )
    if (
        isinstance(query.content, str)
        and encoder.reads not in (Modality.TEXT, Modality.ITEM)
        and not encoder.answers_texts
    ):
        raise QueryError(f"'{encoder}' reads {encoder.reads}s, and the query is a text: give the path of one")
    return query.input_of(encoder)


def encode_query(encoder: Encoder, content: Content | Named) -> Codes:
    """Encode one query.

    Raises
    ------
    QueryError
        When the space knows no part of the query: every item would be equally near.
    """
    codes, (refused,) = encode_queries(encoder, [content])
    if refused is not None:
        raise refused
    return codes


def encode_queries(encoder: Encoder, contents: Sequence[Content | Named]) -> tuple[Codes, list[QueryError | None]]:
    """Encode queries in one batch.

    Returns
    -------
    codes : codes
        A row for each query.
    refused : list of QueryError or None
        For each query, why it cannot be asked: it is empty, or the space knows no part of it.
    """
    codes: Any = encoder.encode_queries(list(contents))
    if any(isinstance(content, Named) for content in contents):  # their vectors are given, whatever they are
        return codes, [None] * len(contents)
    if issparse(codes):
        empty = np.diff(codes.indptr) == 0
    elif encoder.space.metric is Metric.COSINE:
        empty = ~codes.any(axis=1)
    else:
        empty = np.zeros(len(contents), bool)
    texts = [content for content in contents if isinstance(content, str)]
    if len(texts) == len(contents):
        empty |= _unknown(encoder, texts)
    return codes, [_refusal(encoder, one, none) for one, none in zip(contents, empty.tolist(), strict=True)]


def _refusal(encoder: Encoder, content: Content | Named, unknown: bool) -> QueryError | None:
    if isinstance(content, str) and not content.strip():
        return QueryError("the query is an empty text: choose another item")
    if not unknown:
        return None
    if isinstance(content, str):
        return QueryError(f"no word of the query is known to the space '{encoder}': try other words, or another space")
    return QueryError(f"no part of the query is known to the space '{encoder}': try another space")


def _unknown(encoder: Encoder, texts: Sequence[str]) -> NDArray[np.bool_]:
    """Return for each text whether the first stage counts words and knows none of it."""
    first = encoder.parts[0]
    if first.space.kind is not Kind.SPARSE:
        return np.zeros(len(texts), bool)
    unknown: NDArray[np.bool_] = np.diff(first.encode_queries(list(texts)).indptr) == 0
    return unknown
