"""The comparison of the spaces of a collection: its table and verdict, and the measures of every query by pages."""

from __future__ import annotations

from typing import Any

from retrieval.collection.base import Collection
from retrieval.experiment.compare import compare_collection
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.label_ladder.rung import HIGHEST
from retrieval.experiment.per_query import query_ids
from retrieval.experiment.result import Comparison
from retrieval.report.comparison_file import comparison_document, schema
from retrieval.report.html.explorer_data import explorer_data
from retrieval.service.bodies import CompareBody, PerQueryQuery
from retrieval.service.operations import Operation, OperationRequest
from retrieval.service.problem import Problem
from retrieval.service.replies.base import Document
from retrieval.service.replies.compare import PerQueryReply


def compare(collection: Collection, asked: OperationRequest) -> Document:
    """Return the comparison as `nearby compare -o` writes it to ``comparison.json``."""
    body: CompareBody = asked.body
    comparison = _comparison(collection, asked, tuple(body.spaces), body.judged_by or HIGHEST)
    return Document(document=comparison_document(comparison))


def explorer(collection: Collection, asked: OperationRequest) -> Document:
    """Return what the explorer of a page reads: lists and measures of every query, and maps, as compact arrays."""
    body: CompareBody = asked.body
    data = explorer_data(_comparison(collection, asked, tuple(body.spaces), body.judged_by or HIGHEST))
    if data is None:
        raise Problem(422, "the explorer needs two spaces whose answers are judged: name two or more")
    return Document(document=data)


def per_query(collection: Collection, asked: OperationRequest) -> PerQueryReply:
    """Return the measures of some queries in every space, in the order of the queries."""
    given: PerQueryQuery = asked.parameters
    comparison = _comparison(collection, asked, tuple(given.space), given.judged_by or HIGHEST)
    measures = list(comparison.spaces[0].per_query)
    measure = given.measure or measures[0]
    if measure not in measures:
        raise Problem(422, f"the comparison has no measure '{measure}': choose one of {', '.join(measures)}")
    end = given.offset + given.limit
    ids = query_ids(comparison)
    return PerQueryReply(
        measure=measure, measures=measures, total=len(ids), offset=given.offset, queries=ids[given.offset : end],
        spaces={
            space.spec: [float(value) for value in space.per_query[measure][given.offset : end]]
            for space in comparison.spaces
        },
    )  # fmt: skip


def _comparison(collection: Collection, asked: OperationRequest, specs: tuple[str, ...], judged_by: str) -> Comparison:
    names = tuple(dict.fromkeys(collection.resolve(spec) for spec in specs))
    key = ("compare", asked.collection, collection.generation, collection.items_digest, names, judged_by)
    options = CompareOptions(judged_by=judged_by)

    def make() -> Any:
        return compare_collection(collection, names or None, options=options)

    comparison: Comparison = asked.remembered.get(key, make)
    return comparison


OPERATIONS = (
    Operation(
        "compare", "POST", "/compare", "Compare spaces by the queries of the collection", compare, Document,
        body=CompareBody, long=True, schema=schema,
    ),
    Operation(
        "compareExplorer", "POST", "/compare/explorer", "Get what the explorer of a comparison reads", explorer,
        Document, body=CompareBody, long=True,
    ),
    Operation(
        "perQuery", "GET", "/compare/queries", "Get the measures of every query", per_query, PerQueryReply,
        parameters=PerQueryQuery, long=True,
    ),
)  # fmt: skip
