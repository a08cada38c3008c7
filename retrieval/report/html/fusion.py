"""What the section of fusions shows on the page of a comparison."""

from __future__ import annotations

from typing import Any

from retrieval.experiment.result import Comparison
from retrieval.report.fusion import COLUMNS, LEGEND, fusion_answer, fusion_rows, signed_interval
from retrieval.report.signed import interval_ends, signed


def fusion_data(comparison: Comparison) -> dict[str, Any] | None:
    """Return the fusions of every pair of spaces and of all; None when none was asked for."""
    fusion = comparison.fusion
    if fusion is None:
        return None
    rows = []
    for combination, (name, cells) in zip(fusion.combinations, fusion_rows(fusion), strict=True):
        low, high = signed_interval(combination)
        gain = signed(combination.convex - combination.single)
        interval = f"{gain} ({interval_ends(low, high)})" if abs(low) <= 1 else gain
        rows.append({"spaces": name, "cells": cells, "gain": interval})
    return {
        "answer": fusion_answer(fusion),
        "measure": fusion.measure,
        "queries": f"{fusion.n_queries:,}",
        "depth": fusion.depth,
        "columns": COLUMNS,
        "rows": rows,
        "legend": LEGEND,
    }
