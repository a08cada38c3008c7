"""The maps of an analysis, linked with the items they show; local beside distributed representations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.analysis.study import Analysis
from retrieval.report.figures.analysis import map_figures
from retrieval.report.figures.plots import legend_svg
from retrieval.report.html.analysis_sections import Figures, thumb
from retrieval.report.html.markup import Markup, element, join
from retrieval.report.specs import breakable

#: Items whose pictures are linked from the maps.
LINKED = 48
#: Classes named in the legend of the maps.
NAMED = 24


def maps_section(analysis: Analysis, figures: Figures) -> Markup | None:
    """Write the maps of every space side by side, coloured by label, and below them the items that they link to."""
    spaces = [space for space in analysis.spaces if space.maps]
    if not spaces:
        return None
    names, classes = classes_of(analysis)
    anchors = anchors_of(analysis)
    parts = []
    for place, space in enumerate(spaces):
        drawn = (
            element("figure", element("figcaption", method), figures.drawing(file, figure))
            for method, file, figure in map_figures(space, place, classes, anchors)
        )
        parts.append(element("div", element("h4", breakable(space.spec)), element("div", *drawn, class_="maps")))
    cards = [_card(analysis, row, anchor) for row, anchor in anchors.items()]
    note = "Large dots are the items below: a dot leads to its item, and an item chosen there is ringed in every map."
    return join(element("p", note, class_="note"), element("p", *legend(names), class_="legend"), *parts,
                element("ul", *cards, class_="linked"))  # fmt: skip


def anchors_of(analysis: Analysis) -> dict[int, str]:
    """Return the items that are shown below the maps, each with its id in the page; none without maps."""
    return {row: f"item-{row}" for row in _linked(analysis)} if any(space.maps for space in analysis.spaces) else {}


def legend(names: Sequence[str]) -> list[Markup]:
    """Return the marks of the first classes with their names."""
    told = [element("span", legend_svg(at), f" {name} ", class_="class") for at, name in enumerate(names[:NAMED])]
    return [*told, element("span", f"and {len(names) - NAMED} more")] if len(names) > NAMED else told


def _card(analysis: Analysis, row: int, anchor: str) -> Markup:
    shown = analysis.shown[row]
    picture = thumb(shown.picture, f"item {shown.id}") if shown.picture is not None else None
    words = (shown.label or "") if picture is not None else f"{shown.title or shown.id}"[:60]
    return element("li", element("a", picture, element("span", words, class_="told"), href=f"#{anchor}"), id=anchor)


def classes_of(analysis: Analysis) -> tuple[list[str], NDArray[np.int64]]:
    """Return the classes, those with most items first, and the place of every item's; -1 for none."""
    labels = [label for label in analysis.labels if label is not None]
    names = sorted(set(labels), key=lambda name: (-labels.count(name), name)) if len(set(labels)) < len(labels) else []
    at = {name: place for place, name in enumerate(names)}
    return names, np.array([-1 if label is None else at.get(label, -1) for label in analysis.labels], dtype=np.int64)


def _linked(analysis: Analysis) -> list[int]:
    count = len(analysis.shown)
    return sorted({int(row) for row in np.linspace(0, count - 1, min(LINKED, count))})


def map_style(analysis: Analysis) -> str:
    """Ring the dots of the item that was chosen: one rule an item, so that no script is needed."""
    rules = (
        f"body:has(#item-{row}:target) .p-item-{row} {{ stroke: currentColor; stroke-width: 3; }}"
        for row in anchors_of(analysis)
    )
    return "\n".join(rules)


def local_section(analysis: Analysis) -> Markup | None:
    """Write what the same items retrieve as numbers of clusters and as codes."""
    local = analysis.local
    if local is None:
        return None
    told = "; ".join(f"{name}: P@10 {value:.3f}" for name, value in local.precision.items())
    told += f" (among the {len(analysis.shown):,} items looked at)" if told else ""
    note = (
        f"{analysis.local_space} as a code (distributed), and as the number of one of {local.k} k-means clusters"
        f" (local): within a cluster all items are equally near, so that its order is the corpus's. {told}"
    )
    blocks = []
    for at, query in enumerate(local.queries):
        rows = [
            _answers(analysis, name, query, found[at])
            for name, found in ((f"cluster {local.clusters[query] + 1}", local.local), ("code", local.distributed))
        ]
        blocks.append(element("div", element("div", _shown(analysis, query), class_="query"), element("div", *rows),
                              class_="pictures example"))  # fmt: skip
    return join(element("p", note, class_="note"), *blocks)


def _answers(analysis: Analysis, name: str, query: int, rows: NDArray[Any]) -> Markup:
    label = analysis.labels[query]
    cells = []
    for row in rows.tolist():
        if row < 0:
            continue
        right = None if label is None else analysis.labels[row] == label
        sign = {True: "✓ ", False: "✗ ", None: ""}[right]
        cells.append(element("li", _shown(analysis, row, sign), class_={True: "yes", False: "no", None: None}[right]))
    return element("div", element("p", name, class_="name"), element("ul", *cells, class_="strip"), class_="row")


def _shown(analysis: Analysis, row: int, sign: str = "") -> Markup:
    shown = analysis.shown[row]
    if shown.picture is None:
        return element("span", f"{sign}{(shown.title or shown.id)[:60]}", class_="told")
    return join(thumb(shown.picture, f"item {shown.id}"), element("span", f"{sign}{shown.label or ''}", class_="told"))
