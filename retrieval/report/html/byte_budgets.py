"""The section of a page on equal bytes."""

from __future__ import annotations

from typing import Any

from retrieval.experiment.byte_budgets.result import ByteBudgets, BytePoint
from retrieval.experiment.result import Comparison
from retrieval.report.byte_budget_cells import NO_CODE, best_by_budget, mark_in_row, mark_of, sentences, short
from retrieval.report.figures.byte_budgets import byte_budgets_svg


def bytes_data(comparison: Comparison, key: str) -> dict[str, Any] | None:
    """Return the sentences, the figure and the tables of the budgets; None without budgets."""
    byte_budgets = comparison.byte_budgets
    if byte_budgets is None:
        return None
    first, *others = sentences(byte_budgets)
    specs = list(dict.fromkeys(space.spec for space in comparison.spaces))
    positions = {spec: position for position, spec in enumerate(specs)}
    tables: list[dict[str, Any]] = []
    for base in byte_budgets.bases:
        methods, rows = best_by_budget(byte_budgets, base)
        cells = [
            {"budget": f"{budget:,}", "cells": [_cell(point, row, byte_budgets) for point in row]}
            for budget, row in zip(byte_budgets.budgets, rows, strict=True)
            if any(row)
        ]
        if cells:
            tables.append({"name": short(base), "position": positions.get(base, 0), "methods": methods, "rows": cells})
    return {
        "answer": first,
        "others": others,
        "measure": byte_budgets.measure,
        "figure": byte_budgets_svg(byte_budgets, f"{key}-bytes-figure", first, positions),
        "frontier": [
            {
                "spec": short(point.spec),
                "position": positions.get(point.base, 0),
                "bytes": f"{point.bytes_per_item:,}",
                "value": f"{point.value:.3f}",
                "interval": f"{point.interval.low:.3f} to {point.interval.high:.3f}",
                "mark": mark_of(point, byte_budgets),
            }
            for point in byte_budgets.frontier
        ],
        "tables": tables,
        "no_code": NO_CODE
        if any(cell["text"] == "–" for table in tables for row in table["rows"] for cell in row["cells"])
        else "",
        "notes": byte_budgets.notes,
    }


def _cell(point: BytePoint | None, row: list[BytePoint | None], byte_budgets: ByteBudgets) -> dict[str, str]:
    if point is None:
        return {"text": "–", "mark": ""}
    return {"text": f"{point.value:.3f}", "mark": mark_in_row(point, row, byte_budgets)}
