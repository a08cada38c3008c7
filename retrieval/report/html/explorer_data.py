"""What the explorer of a page needs: measures and lists of every query in every space, and maps, as compact JSON.

The modules in ``templates/explorer`` read it (`data.js`). Items are numbered by their rows, and named once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Metric
from retrieval.analysis.maps import principal_map, turned_to
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.colours import colour_of
from retrieval.report.comparison_columns import measures_of
from retrieval.report.figures.markup import Markup
from retrieval.report.html.explorer_arrays import bits, json_block, shares, whole_numbers
from retrieval.report.html.explorer_sprite import sprite
from retrieval.search.result import Shown, cut_at_word

#: Bytes of the data of all explorers of a page.
BUDGET = 3_500_000
Rows = NDArray[np.int64]


class Detail(NamedTuple):
    """How much the explorer shows: what is left out first when the data is too large stands last."""

    depth: int
    letters: int
    picture: int
    queries: int | None = None


#: From all to the least.
_DETAILS = (
    Detail(10, 80, 40), Detail(10, 60, 28), Detail(10, 40, 20), Detail(8, 40, 16), Detail(5, 32, 12),
    Detail(5, 24, 0), Detail(5, 0, 0), *(Detail(5, 24, 12, count) for count in (5_000, 2_000, 500, 100)),
)  # fmt: skip


@dataclass(frozen=True)
class _Source:
    """What a comparison knows, with no more than `SpaceResult.rankings` of each space."""

    comparison: Comparison
    query_set: QuerySet
    spaces: list[tuple[SpaceResult, Rows]]
    maps: list[NDArray[np.float64] | None]


def explorer_block(comparison: Comparison, budget: int = BUDGET) -> Markup | None:
    """Return the data of the explorer as JSON inside a page; None with fewer than two spaces that were measured.

    Parameters
    ----------
    comparison : Comparison
    budget : int
        The largest number of bytes: lists get shorter, titles and pictures smaller, and then queries fewer.
    """
    fitting = _fitting(comparison, budget)
    return None if fitting is None else fitting[1]


def explorer_data(comparison: Comparison, budget: int = BUDGET) -> dict[str, Any] | None:
    """Return the data of the explorer as values of JSON, for a page that fetches them; None as `explorer_block`.

    Parameters
    ----------
    comparison : Comparison
    budget : int
        The largest number of bytes.
    """
    fitting = _fitting(comparison, budget)
    return None if fitting is None else fitting[0]


def _fitting(comparison: Comparison, budget: int) -> tuple[dict[str, Any], Markup] | None:
    """Return the most detailed data that fits, and its JSON."""
    source = _source(comparison)
    if source is None:
        return None
    for detail in _DETAILS:
        data = _data(source, detail)
        block = json_block(data)
        if len(block) <= budget:
            return data, block
    return None


def _source(comparison: Comparison) -> _Source | None:
    query_set = comparison.query_set
    spaces = [(space, space.rankings.rows) for space in comparison.spaces if space.rankings is not None]
    if query_set is None or len(spaces) < 2 or len(spaces) < len(comparison.spaces):
        return None
    if not query_set.queries or not measures_of(comparison):
        return None
    return _Source(comparison, query_set, spaces, list(_maps(comparison)))


def _maps(comparison: Comparison) -> Iterator[NDArray[np.float64] | None]:
    """Give the map of every space, all turned to the first one; None where there is none."""
    first = None
    for space in comparison.spaces:
        codes = space.sample_codes
        points = None if codes is None else principal_map(codes, Metric(space.metric))
        if points is None:
            yield None
            continue
        turned = np.asarray(points, np.float64) if first is None else turned_to(points, first)
        first = turned if first is None else first
        yield turned


def _data(source: _Source, detail: Detail) -> dict[str, Any]:
    query_set, comparison = source.query_set, source.comparison
    asked = _chosen(len(query_set.queries), detail.queries)
    depth = min(detail.depth, *(rows.shape[1] for _, rows in source.spaces))
    lists = [rows[asked, :depth] for _, rows in source.spaces]
    query_rows = query_set.query_rows[asked]
    sample = np.empty(0, np.int64) if comparison.sample is None else comparison.sample
    mapped = _chosen(len(sample), detail.queries)
    if all(points is None for points in source.maps):
        mapped = mapped[:0]
    sample = sample[mapped]
    used = np.unique(np.concatenate([*(hits.ravel() for hits in lists), query_rows, sample]))
    used = used[used >= 0]
    number = np.full(len(query_set.ids) + 1, -1, np.int64)  # the last position is that of row -1
    number[used] = np.arange(len(used))
    names = list(dict.fromkeys(query_set.labels[row] for row in used.tolist()))
    names = [name for name in names if name is not None]
    values = _values(source, asked)
    return {
        "k": depth,
        "total": len(query_set.queries),
        "spaces": [
            {"label": space.label, "colour": colour_of(at)} for at, space in enumerate(comparison.spaces)
        ],
        **values,
        "labels": names,
        "items": _items(query_set, used, names, detail),
        "queries": _queries(query_set, asked, number[query_rows], detail),
        "lists": [whole_numbers(number[hits], len(used)) for hits in lists],
        "relevant": [
            bits((query_set.relevance.grades(asked, np.maximum(hits, 0)) > 0) & (hits >= 0)) for hits in lists
        ],
        "map": _map(source.maps, mapped, number[sample], len(used)) if len(sample) else None,
    }  # fmt: skip


def _chosen(count: int, limit: int | None) -> Rows:
    """Return the numbers of the queries (or dots) that are kept, evenly spaced."""
    wanted = count if limit is None else min(limit, count)
    if not wanted:
        return np.empty(0, np.int64)
    return np.unique(np.linspace(0, count - 1, wanted).astype(np.int64))


def _values(source: _Source, asked: Rows) -> dict[str, Any]:
    """Return the measures, their scale, and the value of every query in every space."""
    names = [name for name in measures_of(source.comparison) if _is_per_query(source, name)]
    known = [
        np.asarray(space.per_query[name], np.float64)
        for (space, _), name in product(source.spaces, names)
        if name in space.per_query
    ]
    low = min(0.0, *(float(values.min(initial=0)) for values in known), 0.0)
    high = max(1.0, *(float(values.max(initial=1)) for values in known), 1.0)
    return {
        "measures": names,
        "scale": [low, high],
        "values": [
            [
                shares(np.asarray(space.per_query[name])[asked], low, high) if name in space.per_query else None
                for name in names
            ]
            for space, _ in source.spaces
        ],
    }


def _is_per_query(source: _Source, name: str) -> bool:
    return sum(name in space.per_query for space, _ in source.spaces) > 1


def _items(query_set: QuerySet, used: Rows, names: list[str], detail: Detail) -> dict[str, Any]:
    shown = [query_set.shown[row] for row in used.tolist()]
    position_of = {name: at for at, name in enumerate(names)}
    labels = [position_of.get(query_set.labels[row] or "", -1) for row in used.tolist()]
    return {
        "ids": [item.id for item in shown],
        "titles": _titles(shown, detail.letters),
        "label": whole_numbers(labels, len(names)) if names else None,
        "sprite": sprite(shown, detail.picture),
    }


def _titles(shown: list[Shown], letters: int) -> list[str] | None:
    """Return the titles of items; None where no item has one besides its id."""
    titles = [item.title if item.title and item.title != item.id else "" for item in shown]
    if not letters or not any(titles):
        return None
    return [cut_at_word(" ".join(title.split()), letters) for title in titles]


def _queries(query_set: QuerySet, asked: Rows, items: Rows, detail: Detail) -> dict[str, Any]:
    """Return the queries: numbers of items, or ids and titles of those that are no items."""
    if (items >= 0).all():
        return {"item": whole_numbers(items, int(items.max(initial=0)) + 1), "ids": None, "titles": None}
    from retrieval.search.result import show

    shown = [show(query_set.queries[at]) for at in asked.tolist()]
    return {
        "item": whole_numbers(items, int(items.max(initial=0)) + 1),
        "ids": [query.id for query in shown],
        "titles": _titles(shown, 2 * detail.letters),
    }


def _map(maps: list[NDArray[np.float64] | None], mapped: Rows, items: Rows, limit: int) -> dict[str, Any]:
    return {
        "method": "two principal components",
        "items": whole_numbers(items, limit),
        "points": [None if points is None else _scaled(points[mapped]) for points in maps],
    }


def _scaled(points: NDArray[np.float64]) -> str:
    """Return a map in a square: both axes have one scale, and the outermost hundredth of the dots is at the edge."""
    low, high = np.percentile(points, (0.5, 99.5), axis=0)
    reach = max(float((high - low).max()), 1e-12) / 2
    return shares((points - (low + high) / 2) / reach, -1.04, 1.04)
