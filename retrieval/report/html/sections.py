"""The parts of the page beside the examples: table of spaces, figures, overlap, and how it was measured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.figures.quality import precision_recall_svg, quality_cost_svg
from retrieval.report.html.examples import swatch
from retrieval.report.html.markup import Markup, element, join
from retrieval.report.json import plain
from retrieval.report.rows import Cell, Column, comparison_rows, measures_of, overlap_cells
from retrieval.report.specs import breakable
from retrieval.report.verdict import cost_title, curves_title, listed, notes, overlap_sentence

_JUDGED = {
    "labels": "An answer is relevant when it has the query's label; a query is not among its own answers.",
    "qrels": "An answer is relevant when the corpus's own relevance judgements (qrels) say so.",
}


def table_section(comparison: Comparison) -> Markup:
    """Write the table of spaces."""
    columns, rows = comparison_rows(comparison)
    starts = {place for place, (before, column) in enumerate(pairwise(columns), 1) if before.about != column.about}
    head = element("tr", *(_head(column, place in starts) for place, column in enumerate(columns)))
    body = (
        element(
            "tr",
            _space(space, place),
            *(_cell(cell, column in starts) for column, cell in enumerate(row[1:], 1)),
        )
        for place, (space, row) in enumerate(zip(comparison.spaces, rows, strict=True))
    )
    legend = "★ best of its column"
    if any(cell.tied for row in rows for cell in row):
        legend += " · ≈ tied with the best: the difference is within chance (paired randomisation test, p ≥ .05)"
    return element(
        "div",
        _scroll(
            element("table", element("thead", head), element("tbody", *body)),
            "Measures and costs of every space",
        ),
        element("p", legend, class_="note"),
        *(element("p", note, class_="note") for note in notes(comparison)),
        class_="spaces",
    )


def figures_section(comparison: Comparison, key: str) -> Markup | None:
    """Write the precision-recall curves and, beside them, quality against cost."""
    if not comparison.spaces:
        return None
    cost = quality_cost_svg(comparison, f"{key}-cost")
    curves = precision_recall_svg(comparison, f"{key}-pr")
    without = [space.label for space in comparison.spaces if space.precision_recall is None]
    return element(
        "section",
        element("h3", "Precision, recall and cost", id=f"{key}-curves"),
        element(
            "div",
            None if curves is None else _figure(curves_title(comparison), curves),
            None if cost is None else _figure(cost_title(comparison), cost),
            class_="figures",
        ),
        element("p", f"No curve of {listed(without)}: the index does not put all items in order.", class_="note")
        if without
        else None,
        aria_labelledby=f"{key}-curves",
    )


def overlap_section(comparison: Comparison, key: str) -> Markup | None:
    """Write how far the spaces agree on the neighbours of the same queries."""
    if not comparison.overlaps:
        return None
    k = comparison.overlaps[0].k
    head = (element("th", f"{number}", scope="col") for number in range(1, len(comparison.spaces) + 1))
    rows = (
        element(
            "tr",
            element("th", swatch(place), f"{place + 1} ", element("code", breakable(space.label)), scope="row"),
            *(_shaded(cell) for cell in cells),
        )
        for place, (space, cells) in enumerate(zip(comparison.spaces, overlap_cells(comparison), strict=True))
    )
    table = element(
        "table",
        element("thead", element("tr", element("th", "space", scope="col"), *head)),
        element("tbody", *rows),
    )
    return element(
        "section",
        element("h3", "Do the spaces find the same neighbours?", id=f"{key}-overlap"),
        element("p", f"{overlap_sentence(comparison)}."),
        element("div", _scroll(table, "Overlap of the neighbours"), class_="overlap"),
        element(
            "p",
            f"Above the diagonal Jaccard@{k}: of all that either puts among its first {k}, the share that both do. "
            f"Below it rank-biased overlap (RBO, extrapolated from the first {k}), which counts the first places more. "
            "1 is the same neighbours, 0 none in common; means over the queries.",
            class_="note",
        ),
        aria_labelledby=f"{key}-overlap",
    )


def method_section(comparison: Comparison, key: str) -> Markup:
    """Write where every number comes from."""
    indexes: dict[tuple[str, str], list[str]] = {}
    for space in comparison.spaces:
        indexes.setdefault((space.spec, space.options), []).append(space.index)
    spaces = (
        (spec, join(element("code", options), f"searched by {listed(names)}"))
        for (spec, options), names in indexes.items()
    )
    judged = _JUDGED.get(comparison.judged_by, f"Judged by {comparison.judged_by}.")
    return element(
        "section",
        element("h3", "How it was measured", id=f"{key}-method"),
        element(
            "p",
            f"{comparison.n_queries:,} queries against {comparison.n_items:,} items of {comparison.corpus}. "
            f"{judged} Measures are means over the queries; equal scores count as in random order."
            f"{_cut_precision(comparison)} Codes are the bytes of the codes alone; on disk is the saved index: codes, "
            "graph or lists, and ids. Fit is the time of training; query is the time of one query, encoded and "
            "searched for 10 answers (median).",
        ),
        method_list(comparison.provenance),
        element("h4", "Every option of every space"),
        element("dl", *(join(element("dt", breakable(spec)), element("dd", told)) for spec, told in spaces)),
        aria_labelledby=f"{key}-method",
    )


def _cut_precision(comparison: Comparison) -> str:
    """The definition of AP@k when labels decide what is relevant: trec_eval's divisor has no bound."""
    cut = [name for name in measures_of(comparison) if name.startswith("AP@")]
    if comparison.judged_by != "labels" or not cut:
        return ""
    k = cut[0].removeprefix("AP@")
    return (
        f" {cut[0]} is the sum of the precisions at the relevant answers among the first {k}, divided by the number of "
        f"relevant items or by {k}, whichever is smaller."
    )


