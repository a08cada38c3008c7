"""The maps of an analysis, linked to the items that they show, and local beside distributed representations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.analysis.maps import same_label_share
from retrieval.analysis.result import Analysis
from retrieval.report.figures.analysis import map_figures
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.pictures import data_uri
from retrieval.report.figures.plots import Link, legend_svg
from retrieval.report.figures.spectrogram import picture_shown
from retrieval.report.html.figure_files import FigureFiles
from retrieval.search.result import Shown, cut_at_word

#: Items whose pictures the maps link to, and items where titles stand instead of pictures.
LINKED, LINKED_TITLES = 48, 24
#: Classes named in the legend of the maps.
NAMED = 24
#: Letters of a title below a map.
_TITLE = 60


def maps_data(analysis: Analysis, figures: FigureFiles) -> dict[str, Any] | None:
    """Return the maps of every space, coloured by label, and the items that they link to; None without maps."""
    spaces = [(position, space) for position, space in enumerate(analysis.spaces) if space.maps]
    if not spaces:
        return None
    names, classes = classes_of(analysis)
    links = links_of(analysis)
    return {
        "note": "Large dots are the items listed below the maps. Choose a dot to go to its item; choose an item to "
        "ring it in every map.",
        "legend": legend(names),
        "more_classes": max(0, len(names) - NAMED),
        "spaces": [
            {
                "spec": space.spec,
                "maps": [
                    (_map_title(method, space.maps[method], analysis.labels), figures.drawing(file, drawing))
                    for method, file, drawing in map_figures(space, position, classes, links)
                ],
            }
            for position, space in spaces
        ],
        "titles": _has_titles(analysis),
        "cards": [{"anchor": link.anchor, **_item(analysis.shown[row])} for row, link in links.items()],
    }


def _map_title(method: str, points: NDArray[Any], labels: Sequence[str | None]) -> str:
    """Return what a map shows: how many of the nearest dots have the same label; the method alone without labels."""
    k = min(10, len(points) - 1)
    share = same_label_share(points, labels, k)
    return method if share is None else f"{method}: {share:.0%} of the {k} nearest dots have the same label"


def links_of(analysis: Analysis) -> dict[int, Link]:
    """Return the rows of the items that are listed below the maps, each with its id in the page; none without maps."""
    if not any(space.maps for space in analysis.spaces):
        return {}
    count = len(analysis.shown)
    limit = LINKED_TITLES if _has_titles(analysis) else LINKED
    rows = sorted({int(row) for row in np.linspace(0, count - 1, min(limit, count))})
    return {row: Link(f"item-{row}", _name(analysis.shown[row])) for row in rows}


def _name(shown: Shown) -> str:
    name = shown.title or f"item {shown.id}"
    return name if shown.label is None else f"{name}, label {shown.label}"


def legend(names: Sequence[str]) -> list[tuple[Markup, str]]:
    """Return the marks of the first classes with their names."""
    return [(legend_svg(group), name) for group, name in enumerate(names[:NAMED])]


def classes_of(analysis: Analysis) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the classes, the largest class first, and the class of every item; -1 for none."""
    labels = [label for label in analysis.labels if label is not None]
    names = sorted(set(labels), key=lambda name: (-labels.count(name), name)) if len(set(labels)) < len(labels) else []
    number = {name: position for position, name in enumerate(names)}
    groups = [-1 if label is None else number.get(label, -1) for label in analysis.labels]
    return names, np.array(groups, dtype=np.int64)


def local_data(analysis: Analysis, figures: FigureFiles) -> dict[str, Any] | None:
    """Return what the same items retrieve as cluster numbers and as codes; None if that was not asked."""
    local = analysis.local
    if local is None:
        return None
    precision = "; ".join(f"{name}: P@10 {value:.3f}" for name, value in local.precision.items())
    measured = f" {precision} (among the {len(analysis.shown):,} sampled items)." if precision else ""
    return {
        "note": f"Distributed: the code of {analysis.local_space}. Local: the number of one of {local.k} k-means "
        f"clusters; all items of a cluster are equally near, so their order is random.{measured}",
        "titles": _has_titles(analysis),
        "queries": [
            {
                "shown": _item(analysis.shown[query]),
                "rows": [
                    _answers(analysis, f"cluster {local.clusters[query] + 1}", query, local.local[number]),
                    _answers(analysis, "code", query, local.distributed[number]),
                ],
            }
            for number, query in enumerate(local.queries)
        ],
    }


def _answers(analysis: Analysis, name: str, query: int, rows: NDArray[Any]) -> dict[str, Any]:
    label = analysis.labels[query]
    return {
        "name": name,
        "answers": [
            {
                "shown": _item(analysis.shown[row]),
                "relevant": None if label is None else analysis.labels[row] == label,
            }
            for row in rows.tolist()
            if row >= 0
        ],
    }


def _has_titles(analysis: Analysis) -> bool:
    """Return whether the items are texts with titles, which need more room than a picture or an id."""
    return any(shown.picture is None and shown.title not in (None, shown.id) for shown in analysis.shown[:1])


def _item(shown: Shown) -> dict[str, Any]:
    """Return an item: a picture with its label, or its title."""
    picture = picture_shown(shown)
    if picture is None:
        return {"src": None, "alt": "", "caption": cut_at_word(shown.title or shown.id, _TITLE)}
    return thumb(picture, f"item {shown.id}", shown.label or "")


def thumb(picture: NDArray[np.uint8] | None, alt: str, caption: str) -> dict[str, Any]:
    """Return a small picture for a template: address, text alternative, caption."""
    assert picture is not None  # noqa: S101  the callers look first
    return {"src": data_uri(picture, 64), "alt": alt, "caption": caption}
