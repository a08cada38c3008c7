"""An analysis as plain lines of a terminal, and as JSON."""

from __future__ import annotations

from typing import Any

from retrieval.analysis.study import Analysis
from retrieval.report.listing import aligned

MEASURES = ("NMI", "ARI", "purity", "accuracy")


def analysis_lines(found: Analysis) -> list[str]:
    """Return the tables of an analysis; pictures are on its page."""
    lines: list[str] = []
    if found.counts is not None:
        best, reason = found.counts.answer
        lines += [f"{best} clusters in {found.tree_space}: {reason}"]
        rows = [[name, str(count)] for name, count in found.counts.recommended.items()]
        lines += ["", *aligned(["criterion", "clusters"], rows, right=[1])]
    rows = [
        [space.spec, method, *(f"{values[measure]:.3f}" for measure in MEASURES)]
        for space in found.spaces
        for method, values in space.quality.items()
    ]
    if rows:
        lines += ["", *aligned(["space", "clusters by", *MEASURES], rows, right=[2, 3, 4, 5])]
    if found.lost:
        rows = [[name, *(f"{100 * value:.1f}" for value in values)] for name, values in found.lost.items()]
        head = ["variance lost, %", *(f"{width}" for width in found.widths)]
        lines += ["", *aligned(head, rows, right=range(1, len(head)))]
    if found.local is not None and found.local.precision:
        told = ", ".join(f"{name} {value:.3f}" for name, value in found.local.precision.items())
        lines += ["", f"P@10 of {found.local_space} as {found.local.k} clusters and as a code: {told}"]
    return [*lines, *(f"note: {note}" for note in found.notes)]


def analysis_json(found: Analysis) -> dict[str, Any]:
    """Return the same as JSON values."""
    counts = found.counts
    return {
        "corpus": found.corpus,
        "items": len(found.shown),
        "clusters": None
        if counts is None
        else {
            "recommended": counts.answer[0],
            "reason": counts.answer[1],
            "criteria": counts.recommended,
            "tried": counts.counts,
            "curves": counts.curves,
        },
        "variance_lost": {"widths": found.widths, **found.lost},
        "spaces": [{"spec": space.spec, "dim": space.dim, "quality": space.quality} for space in found.spaces],
        "local": None if found.local is None else {"clusters": found.local.k, "P@10": found.local.precision},
        "notes": found.notes,
    }
