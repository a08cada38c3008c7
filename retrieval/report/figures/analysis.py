"""The drawn figures of an analysis, each with a file name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from retrieval.analysis.cluster_count import CountStudy
from retrieval.analysis.dendrogram import medoid
from retrieval.analysis.study import Analysis, SpaceStudy
from retrieval.report.figures.pictures import data_uri
from retrieval.report.figures.plots import Branch, Series, lines_svg, map_svg, tree_svg
from retrieval.report.html.markup import Markup


def count_figures(counts: CountStudy) -> Iterator[tuple[str, str, Markup]]:
    """Yield criterion, file name and curve, the recommended number marked."""
    for name, values in counts.curves.items():
        best = counts.recommended[name]
        file = f"clusters-{name.lower().replace(' ', '-')}"
        title = f"{name} recommends {best} clusters"
        drawn = lines_svg(file, title, counts.counts, [Series(name, values)], "clusters", name, best, narrow=True)
        yield name, file, drawn


def dendrogram(analysis: Analysis) -> Markup:
    """Return the tree, leaves named by the item nearest to their mean, with its picture."""
    folded = analysis.tree
    assert folded is not None  # noqa: S101
    medoids = [medoid(analysis.latent, members) for members in folded.members]
    names, pictures = [], []
    for row, members in zip(medoids, folded.members, strict=True):
        shown = analysis.shown[row]
        label = f" [{shown.label}]" if shown.label else ""
        title = "" if shown.picture is not None else (shown.title or shown.id)
        count = f" and {len(members) - 1} more" if len(members) > 1 else ""
        names.append(f"{title}{label}{count}".strip() or shown.id)
        pictures.append(None if shown.picture is None else data_uri(shown.picture, 48))
    branches = [Branch(*merge) for merge in folded.merges]
    title = f"{len(set(folded.clusters))} clusters below the cut at height {folded.cut:.3g}"
    return tree_svg("dendrogram", title, branches, names, folded.clusters, folded.cut, pictures)


def dimension_figure(analysis: Analysis) -> Markup:
    """Return the error of every method against the width of the code."""
    best = min(analysis.lost, key=lambda name: float(np.nan_to_num(analysis.lost[name], nan=np.inf)[-1]))
    title = f"At {analysis.widths[-1]} numbers {best} loses least: {analysis.lost[best][-1]:.1%} of the variance"
    series = [Series(name, values) for name, values in analysis.lost.items()]
    return lines_svg("dimension", title, analysis.widths, series, "numbers in the code", "variance lost (share)")


def map_figures(
    space: SpaceStudy, place: int, classes: NDArray[np.int64], anchors: dict[int, str]
) -> Iterator[tuple[str, str, Markup]]:
    """Yield method, file name and map."""
    for method, points in space.maps.items():
        file = f"map-{place}-{method.split(',')[0].lower()}"
        yield method, file, map_svg(file, f"{space.spec} by {method}", points, classes, anchors)
