"""What the items of a map are coloured by: clusters, hubness, or the score of a query; labels are in the map itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.batches import chunks
from encoders.codes import Codes, Metric, stack_codes
from encoders.progress import waiting
from retrieval.analysis.item_values import item_clusters, item_hubness, item_scores
from retrieval.collection.base import Collection
from retrieval.corpora.base import Item
from retrieval.corpora.inputs import queries_of
from retrieval.evaluation.health.hubness import NEIGHBOURS
from retrieval.search.query import Query
from retrieval.search.result import distance_of
from retrieval.search.searcher import query_codes
from retrieval.search.stored_codes import all_codes
from retrieval.service.bodies import MapQuery, QueryBody
from retrieval.service.endpoints.search import query_of
from retrieval.service.operations import OperationRequest
from retrieval.service.problem import Problem
from retrieval.service.replies.maps import MapColour, MapReply

#: Clusters of a map without labels; most clusters, which the page can still tell apart.
_CLUSTERS, _MAX_CLUSTERS = 8, 28
#: Items of which it is tried whether they have other codes as queries, and items encoded at a time.
_ASYMMETRIC, _ENCODED = 8, 1_000
#: Digits of a value that are sent.
_DIGITS = 5
UNITS = {Metric.COSINE: "1 − cosine", Metric.EUCLIDEAN: "Euclidean distance", Metric.HAMMING: "bits that differ"}


def map_colour(collection: Collection, asked: OperationRequest, reply: MapReply, key: tuple[Any, ...]) -> MapColour:
    """Return what `colour` asks for; clusters and hubness are remembered as maps are, under the key of the map."""
    given: MapQuery = asked.parameters
    if given.colour == "score":
        return _score(collection, given, reply)
    if given.colour == "cluster":
        k = given.clusters or _cluster_count(reply)
        return asked.remembered.get((*key, "cluster", k), lambda: _clusters(collection, reply, k))
    return asked.remembered.get((*key, "hubness"), lambda: _hubness(collection, reply))


def require_fitting(given: MapQuery) -> None:
    """Refuse parameters of a colour that is not asked for, and a score without a query.

    Raises
    ------
    Problem
    """
    queries = [name for name in ("text", "id") if getattr(given, name) is not None]
    if given.colour == "score" and len(queries) != 1:
        raise Problem(422, "colour=score needs a query: give either text or id")
    if given.colour != "score" and queries:
        raise Problem(422, f"the parameter '{queries[0]}' belongs to colour=score: add it, or leave {queries[0]} out")
    if given.clusters is not None and given.colour != "cluster":
        raise Problem(422, "the parameter 'clusters' belongs to colour=cluster: add it, or leave clusters out")


def _cluster_count(reply: MapReply) -> int:
    labels = {label for label in reply.labels if label is not None}
    return min(max(len(labels), 2), _MAX_CLUSTERS) if labels else _CLUSTERS


def _shown(collection: Collection, reply: MapReply) -> Codes:
    """Return the codes of the items on a map."""
    ids, codes = all_codes(collection, reply.space)
    if ids == reply.ids:
        return codes
    row_of = {id: row for row, id in enumerate(ids)}
    return codes[np.array([row_of[id] for id in reply.ids])]


def _clusters(collection: Collection, reply: MapReply, k: int) -> MapColour:
    codes = _shown(collection, reply)
    with waiting("finding clusters"):
        clusters = item_clusters(codes, collection.space(reply.space).encoder.space.metric, k)
    assert clusters is not None  # noqa: S101  # a map of the same codes exists
    count = int(clusters.max()) + 1
    return MapColour(
        by="cluster", name=f"{count} clusters of {reply.space}", unit="k-means", values=clusters.tolist()
    )  # fmt: skip


def _hubness(collection: Collection, reply: MapReply) -> MapColour:
    codes = _shown(collection, reply)
    space = collection.space(reply.space).encoder.space
    counts, asked = item_hubness(codes, space, _queries_of(collection, reply, codes))
    items = len(reply.ids)
    note = None if asked == items else f"{asked:,} of {items:,} items, drawn at random, were asked for their nearest"
    return MapColour(
        by="hubness", name=f"lists of the {min(NEIGHBOURS, items - 1)} nearest that an item is in",
        unit=f"of {asked:,} lists", values=_plain(counts), note=note,
    )  # fmt: skip


def _queries_of(collection: Collection, reply: MapReply, codes: Codes) -> Callable[[NDArray[np.int64]], Codes] | None:
    """Return what encodes items as queries; None where that gives the codes of the items."""
    encoder = collection.space(reply.space).encoder

    def asked(items: list[Item]) -> list[Any]:
        return queries_of(encoder, items, [True] * len(items))

    def encoded(rows: NDArray[np.int64]) -> Codes:
        ids = [reply.ids[row] for row in rows.tolist()]
        parts = [encoder.encode_queries(asked(collection.items.get(some))) for some in chunks(ids, _ENCODED)]
        return stack_codes(parts)

    few = np.arange(min(_ASYMMETRIC, len(reply.ids)))
    differ = abs(encoded(few) - codes[few])
    return encoded if differ.max() > 1e-4 * abs(codes[few]).max() else None


def _score(collection: Collection, given: MapQuery, reply: MapReply) -> MapColour:
    asked = QueryBody(id=str(given.id)) if given.text is None else QueryBody(text=given.text)
    query: Query = query_of(collection, asked)
    encoder = collection.space(reply.space).encoder
    index = collection.codes_of(reply.space)
    scores = item_scores(index, query_codes(collection, reply.space, query), index.rows_of_ids(reply.ids))
    metric = encoder.space.metric
    near = metric is not Metric.DOT
    values = (
        np.array([np.nan if np.isnan(score) else distance_of(score, metric) for score in scores]) if near else scores
    )
    shown = given.text if given.text is not None else query.shown.title or query.item_id
    return MapColour(
        by="score", name=f"{'distance from' if near else 'score for'} “{str(shown)[:80]}”",
        unit=UNITS.get(metric, "inner product"), values=_plain(values), small_is_near=near,
    )  # fmt: skip


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    """Return numbers with few digits, which are short as JSON; None for NaN."""
    return [None if np.isnan(value) else float(f"{value:.{_DIGITS}g}") for value in values.tolist()]
