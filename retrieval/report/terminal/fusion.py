"""The fusions of a comparison, as plain lines of a terminal."""

from __future__ import annotations

from textwrap import wrap

from retrieval.experiment.fusion import Fusion
from retrieval.report.fusion import COLUMNS, LEGEND, fusion_answer, fusion_rows
from retrieval.report.terminal.listing import WIDTH, aligned


def fusion_lines(fusion: Fusion) -> list[str]:
    """Return the answer, and one row for each pair of spaces and for all of them."""
    rows = [[name, *cells] for name, cells in fusion_rows(fusion)]
    numbers = range(1, len(COLUMNS))
    return [
        *wrap(fusion_answer(fusion), WIDTH),
        "",
        *aligned([f"fused, {fusion.measure}", *COLUMNS], rows, right=list(numbers), specs=[0]),
        *wrap(f"{LEGEND} Queries measured: {fusion.n_queries:,}.", WIDTH),
    ]
