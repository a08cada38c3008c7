"""Equal bytes: every space brought to every budget by each method that suits it, and searched exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from encoders.codes import Codes, Kind, Metric, Space
from encoders.errors import OptionError
from encoders.numbers import counted
from encoders.progress import progress
from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.base import Item
from retrieval.evaluation.chance import chance_measures, is_above_chance
from retrieval.evaluation.difference import Difference
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.jackknife import query_influence, with_influence
from retrieval.evaluation.measures import Floats, parse_measure
from retrieval.evaluation.multiple_comparison import by_content, multiple_comparison
from retrieval.evaluation.ranking import Rows, rank
from retrieval.evaluation.significance import Interval, bootstrap_interval
from retrieval.experiment.byte_budgets.reductions import Reduction, reductions, why_not
from retrieval.experiment.loss_runs import reference_index
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import SpaceRun
from retrieval.experiment.score import MEASURES

#: The method of a space that is not reduced.
AS_IT_IS = "as it is"
#: Queries that are asked at most: every one is asked at every point.
MAX_QUERIES = 2000
#: Bootstrap samples of the interval of a point.
ROUNDS = 2000


@dataclass(frozen=True)
class BytePoint:
    """A space at some number of bytes.

    Attributes
    ----------
    spec : str
        The reduced space, which can be used as it is written.
    base : str
        The space that was reduced.
    method : str
        ``as it is``, ``components``, ``truncate``, ``sq8``, ``sq4``, ``pq``, ``rabitq`` or ``signs``.
    bytes_per_item : int
        Of a stored code.
    value : float
        Mean of the measure over the queries.
    interval : Interval
        95 % bootstrap interval of the mean.
    dominated : bool
        Whether another point is at least as good in no more bytes.
    tied_with_best : bool
        Whether it does not differ significantly from the best point (all pairs together).
    also : dict
        Other spaces that give the same code -> the method that leads there: eight principal components of pixels are
        eight components of the space ``pixels+pca:16``, too.
    """

    spec: str
    base: str
    method: str
    bytes_per_item: int
    value: float
    interval: Interval
    dominated: bool = False
    tied_with_best: bool = False
    also: dict[str, str] = field(default_factory=dict)

    def method_from(self, base: str) -> str | None:
        """Return the method that leads from a space to this code; None if none does."""
        return self.method if base == self.base else self.also.get(base)


@dataclass(frozen=True)
class ByteBudgets:
    """Quality against bytes.

    Attributes
    ----------
    measure : str
    n_queries : int
    budgets : tuple of int
        Bytes per item, ascending.
    points : list of BytePoint
        By bytes, then by value, best first.
    best, cheapest : BytePoint
        The highest mean; and the fewest bytes among the points that do not differ significantly from it.
    difference : Difference or None
        Of these two, with its interval for all pairs at once; None if they are one point.
    equivalent : BytePoint or None
        The fewest bytes among the points that are as good as the best within `margin`; None if there is none.
    margin : float
    notes : list of str
        Sentences about spaces that are left out, and queries that were not asked.
    chance : float
        Mean of the measure for a random order of the items.
    above_chance : bool
        Whether the best point is significantly better than a random order; if not, none is called best.
    """

    measure: str
    n_queries: int
    budgets: tuple[int, ...]
    points: list[BytePoint]
    best: BytePoint
    cheapest: BytePoint
    difference: Difference | None
    equivalent: BytePoint | None
    margin: float
    notes: list[str]
    chance: float
    above_chance: bool

    @property
    def frontier(self) -> list[BytePoint]:
        """The points that no other dominates, by bytes."""
        return [point for point in self.points if not point.dominated]

    @property
    def bases(self) -> list[str]:
        """The spaces that were reduced, the one with the smallest code first."""
        return list(dict.fromkeys(base for point in self.points for base in (point.base, *point.also)))


class _Base(NamedTuple):
    """A space with its codes, encoded once."""

    label: str
    space: Space
    last: str
    codes: Codes
    queries: Codes


class _Measured(NamedTuple):
    point: BytePoint
    per_query: Floats
    influence: Floats


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
    bases, notes = _bases(items, query_set, runs, chosen)
    if len(asked.queries) < len(query_set.queries):
        notes.append(
            f"The budgets are measured on {len(asked.queries):,} of the {len(query_set.queries):,} queries, "
            "chosen by their content."
        )
    work = [(base, plan) for base in bases for plan in _plans(base, budgets, len(query_set.ids))]
    _require_reachable(budgets, {_bytes(base, plan) for base, plan in work})
    measure = MEASURES[query_set.judged_by][0]
    measured = []
    cuts: dict[tuple[str, str], tuple[Codes, Codes]] = {}
    with progress("measuring budgets of bytes", len(work), "codes") as bar:
        for base, plan in work:
            bar.note = plan.spec(base.label, base.space.metric) if plan is not None else base.label
            measured.append(_measured(asked, base, plan, measure, _cut(base, plan, work, cuts)))
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


def _bases(
    items: Iterable[Item], query_set: QuerySet, runs: Sequence[SpaceRun], chosen: np.ndarray
) -> tuple[list[_Base], list[str]]:
    bases: dict[str, _Base] = {}
    notes = []
    for run in runs:
        label = str(run.encoder)
        if label in bases:
            continue
        reason = why_not(run.encoder.space, label)
        if reason is not None:
            notes.append(reason)
        if run.encoder.space.kind is Kind.SPARSE:
            continue
        held = run.index if run.index.holds_codes else reference_index(items, run, len(query_set.ids))
        last = run.encoder.parts[-1].name
        bases[label] = _Base(label, run.encoder.space, last, held.codes(), run.queries[chosen])
    if not bases:
        raise OptionError("--bytes reduces dense codes, and no space has any: add one, such as SPEC+lsa:128")
    return list(bases.values()), notes


def _plans(base: _Base, budgets: Sequence[int], n_items: int) -> Iterator[Reduction | None]:
    """Yield None for the space as it is, then every reduction once, however many budgets it suits."""
    yield None
    if why_not(base.space, base.label) is None:
        plans = (plan for budget in budgets for plan in reductions(base.space, base.last, budget, n_items))
        yield from dict.fromkeys(plans)


def _bytes(base: _Base, plan: Reduction | None) -> int:
    """Return the bytes of a code, known before any fit; the measured space must declare the same."""
    if plan is None:
        return base.space.bytes_per_item or 0
    stage, _, number = (plan.stage or "").partition(":")
    bits = {"": 32, "sq8": 8, "sq4": 4, "binarize": 1, "rabitq": int(number or 0)}
    if stage == "pq":
        return int(number)
    return (plan.width * bits[stage] + 7) // 8 + (8 if stage == "rabitq" else 0)


def _cut(
    base: _Base, plan: Reduction | None, work: Any, known: dict[tuple[str, str], tuple[Codes, Codes]]
) -> tuple[Codes, Codes]:
    """Return codes and queries with the first components of a cut; PCA is fitted once, as wide as it is needed."""
    if plan is None or plan.cut is None:
        return base.codes, base.queries
    if plan.cut == "truncate":
        return base.codes[:, : plan.width], base.queries[:, : plan.width]
    key = base.label, plan.cut
    if key not in known:
        widest = max(one.width for of, one in work if of is base and one is not None and one.cut == plan.cut)
        pca = create(f"pca:{widest},metric={_flat(base.space.metric)}").fit(base.codes)
        known[key] = pca.encode(base.codes), pca.encode_queries(base.queries)
    codes, queries = known[key]
    return codes[:, : plan.width], queries[:, : plan.width]


def _flat(metric: Metric) -> Metric:
    return Metric.COSINE if metric is Metric.COSINE else Metric.EUCLIDEAN


def _measured(
    asked: QuerySet, base: _Base, plan: Reduction | None, measure: str, cut: tuple[Codes, Codes]
) -> _Measured:
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
        spec, base.label, AS_IT_IS if plan is None else plan.method, _bytes(base, plan) if size is None else size,
        float(values.mean()), _interval(spread, asked.repeats),
    )  # fmt: skip
    return _Measured(point, values, influence)


def _interval(values: Floats, repeats: Rows | None) -> Interval:
    """Return the 95 % interval of a mean over queries, repeats of which are one; one query alone says nothing."""
    different = values if repeats is None else by_content(values[:, None], repeats)[:, 0]
    if len(different) < 2:
        return Interval(0.0, 1.0)
    return _within_bounds(bootstrap_interval(different, rounds=ROUNDS))


def _within_bounds(interval: Interval) -> Interval:
    """Return an interval within 0 and 1: the jackknife values of items that are queries go beyond."""
    return Interval(max(0.0, interval.low), min(1.0, interval.high))


def _judged(
    measured: list[_Measured],
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


def _each_code_once(measured: list[_Measured]) -> list[_Measured]:
    """Return every code once, with all spaces that lead to it; a space as it is comes before what another is cut to."""
    same: dict[str, list[_Measured]] = {}
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
