"""The fused answers of several spaces, as plain lines of a terminal and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from encoders.numbers import counted
from retrieval.collection.filters import Filter
from retrieval.report.spec_wrapping import wrapped
from retrieval.report.terminal.listing import (
    WIDTH,
    answers_table,
    hit_json,
    query_json,
    query_lines,
    space_json,
    why_nothing,
)
from retrieval.search.fusion import CONSTANT
from retrieval.search.hybrid import RRF, FusedAnswers
from retrieval.search.query import Query
from retrieval.search.searcher import SpaceAnswers


def fused_lines(query: Query, fused: FusedAnswers, filters: Sequence[Filter] = (), verbose: bool = False) -> list[str]:
    """Return the spaces, numbered, and the answers with their rank in each; `verbose` adds the options of spaces."""
    spaces = [
        line
        for number, space in enumerate(fused.spaces, 1)
        for line in _space_lines(number, space, verbose, fused.weights.get(space.spec))
    ]
    method = "convex combination" if fused.weights else RRF
    how = f"{method} of {counted(len(fused.spaces), 'space')}, the {fused.depth:,} best of each"
    table = _ranks_table(fused) if fused.answers else [f"no answer: {why_nothing(filters)}"]
    return [
        *query_lines(query, filters),
        "",
        f"{how}   {fused.milliseconds:.1f} ms",
        *(f"  {line}" for line in [*spaces, *table]),
    ]


def _space_lines(number: int, space: SpaceAnswers, verbose: bool, weight: float | None) -> list[str]:
    """Return a space with the number that heads its column, because its spec is too long for a heading."""
    lines = wrapped(space.spec, WIDTH - 6)
    lines += wrapped(space.options, WIDTH - 6) if verbose else []
    lines += [f"weight {weight:.2f}"] if weight is not None else []
    lines += [f"no answer: {space.note}"] if space.note else []
    return [f"{f'#{number}' if not row else '':<4}{line}" for row, line in enumerate(lines)]


def _ranks_table(fused: FusedAnswers) -> list[str]:
    cells = [
        [f"{answer.score:.5f}", *("-" if rank is None else rank for rank in ranks)]
        for answer, ranks in zip(fused.answers, fused.ranks, strict=True)
    ]
    return answers_table(
        fused.answers,
        ["convex" if fused.weights else RRF, *(f"#{number}" for number in range(1, 1 + len(fused.spaces)))],
        cells,
    )


def fused_json(query: Query, fused: FusedAnswers, filters: Sequence[Filter] = ()) -> dict[str, Any]:
    """Return the same as JSON values; `ranks` are in the order of the spaces."""
    return {
        **query_json(query, filters),
        "spaces": [space_json(space) for space in fused.spaces],
        "fusion": {
            **(
                {"method": "convex", "weights": fused.weights}
                if fused.weights
                else {"method": RRF, "constant": CONSTANT}
            ),
            "depth": fused.depth,
            "milliseconds": fused.milliseconds,
        },
        "hits": [
            {**_without_distance(hit_json(answer)), "ranks": ranks}
            for answer, ranks in zip(fused.answers, fused.ranks, strict=True)
        ],
    }


def _without_distance(hit: dict[str, Any]) -> dict[str, Any]:
    """Leave the distance out: a fused score is no distance."""
    return {key: value for key, value in hit.items() if key != "distance"}
