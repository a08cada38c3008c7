"""Conversions as lines of a terminal and as JSON: every item, and all pairs of nuisances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.conversion import Conversions
from retrieval.applications.conversion_pairs import ConversionPairs
from retrieval.report.conversion_words import answer, pairs_notes
from retrieval.report.terminal.listing import WIDTH, aligned
from retrieval.report.terminal.reconstructions import content_json, reconstructions_lines
from retrieval.search.result import cut_at_word

CORNER = "from \\ to"
#: Letters of the name of a nuisance.
NAME = 20


def conversions_lines(conversions: Conversions) -> list[str]:
    """Return the results of every item and, if they were measured, of all pairs of nuisances."""
    lines = reconstructions_lines(conversions.table)
    if conversions.pairs is None:
        return lines
    lines = [*lines, "", f"{answer(conversions)}."]
    for heard, matrix in conversions.pairs.matrices.items():
        lines += ["", f"share in which {heard} is heard", *_matrix_lines(conversions.pairs, matrix)]
    return [*lines, "", *pairs_notes(conversions.pairs)]


def conversions_json(conversions: Conversions, out: Path | None = None) -> dict[str, Any]:
    """Return every conversion with its results, and all pairs; the pixels of a picture are not printed.

    Of contents that were written to a file, the name of the file is given.
    """
    before, after = conversions.table.rows
    return {
        "space": conversions.spec,
        "field": conversions.field,
        "conversions": [
            {
                "item": conversion.item.id,
                "label": conversion.item.label,
                "from": conversion.own,
                "to": conversion.wanted,
                f"heard_{conversions.field}": conversion.heard_nuisance,
                **({} if conversions.field == "label" else {"heard_label": conversion.heard_label}),
                "before": {name.replace(" ", "_"): values[at] for name, values in before.results.items()},
                "after": {name.replace(" ", "_"): values[at] for name, values in after.results.items()},
                **content_json(after, at, out),
            }
            for at, conversion in enumerate(conversions.items)
        ],
        "pairs": None if conversions.pairs is None else conversions.pairs.to_json(),
    }


def _matrix_lines(pairs: ConversionPairs, matrix: NDArray[np.float64]) -> list[str]:
    """Return a table; its columns are numbered where the names do not fit beside one another."""
    names = [cut_at_word(name, NAME) for name in pairs.values]
    heads = names
    if max(len(CORNER), *map(len, names)) + sum(2 + max(4, len(name)) for name in names) > WIDTH:
        heads = [str(number) for number in range(1, 1 + len(names))]
        names = [f"{number} {name}" for number, name in zip(heads, names, strict=True)]
    rows = [[name, *(f"{share:.2f}" for share in row)] for name, row in zip(names, matrix, strict=True)]
    return aligned([CORNER, *heads], rows, right=range(1, 1 + len(heads)))