def method_list(made: Mapping[str, Any]) -> Markup:
    """Write what makes figures traceable: command, versions, machine."""
    return element("dl", *(_entry(str(name), value) for name, value in made.items()))


def _scroll(content: Markup, label: str) -> Markup:
    return element("div", content, class_="scroll", tabindex=0, role="region", aria_label=label)


def _head(column: Column, start: bool) -> Markup:
    unit = element("small", column.unit) if column.unit else None
    slot = None if column.about == "space" else element("span", class_="mark")
    if unit is not None:
        unit = element("small", column.unit, element("span", class_="mark"))
    return element("th", column.name, slot, unit, scope="col", class_="group" if start else None)


def _space(space: SpaceResult, place: int) -> Markup:
    geometry = f"{space.kind}, {'inner product' if space.metric == 'dot' else space.metric}"
    index = "" if space.several_indexes else f", {space.index}"  # several stand in the labels
    return element(
        "th", swatch(place), element("code", breakable(space.label)), element("small", geometry + index), scope="row"
    )


def _cell(cell: Cell, start: bool) -> Markup:
    sign, said = ("★", " best") if cell.best else ("≈", " tied with the best") if cell.tied else ("", "")
    mark = element("span", sign, class_="mark", aria_hidden="true")
    hidden = element("span", said, class_="hidden") if said else None
    names = [name for name, holds in (("best", cell.best), ("group", start)) if holds]
    return element("td", cell.text, mark, hidden, class_=" ".join(names) or None)


def _figure(caption: str, drawing: Markup) -> Markup:
    return element("figure", element("figcaption", caption), _scroll(drawing, caption))


def _shaded(cell: Cell) -> Markup:
    if cell.value is None:
        return element("td", cell.text)
    return element("td", cell.text, style=f"background:rgba(var(--shade),{0.45 * cell.value:.2f})")


def _entry(name: str, value: Any) -> Markup:
    value = plain(value)
    code = bool(re.search(r"command|digest|commit", name)) and isinstance(value, str)
    return join(
        element("dt", name.replace("_", " ")),
        element("dd", element("code", value) if code else _value(value)),
    )


def _value(value: Any) -> Markup:
    if isinstance(value, Mapping):
        return element("dl", *(_entry(str(name), part) for name, part in value.items())) if value else join("none")
    if isinstance(value, list):
        return element("div", *(element("div", _value(part)) for part in value)) if value else join("none")
    if value is None or value is True or value is False:
        return join({None: "–", True: "yes", False: "no"}[value])
    return join(str(value))
