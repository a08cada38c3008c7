"""An analysis as one HTML file and a folder of figures; the page loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from encoders.codes import Modality
from encoders.numbers import counted
from retrieval.analysis.cluster_count import READING
from retrieval.analysis.components import Components, PartialSums
from retrieval.analysis.result import Analysis, SpaceStudy
from retrieval.output import writing
from retrieval.report.figures.analysis import count_figures, dendrogram, dimension_figure
from retrieval.report.figures.components import component_pictures, grid, picture_of, sum_pictures
from retrieval.report.figures.spectrogram import picture_shown
from retrieval.report.findings import AGREEMENT, answer, dimension_title, findings
from retrieval.report.html.figure_files import FigureFiles
from retrieval.report.html.maps import links_of, local_data, maps_data, thumb
from retrieval.report.html.posterior import posterior_data
from retrieval.report.html.provenance import provenance_data
from retrieval.report.html.template import render
from retrieval.report.terminal.analysis import DISCRIMINATOR_HEAD, discriminator_cells

#: Components shown of a space of pictures, and of a space of texts; those of a text space that are visible at once.
PICTURES, TOPICS, OPEN_TOPICS = 105, 100, 10
#: Pictures in a row of components, and the side to which they are enlarged by whole pixels.
_COLUMNS, _SIDE = 10, 64

Section = dict[str, Any] | None


def write_analysis(analysis: Analysis, folder: Path) -> Path:
    """Write ``analysis.html`` and ``figures/`` into a folder; return the path of the page.

    Raises
    ------
    ArtifactError
        When a file cannot be written.
    """
    figures = FigureFiles()
    content = _page(analysis, figures)
    figures.write(folder / "figures")
    with writing(folder / "analysis.html") as file:
        file.write(content.encode())
    return folder / "analysis.html"


def _page(analysis: Analysis, figures: FigureFiles) -> str:
    sections: tuple[tuple[str, str, Callable[[Analysis, FigureFiles], Section]], ...] = (
        ("count", "How many clusters?", _count),
        ("quality", "Which clusters agree with the labels?", _quality),
        ("tree", "Cluster tree", _tree),
        ("components", "Components", _components),
        ("sums", "Items as sums of components", _sums),
        ("dimension", "Reconstruction error by width of the code", _dimension),
        ("maps", "Maps", maps_data),
        ("posterior", "Aggregate posteriors compared with the prior", posterior_data),
        ("local", "Local and distributed representations", local_data),
        ("discriminator", "Which codes identify their items?", _discriminator),
        ("method", "How this page was made", _method),
    )
    data = [{"key": key, "name": name, "data": read(analysis, figures)} for key, name, read in sections]
    return render(
        "analysis.html",
        title=f"nearby: analysis of {analysis.corpus}",
        corpus=analysis.corpus,
        facts=f"{len(analysis.shown):,} {analysis.modality} items · {counted(len(analysis.spaces), 'space')}",
        answer=answer(analysis),
        findings=findings(analysis),
        sections=[section for section in data if section["data"] is not None],
        anchors=[link.anchor for link in links_of(analysis).values()],
    )


def _count(analysis: Analysis, figures: FigureFiles) -> Section:
    counts = analysis.counts
    if counts is None:
        return None
    return {
        "note": f"{counts.items:,} items of the space {analysis.tree_space}, "
        f"clustered into {counts.counts[0]} to {counts.counts[-1]} clusters.",
        "criteria": [(name, counts.recommended[name], reason) for name, reason in READING.items()],
        "figures": [
            (name, counts.recommended[name], figures.drawing(file, drawing))
            for name, file, drawing in count_figures(counts)
        ],
    }


def _tree(analysis: Analysis, figures: FigureFiles) -> Section:
    tree = analysis.tree
    if tree is None or analysis.counts is None:
        return None
    k = len(set(tree.clusters))
    return {
        "note": f"Ward's method on the same items. The tree is folded to {len(tree.members)} leaves; each leaf "
        "shows the item nearest to its mean. The colour and shape of a mark show the cluster.",
        "title": f"The dashed line cuts the tree into {k} clusters",
        "drawing": figures.drawing("dendrogram", dendrogram(analysis)),
    }


def _components(analysis: Analysis, figures: FigureFiles) -> Section:
    parts = [
        part
        for position, space in enumerate(analysis.spaces)
        if space.components is not None
        and (part := _component_part(space, space.components, position, figures)) is not None
    ]
    return {"note": "", "open": OPEN_TOPICS, "parts": parts} if parts else None


def _component_part(
    space: SpaceStudy, components: Components, position: int, figures: FigureFiles
) -> dict[str, Any] | None:
    if components.shape is not None:
        pictures = component_pictures(components, PICTURES)
        pixels = grid(pictures, _COLUMNS, max(1, _SIDE // max(components.shape[:2])), gap=3)
        picture = figures.picture(f"components-{position}", pixels, f"{len(pictures)} components of {space.spec}")
        return {"spec": space.spec, "scale": _scale(components), **picture}
    if components.vocabulary is None:
        return None
    topics = []
    for number in range(min(TOPICS, len(components.atoms))):
        largest, smallest = components.top_words(number)
        topics.append({"number": number + 1, "largest": ", ".join(largest), "smallest": ", ".join(smallest)})
    return {"spec": space.spec, "src": None, "topics": topics, "signed": components.signed}


def _scale(components: Components) -> str:
    if components.clusters:
        return "each picture is the mean of a cluster"
    return "blue: below 0, orange: above 0" if components.signed else "black is 0; no value is below 0"


def _sums(analysis: Analysis, figures: FigureFiles) -> Section:
    parts = []
    for position, space in enumerate(analysis.spaces):
        components = space.components
        if not space.sums or components is None or components.shape is None:
            continue
        pixels = grid([picture for _, sums in space.sums for picture in sum_pictures(components, sums)],
                      len(space.sums[0][1].counts), max(1, _SIDE // max(components.shape[:2])))  # fmt: skip
        figures.picture(f"sums-{position}", pixels, "")
        lines = [_sum_line(analysis, components, components.shape, row, sums) for row, sums in space.sums]
        parts.append({"spec": space.spec, "lines": lines})
    if not parts:
        return None
    values = "levels" if analysis.modality == Modality.SOUND else "pixels"
    return {
        "note": "An item is approximately the sum of its components, each multiplied by a number of the code, plus the "
        "mean if there is one. Left: the five largest terms. Right: the sums of the first 1, 2, 5, ... terms with "
        f"their squared error, summed over the {values} (0 to 1). PCA and LSA keep the order of their components.",
        "parts": parts,
    }


def _sum_line(
    analysis: Analysis, components: Components, shape: tuple[int, ...], row: int, sums: PartialSums
) -> dict[str, Any]:
    largest = list(zip(sums.weights.tolist(), sums.order, strict=True))[:5]
    mean = [thumb(picture_of(components.base, shape, False, 1.0), "mean", "mean")] if components.base.any() else []
    rebuilt = zip(sum_pictures(components, sums), sums.counts, sums.errors, strict=True)
    return {
        "item": thumb(picture_shown(analysis.shown[row]), "the item", "item"),
        "terms": [
            *mean,
            *(
                thumb(picture_of(components.atoms[atom], shape, components.signed), f"component {atom + 1}",
                      f"{weight:+.2f} ×".replace("-", "−"))
                for weight, atom in largest
            ),
        ],
        "sums": [
            thumb(picture, f"sum of {counted(int(count), 'term')}", f"{count}: {_error(error)}")
            for picture, count, error in rebuilt
        ],
    }  # fmt: skip


def _error(value: float) -> str:
    """Write an error with two digits, and whole from 10 on."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _dimension(analysis: Analysis, figures: FigureFiles) -> Section:
    if not analysis.lost:
        return None
    return {
        "note": "Share of the variance of held-out items that is lost by encoding and decoding. Each method is "
        "fitted to the other four fifths of the items.",
        "title": dimension_title(analysis),
        "drawing": figures.drawing("dimension", dimension_figure(analysis)),
    }


