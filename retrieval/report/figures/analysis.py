"""The drawn figures of an analysis, each with a file name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from retrieval.analysis.cluster_count import CountStudy
from retrieval.analysis.dendrogram import medoid
from retrieval.analysis.result import Analysis, SpaceStudy
from retrieval.report.figures.drawing import fitted, isolated
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.pictures import data_uri
from retrieval.report.figures.plots import Link, Series, lines_svg, map_svg
from retrieval.report.figures.spectrogram import picture_shown
from retrieval.report.figures.tree import Branch, Leaf, tree_svg
from retrieval.report.findings import dimension_title

#: The longest side of a leaf's picture in pixels: twice the side at which it is drawn.
_LEAF_PIXELS = 48
#: The largest width of a label after a title.
_LABEL = 90.0


def count_figures(counts: CountStudy) -> Iterator[tuple[str, str, Markup]]:
    """Yield criterion, file name and curve, with the recommended number marked."""
    for name, values in counts.curves.items():
        best = counts.recommended[name]
        file = f"clusters-{name.lower().replace(' ', '-')}"
        title = f"{name} recommends {best} clusters"
        series = [Series(name, values)]
        yield name, file, lines_svg(file, title, counts.counts, series, "number of clusters", name, best, narrow=True)


def dendrogram(analysis: Analysis) -> Markup:
    """Return the cluster tree; a leaf shows the item nearest to its mean."""
    tree = analysis.tree
    assert tree is not None  # noqa: S101
    leaves = []
    for members, cluster in zip(tree.members, tree.clusters, strict=True):
        shown = analysis.shown[medoid(analysis.latent, members)]
        drawn = picture_shown(shown)
        picture = None if drawn is None else data_uri(drawn, _LEAF_PIXELS)
        more = f"+ {len(members) - 1:,} more" if len(members) > 1 else ""
        if picture is None:
            label = f"[{isolated(fitted(shown.label, _LABEL))}]" if shown.label else ""
            leaves.append(Leaf(shown.title or shown.id, " ".join(filter(None, [label, more])), cluster))
        else:
            leaves.append(Leaf(shown.label or shown.title or shown.id, more, cluster, picture))
    branches = [Branch(*merge) for merge in tree.merges]
    title = f"{len(set(tree.clusters))} clusters below the cut at height {tree.cut:.3g}"
    return tree_svg("dendrogram", title, branches, leaves, tree.cut)


def dimension_figure(analysis: Analysis) -> Markup:
    """Return the reconstruction error of every method against the width of the code."""
    series = [Series(name, values) for name, values in analysis.lost.items()]
    return lines_svg("dimension", dimension_title(analysis), analysis.widths, series, "numbers in the code (log)",
                     "share of variance lost", logarithmic=True)  # fmt: skip


def map_figures(
    space: SpaceStudy, position: int, classes: NDArray[np.int64], links: dict[int, Link]
) -> Iterator[tuple[str, str, Markup]]:
    """Yield method, file name and map."""
    for method, points in space.maps.items():
        file = f"map-{position}-{method.split(',')[0].lower()}"
        yield method, file, map_svg(file, f"{space.spec} mapped by {method}", points, classes, links)
