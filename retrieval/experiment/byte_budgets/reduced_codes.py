"""The codes of a space, encoded once, and what reductions make of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from encoders.codes import Codes, Kind, Metric, Space
from encoders.errors import OptionError
from encoders.registry import create
from retrieval.corpora.base import Item
from retrieval.experiment.byte_budgets.reductions import RABITQ_BYTES, Reduction, reductions, why_not
from retrieval.experiment.loss_runs import reference_index
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import SpaceRun


class BaseSpace(NamedTuple):
    """A space with its codes, encoded once."""

    label: str
    space: Space
    last: str
    codes: Codes
    queries: Codes


def base_spaces(
    items: Iterable[Item], query_set: QuerySet, runs: Sequence[SpaceRun], chosen: np.ndarray
) -> tuple[list[BaseSpace], list[str]]:
    """Return every space once with its codes, and why some cannot be reduced.

    Parameters
    ----------
    items : iterable of Item
        Encoded again only where an index does not hold its codes.
    query_set : QuerySet
    runs : sequence of SpaceRun
    chosen : ndarray
        Numbers of the queries that are asked.

    Raises
    ------
    OptionError
        When no space has dense codes.
    """
    bases: dict[str, BaseSpace] = {}
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
        bases[label] = BaseSpace(label, run.encoder.space, last, held.codes(), run.queries[chosen])
    if not bases:
        raise OptionError("--bytes reduces dense codes, and no space has any: add one, such as SPEC+lsa:128")
    return list(bases.values()), notes


def plans_of(base: BaseSpace, budgets: Sequence[int], n_items: int) -> Iterator[Reduction | None]:
    """Yield None for the space as it is, then every reduction once, however many budgets it suits."""
    yield None
    if why_not(base.space, base.label) is None:
        plans = (plan for budget in budgets for plan in reductions(base.space, base.last, budget, n_items))
        yield from dict.fromkeys(plans)


def bytes_of(base: BaseSpace, plan: Reduction | None) -> int:
    """Return the bytes of a code, known before any fit; the measured space must declare the same."""
    if plan is None:
        return base.space.bytes_per_item or 0
    stage, _, number = (plan.stage or "").partition(":")
    bits = {"": 32, "sq8": 8, "sq4": 4, "binarize": 1, "rabitq": int(number or 0)}
    if stage == "pq":
        return int(number)
    return (plan.width * bits[stage] + 7) // 8 + (RABITQ_BYTES if stage == "rabitq" else 0)


def cut_codes(
    base: BaseSpace,
    plan: Reduction | None,
    work: Sequence[tuple[BaseSpace, Reduction | None]],
    known: dict[tuple[str, str], tuple[Codes, Codes]],
) -> tuple[Codes, Codes]:
    """Return codes and queries with the first components of a cut; PCA is fitted once, as wide as it is needed.

    Parameters
    ----------
    base : BaseSpace
    plan : Reduction or None
    work : sequence of (BaseSpace, Reduction or None)
        All that is measured: it says how wide PCA must be.
    known : dict
        (space, cut) -> codes and queries that were computed before; new ones are added.
    """
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
