"""The measures of a run, from their table."""

from __future__ import annotations

from docstrings import read
from regions import table

from retrieval.evaluation.measures import MEASURES, OTHER_NAMES


def write_measures() -> str:
    """Return one table of all measures."""
    rows = []
    for name, (function, needs_cutoff) in MEASURES.items():
        written = f"`{name}@10`" if needs_cutoff else f"`{name}`, `{name}@10`"
        others = ", ".join(sorted(other for other, known in OTHER_NAMES.items() if known == name))
        meaning = read(function).summary.removeprefix("Return ")
        rows.append([written, meaning[0].upper() + meaning[1:], others])
    return table(["measure", "value for one query", "also called"], rows)
