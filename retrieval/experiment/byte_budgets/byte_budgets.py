"""Equal bytes: every space brought to every budget by each method that suits it, and searched exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from encoders.codes import Codes
from encoders.errors import OptionError
from encoders.numbers import counted
from encoders.progress import progress
from retrieval.corpora.base import Item
from retrieval.evaluation.chance import chance_measures, is_above_chance
from retrieval.evaluation.jackknife import with_influence
from retrieval.evaluation.multiple_comparison import multiple_comparison
from retrieval.evaluation.ranking import Rows
from retrieval.evaluation.ranking_measures import Floats
from retrieval.experiment.byte_budgets.measured_point import MeasuredPoint, measured_point
from retrieval.experiment.byte_budgets.reduced_codes import base_spaces, bytes_of, cut_codes, plans_of
from retrieval.experiment.byte_budgets.result import AS_IT_IS, ByteBudgets, BytePoint
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import SpaceRun
from retrieval.experiment.score import MEASURES

#: Queries that are asked at most: every one is asked at every point.
MAX_QUERIES = 2000


def byte_budgets(
    items: Iterable[Item], query_set: QuerySet, runs: Sequence[SpaceRun], budgets: Sequence[int]
) -> ByteBudgets:
    """Bring the spaces of some runs to every budget and measure them.

    Parameters
    ----------
    items : iterable of Item
        The corpus; encoded again only where an index does not hold its codes, as on a server.
    query_set : QuerySet
    runs : sequence of SpaceRun
        Of several runs of one space, the first is used.
    budgets : sequence of int
        Bytes per item.

    Raises
    ------
    OptionError
        When no space can be brought to any budget, or to one of them.
    """
    asked, chosen = query_set.sampled(MAX_QUERIES)
    bases, notes = base_spaces(items, query_set, runs, chosen)
    if len(asked.queries) < len(query_set.queries):
        notes.append(
            f"The budgets are measured on {len(asked.queries):,} of the {len(query_set.queries):,} queries, "
            "chosen by their content."
        )
    work = [(base, plan) for base in bases for plan in plans_of(base, budgets, len(query_set.ids))]
    _require_reachable(budgets, {bytes_of(base, plan) for base, plan in work})
    measure = MEASURES[query_set.judged_by][0]
    measured = []
    cuts: dict[tuple[str, str], tuple[Codes, Codes]] = {}
    with progress("measuring budgets of bytes", len(work), "codes") as bar:
        for base, plan in work:
            bar.note = plan.spec(base.label, base.space.metric) if plan is not None else base.label
            measured.append(measured_point(asked, base, plan, measure, cut_codes(base, plan, work, cuts)))
            bar.update()
    chance = chance_measures(asked.relevance, asked.query_rows, len(asked.ids), [measure], asked.depth)[measure]
    return _judged(measured, measure, tuple(budgets), notes, asked.repeats, chance)


def _require_reachable(budgets: Sequence[int], reached: set[int]) -> None:
    """Refuse a budget that is smaller than every code."""
    smallest = min(reached)
    for budget in budgets:
        if budget < smallest:
            raise OptionError(
                f"no space can be brought to {counted(budget, 'byte')} per item: the smallest code takes {smallest:,}, "
                "so name no smaller budget in --bytes"
            )


def _judged(
    measured: list[MeasuredPoint],
    measure: str,
    budgets: tuple[int, ...],
    notes: list[str],
    repeats: Rows | None,
    chance: Floats,
) -> ByteBudgets:
    """Compare all pairs of points at once, so that intervals hold for those that are chosen afterwards."""
    by_spec = {one.point.spec: one for one in _each_code_once(measured)}
    compared = multiple_comparison(
        {spec: one.per_query for spec, one in by_spec.items()},
        {spec: one.influence for spec, one in by_spec.items()},
        repeats=repeats,
    )
    tied = compared.tied_with_best()
    points = [one.point for one in by_spec.values()]
    points = sorted(
        (
            replace(point, dominated=_is_dominated(point, points), tied_with_best=tied[point.spec])
            for point in points
        ),
        key=lambda point: (point.bytes_per_item, -point.value),
    )  # fmt: skip
    # of equal values the smallest code is the best; `points` are in the order of their bytes
    best = max(points, key=lambda point: (round(point.value, 9), -point.bytes_per_item))
    cheapest = next(point for point in points if point.tied_with_best)
    difference = None if cheapest.spec == best.spec else compared.of(best.spec, cheapest.spec)
    equivalent = [
        point
        for point in points
        if point.spec == best.spec
        or (
            point.tied_with_best
            and compared.of(best.spec, point.spec).interval.high <= compared.margin
        )
    ]  # fmt: skip
    highest = by_spec[best.spec]
    values = with_influence(highest.per_query, highest.influence)
    return ByteBudgets(
        measure, compared.n_queries, budgets, points, best, cheapest, difference, equivalent[0], compared.margin, notes,
        float(chance.mean()), is_above_chance(values, chance, len(points), repeats=repeats),
    )  # fmt: skip


def _each_code_once(measured: list[MeasuredPoint]) -> list[MeasuredPoint]:
    """Return every code once, with all spaces that lead to it; a space as it is comes before what another is cut to."""
    same: dict[str, list[MeasuredPoint]] = {}
    for one in sorted(measured, key=lambda one: one.point.method != AS_IT_IS):
        same.setdefault(one.point.spec, []).append(one)
    return [
        first._replace(point=replace(first.point, also={one.point.base: one.point.method for one in others}))
        for first, *others in same.values()
    ]


def _is_dominated(point: BytePoint, points: list[BytePoint]) -> bool:
    """Return whether another point is at least as good in no more bytes, and better in one of both."""
    return any(
        other.bytes_per_item <= point.bytes_per_item
        and other.value >= point.value
        and (other.bytes_per_item < point.bytes_per_item or other.value > point.value)
        for other in points
    )
