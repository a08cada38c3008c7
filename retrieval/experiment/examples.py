"""Some queries with the answers of every row of a comparison, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.corpora.base import Item
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.result import Example
from retrieval.experiment.run import SpaceRun
from retrieval.search.result import Answer, distance_of, show

SHOWN_ANSWERS = 8


def examples_of(query_set: QuerySet, runs: Sequence[SpaceRun], count: int) -> list[Example]:
    """`count` queries, evenly spread over the query set, with the first answers of every run."""
    chosen = np.linspace(0, len(query_set.queries) - 1, min(count, len(query_set.queries))).astype(int).tolist()
    return [
        Example(show(query_set.queries[number]), [_answers(query_set, run, number) for run in runs])
        for number in chosen
    ]


def _answers(query_set: QuerySet, run: SpaceRun, number: int) -> list[Answer]:
    query = query_set.queries[number]
    return [
        Answer(
            query_set.shown[row], score, distance_of(score, run.encoder.space.metric), _relevant(query_set, query, row)
        )
        for row, score in zip(
            run.rankings.rows[number, :SHOWN_ANSWERS].tolist(),
            run.rankings.scores[number, :SHOWN_ANSWERS].tolist(),
            strict=True,
        )
        if row >= 0
    ]


def _relevant(query_set: QuerySet, query: Item, row: int) -> bool | None:
    if query_set.qrels is not None:
        return query_set.qrels.get(query.id, {}).get(query_set.ids[row], 0) > 0
    return None if query.label is None else query_set.labels[row] == query.label
