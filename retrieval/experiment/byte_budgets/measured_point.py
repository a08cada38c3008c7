"""The measure of a space at some number of bytes: its codes are reduced and searched exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from encoders.codes import Codes, Kind, Space
from encoders.registry import create
from indexers.registry import create_index
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.jackknife import query_influence, with_influence
from retrieval.evaluation.measures import parse_measure
from retrieval.evaluation.ranking import Rows, rank
from retrieval.evaluation.ranking_measures import Floats
from retrieval.evaluation.repeated_queries import by_content
from retrieval.evaluation.significance import Interval, bootstrap_interval
from retrieval.experiment.byte_budgets.reduced_codes import BaseSpace, bytes_of
from retrieval.experiment.byte_budgets.reductions import Reduction
from retrieval.experiment.byte_budgets.result import AS_IT_IS, BytePoint
from retrieval.experiment.query_set import QuerySet

#: Bootstrap samples of the interval of a point.
ROUNDS = 2000


class MeasuredPoint(NamedTuple):
    """A point with what the test of its differences needs: values query by query, and their influence."""

    point: BytePoint
    per_query: Floats
    influence: Floats


def measured_point(
    asked: QuerySet, base: BaseSpace, plan: Reduction | None, measure: str, cut: tuple[Codes, Codes]
) -> MeasuredPoint:
    """Reduce a space and measure it by an exact search.

    Parameters
    ----------
    asked : QuerySet
    base : BaseSpace
    plan : Reduction or None
        None measures the space as it is.
    measure : str
    cut : (Codes, Codes)
        Codes and queries after the cut; see `reduced_codes.cut_codes`.
    """
    codes, queries = (np.ascontiguousarray(part) for part in cut)
    space = base.space
    if plan is not None:
        space = Space(plan.width, Kind.DENSE, base.space.metric)
        if plan.stage is not None:
            stage = create(plan.stage)
            stage.input_space = space
            codes, queries = stage.fit(codes).encode(codes), stage.encode_queries(queries)
            space = stage.space
    # packing loses nothing (a law), so the numbers are compared as they are
    with create_index("exact", replace(space, packing=None)) as index:
        index.add(asked.ids, codes)
        depth = (parse_measure(measure).cutoff or 10) + 1
        rankings = rank(index, queries, depth, asked.query_rows, asked.priority, asked.relevance)
    complete = rankings.rows.shape[1] < depth  # a small corpus has fewer answers
    values = expected_measures(rankings, asked.relevance, [measure], complete).per_query[measure]
    influence = query_influence(rankings, asked.relevance, asked.query_rows, measure)
    spread = with_influence(values, influence)
    spec = base.label if plan is None else plan.spec(base.label, base.space.metric)
    size = space.bytes_per_item
    point = BytePoint(
        spec, base.label, AS_IT_IS if plan is None else plan.method, bytes_of(base, plan) if size is None else size,
        float(values.mean()), interval_of(spread, asked.repeats),
    )  # fmt: skip
    return MeasuredPoint(point, values, influence)


def interval_of(values: Floats, repeats: Rows | None) -> Interval:
    """Return the 95% interval of a mean over queries, repeats of which are one; one query alone says nothing."""
    different = values if repeats is None else by_content(values[:, None], repeats)[:, 0]
    if len(different) < 2:
        return Interval(0.0, 1.0)
    return _within_bounds(bootstrap_interval(different, rounds=ROUNDS))


def _within_bounds(interval: Interval) -> Interval:
    """Return an interval within 0 and 1: the jackknife values of items that are queries go beyond."""
    return Interval(max(0.0, interval.low), min(1.0, interval.high))