def _quality(analysis: Analysis, figures: FigureFiles) -> Section:
    every = [
        (space.spec, method, agreement) for space in analysis.spaces for method, agreement in space.quality.items()
    ]
    if not every:
        return None
    values = {measure: {agreement[measure] for _, _, agreement in every} for measure in AGREEMENT}
    best = {measure: max(several) for measure, several in values.items() if len(several) > 1}
    return {
        "note": f"The sampled items, in {len(set(analysis.labels))} clusters: one for each class. 1 is perfect; "
        "an ARI of 0 is chance. Purity: share of items that have the most frequent class of their cluster. "
        "Accuracy: the same, with each class matched to one cluster.",
        "measures": AGREEMENT,
        "rows": [
            {
                "spec": spec,
                "method": method,
                "cells": [
                    (f"{agreement[measure]:.3f}", agreement[measure] == best.get(measure)) for measure in AGREEMENT
                ],
            }
            for spec, method, agreement in every
        ],
    }


def _discriminator(analysis: Analysis, figures: FigureFiles) -> Section:
    known = [(space.spec, space.discriminator) for space in analysis.spaces if space.discriminator is not None]
    if not known:
        return None
    lowest = min(criterion.loss for _, criterion in known)
    return {
        "note": "A network learns to tell the code of an item from the code of another item, and is measured on items "
        "that it has not seen. A loss of 0 means that every code identifies its item; ln 2 = 0.693 is chance, and "
        "the loss with shuffled codes shows it. The information is a lower bound; it cannot exceed the second number. "
        "Labels and reconstructions are not used.",
        "head": DISCRIMINATOR_HEAD,
        "rows": [
            {"spec": spec, "cells": discriminator_cells(criterion), "best": criterion.loss == lowest}
            for spec, criterion in known
        ],
    }


def _method(analysis: Analysis, figures: FigureFiles) -> Section:
    made = {"spaces": [space.spec for space in analysis.spaces], **analysis.provenance}
    return {"note": "", "notes": analysis.notes, "provenance": provenance_data(made)}
