"""Why an item answers a query: its rank in each space, and in spaces of words the words that make its score."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import issparse

from encoders.codes import Codes
from encoders.errors import BadItemError, EndpointError, QueryError
from indexers.base import Index
from retrieval.collection.base import Collection
from retrieval.search.query import Query
from retrieval.search.result import distance_of
from retrieval.search.searcher import Searcher, query_codes, without_query

#: Answers among which the rank is looked up; number of words listed.
MAX_RANK, MAX_WORDS = 1_000, 10


@dataclass(frozen=True)
class Explanation:
    """Why an item answers a query in one space.

    Attributes
    ----------
    spec : str
    score, distance : float or None
        The exact score, and the distance if the space has one; None when the item is no answer.
    rank : int or None
        Its rank among the answers, from 1; None beyond 1,000.
    words : dict of str to float
        Words of query and item -> their part of the score, largest first; empty for dense spaces.
    note : str or None
        Why the space cannot answer the query.
    """

    spec: str
    score: float | None = None
    distance: float | None = None
    rank: int | None = None
    words: dict[str, float] = field(default_factory=dict)
    note: str | None = None


def explain(collection: Collection, query: Query, id: str, specs: tuple[str, ...] = ()) -> list[Explanation]:
    """Explain one answer in some spaces, by default in all.

    Parameters
    ----------
    collection : Collection
    query : Query
    id : str
        Id of the item.
    specs : tuple of str

    Raises
    ------
    CollectionError, UnknownNameError
        When there is no such item or space.
    """
    collection.items.require([id])
    return [_explained(collection, query, id, spec) for spec in Searcher(collection, specs).specs]


def _explained(collection: Collection, query: Query, id: str, spec: str) -> Explanation:
    encoder = collection.space(spec).encoder
    try:
        code = query_codes(collection, spec, query)
    except (QueryError, BadItemError, EndpointError) as error:
        return Explanation(spec, note=str(error))
    index = collection.codes_of(spec)
    row = index.rows_of_ids([id])
    scores = index.search_among(code, row[None], 1).scores[0]
    if not len(scores) or not np.isfinite(scores[0]):
        return Explanation(spec, note="query and item have nothing in common")
    (hits,) = collection.search([(spec, code)], MAX_RANK + 1)
    ids = [hit.id for hit in without_query(hits, query, MAX_RANK)]
    return Explanation(
        spec,
        float(scores[0]),
        distance_of(float(scores[0]), encoder.space.metric),
        ids.index(id) + 1 if id in ids else None,
        _words(index, code, int(row[0]), encoder.vocabulary if len(encoder.parts) == 1 else None),
    )


def _words(index: Index, query: Codes, row: int, vocabulary: list[str] | None) -> dict[str, float]:
    """Return the words that query and item share, with the products of their weights."""
    if not issparse(query) or vocabulary is None or not index.holds_codes:
        return {}
    product = (index.codes()[[row]] * query).tocoo()
    order = np.argsort(-product.data, kind="stable")[:MAX_WORDS]
    positions = np.asarray(product.coords[-1])
    return {vocabulary[positions[at]]: float(product.data[at]) for at in order.tolist()}
