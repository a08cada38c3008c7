"""The fusions of a comparison, as plain lines of a terminal."""

from __future__ import annotations

from textwrap import wrap

from retrieval.experiment.fusion import Fusion
from retrieval.report.fusion import COLUMNS, LEGEND, fusion_answer, fusion_rows
from retrieval.report.terminal.listing import WIDTH, aligned


def fusion_lines(fusion: Fusion) -> list[str]:
    """Return the answer, the spaces by number, and one row for each pair of spaces and for all of them."""
    number = {space: at for at, space in enumerate(fusion.whole.spaces, 1)}
    names = [" + ".join(str(number[space]) for space in combination.spaces) for combination in fusion.combinations]
    rows = [[name, *cells] for name, (_, cells) in zip(names, fusion_rows(fusion), strict=True)]
    numbers = range(1, len(COLUMNS))
    return [
        *wrap(fusion_answer(fusion), WIDTH),
        "",
        *aligned(["", "space", fusion.measure], _alone(fusion), right=[2], specs=[1]),
        "",
        *aligned([f"fused, {fusion.measure}", *COLUMNS], rows, right=list(numbers)),
        *wrap(f"{LEGEND} Queries measured: {fusion.n_queries:,}.", WIDTH),
    ]


def _alone(fusion: Fusion) -> list[list[str]]:
    return [[str(at), space, f"{value:.3f}"] for at, (space, value) in enumerate(fusion.whole.alone.items(), 1)]
