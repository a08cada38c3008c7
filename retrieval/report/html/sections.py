"""What the sections of a comparison show: table of spaces, figures, overlap, training, method."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from encoders.listed import listed
from encoders.numbers import counted
from retrieval.evaluation.difference import Verdict
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.comparison_columns import GROUP, Cell, comparison_rows, measures_of, overlap_cells, unmarked_text
from retrieval.report.figure_titles import cost_title, curves_title, overlap_sentence
from retrieval.report.figures.precision_recall import precision_recall_svg, quality_cost_svg
from retrieval.report.figures.training_loss import best_epoch, loss_svg
from retrieval.report.html.provenance import provenance_data
from retrieval.report.notes import notes
from retrieval.report.signed import interval_ends, signed
from retrieval.spaces.training_history import Phase

_JUDGED = {
    "labels": "An answer is relevant when it has the label of the query; a query is never among its own answers.",
    "qrels": "An answer is relevant when the relevance judgements (qrels) of the corpus say so.",
    "known-item": "Each query is made from an item, which is its only relevant answer.",
    "agreement": "Nothing says what is relevant. Agreement: the mean rank-biased overlap (RBO) with the other spaces.",
}
_VERDICTS = {
    Verdict.BETTER: "is better than",
    Verdict.WORSE: "is worse than",
    Verdict.EQUIVALENT: "is equivalent to",
    Verdict.CANNOT_TELL: "does not differ significantly from",
}
_TIED = "≈ no significant difference from the best (all pairs tested together, error 5%)"
_GROUP = "group: spaces with a common letter do not differ significantly on {}"


def table_data(comparison: Comparison) -> dict[str, Any]:
    """Return the table of spaces: columns, rows, legend, notes."""
    columns, rows = comparison_rows(comparison)
    starts = {column for column, (left, right) in enumerate(pairwise(columns), 1) if left.about != right.about}
    best, tied = (any(getattr(cell, mark) for row in rows for cell in row) for mark in ("best", "tied"))
    return {
        "columns": [
            {"name": column.name, "unit": column.unit, "starts_group": number in starts}
            for number, column in enumerate(columns)
        ],
        "rows": [
            {
                "space": space,
                "geometry": _geometry(space),
                "cells": [_cell(cell, number in starts) for number, cell in enumerate(row[1:], 1)],
            }
            for space, row in zip(comparison.spaces, rows, strict=True)
        ],
        "legend": " · ".join(
            [
                *(["★ best of its column"] if best else []),
                *([_TIED] if tied else []),
                *filter(None, [unmarked_text(comparison)]),
                *([_GROUP.format(columns[1].name)] if GROUP in columns else []),
            ]
        ),
        "notes": notes(comparison),
    }


def _geometry(space: SpaceResult) -> str:
    """Return kind and metric, and the index unless the label of the row contains it."""
    metric = "inner product" if space.metric == "dot" else space.metric
    return ", ".join([f"{space.kind} codes", metric, *([] if space.several_indexes else [f"{space.index} index"])])


def _cell(cell: Cell, starts_group: bool) -> dict[str, str]:
    sign, meaning = (
        ("★", "best") if cell.best else ("≈", "no significant difference from the best") if cell.tied else ("", "")
    )
    names = [name for name, holds in (("best", cell.best), ("group", starts_group)) if holds]
    return {"text": cell.text, "sign": sign, "meaning": meaning, "class": " ".join(names)}


def figures_data(comparison: Comparison, key: str) -> dict[str, Any] | None:
    """Return the precision-recall curves and quality against cost, each with its answer; None without spaces.

    Parameters
    ----------
    comparison : Comparison
    key : str
        Prefix of the ids; different for every comparison of a page.
    """
    if not comparison.spaces:
        return None
    drawn = [
        (curves_title(comparison), precision_recall_svg(comparison, f"{key}-pr")),
        (cost_title(comparison), quality_cost_svg(comparison, f"{key}-cost")),
    ]
    without = [space.label for space in comparison.spaces if space.precision_recall is None]
    ranked = without and comparison.judged_by in ("qrels", "labels")  # the other rungs have no curve
    note = f"No curve for {listed(without)}: the index does not rank all items." if ranked else ""
    return {"drawn": [(title, drawing) for title, drawing in drawn if drawing is not None], "note": note}


def differences_data(comparison: Comparison) -> dict[str, Any] | None:
    """Return the difference of every pair of spaces on the main measure; None with fewer than two spaces."""
    measure = next(iter(measures_of(comparison)), "")
    significance = comparison.significance.get(measure)
    if significance is None or not significance.differences:
        return None
    return {
        "measure": measure,
        "margin": f"{significance.margin:g}",
        "queries": f"{significance.n_queries:,}",
        "rows": [
            {
                "first": pair.first,
                "second": pair.second,
                "verdict": _VERDICTS[pair.verdict],
                "difference": signed(pair.difference),
                "interval": interval_ends(*pair.interval),
                "p_value": _p_value(pair.p_value),
                "effect_size": f"{pair.effect_size:+.2f}" if math.isfinite(pair.effect_size) else "–",
                "queries": f"{pair.wins:,} / {pair.ties:,} / {pair.losses:,}",
                "detectable": f"{pair.detectable:.3f}",
            }
            for pair in significance.differences
        ],
        "ranks": [
            {"label": label, "rank": f"{low}" if low == high else f"{low} to {high}"}
            for label, (low, high) in ((label, significance.ranks[label]) for label in significance.order)
        ],
    }


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def overlap_data(comparison: Comparison) -> dict[str, Any] | None:
    """Return how far the spaces agree on the neighbours of the same queries; None if that is not known."""
    if not comparison.overlaps:
        return None
    rows = zip(comparison.spaces, overlap_cells(comparison), strict=True)
    return {
        "k": comparison.overlaps[0].k,
        "answer": overlap_sentence(comparison),
        "rows": [{"label": space.label, "cells": cells} for space, cells in rows],
    }


def training_data(comparison: Comparison, key: str) -> list[dict[str, Any]]:
    """Return one figure for every phase of every space that was trained by gradient descent."""
    trained: dict[str, tuple[int, list[Phase]]] = {}  # a space in several indexes was trained once
    for position, space in enumerate(comparison.spaces):
        trained.setdefault(space.spec, (position, space.phases))
    return [
        {
            "answer": best_epoch(phase),
            "spec": spec,
            "facts": f"{phase.name}: {counted(len(phase.train_loss), 'epoch')} in {phase.seconds:,.1f} s",
            "drawing": loss_svg(phase, spec, position, f"{key}-loss-{position}-{number}"),
        }
        for spec, (position, phases) in trained.items()
        for number, phase in enumerate(phases)
    ]


def method_data(comparison: Comparison) -> dict[str, Any]:
    """Return where every number comes from."""
    indexes: dict[tuple[str, str], list[str]] = {}
    for space in comparison.spaces:
        indexes.setdefault((space.spec, space.options), []).append(space.index)
    return {
        "text": _method(comparison),
        "provenance": provenance_data(comparison.provenance),
        "spaces": [
            {"spec": spec, "options": options, "searched": f"searched by {listed(names)}"}
            for (spec, options), names in indexes.items()
        ],
    }


def _method(comparison: Comparison) -> str:
    judged = _JUDGED.get(comparison.judged_by, f"Relevance is judged by {comparison.judged_by}.")
    return (
        f"{comparison.n_queries:,} queries are searched in {comparison.n_items:,} items of {comparison.corpus}. "
        f"{judged} Measures are means over the queries; items with equal scores count as if in random order."
        f"{_cut_precision(comparison)} Codes: bytes of the codes alone. On disk: bytes of the saved index, which holds "
        "codes, graph or lists, and ids. Fit: training time. Query: median time to encode one query and find "
        "10 answers."
    )


def _cut_precision(comparison: Comparison) -> str:
    """Return the definition of AP@k where labels decide what is relevant: trec_eval's divisor has no bound."""
    cut = [name for name in measures_of(comparison) if name.startswith("AP@")]
    if comparison.judged_by != "labels" or not cut:
        return ""
    k = cut[0].removeprefix("AP@")
    return (
        f" {cut[0]} is the sum of the precisions at the relevant answers among the first {k}, divided by the number of "
        f"relevant items or by {k}, whichever is smaller."
    )
