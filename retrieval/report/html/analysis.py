"""The analysis as one HTML file and a folder of figures: nothing is loaded, nothing runs, everything is escaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from encoders.numbers import counted
from retrieval.analysis.cluster_count import READING
from retrieval.analysis.components import Components
from retrieval.analysis.study import Analysis, SpaceStudy
from retrieval.output import writing
from retrieval.report.figures.analysis import count_figures, dendrogram, dimension_figure
from retrieval.report.figures.components import component_pictures, grid, picture_of, sum_pictures
from retrieval.report.html.analysis_sections import Figures, captioned, table, thumb
from retrieval.report.html.document import document
from retrieval.report.html.maps import local_section, map_style, maps_section
from retrieval.report.html.markup import Markup, element, join
from retrieval.report.html.posterior import posterior_section
from retrieval.report.html.sections import method_list
from retrieval.report.specs import breakable

#: Components shown of a space, words lists of a text space.
PICTURES, TOPICS = 105, 100
_COLUMNS = 15


def write_analysis(analysis: Analysis, folder: Path) -> Path:
    """Write ``analysis.html`` and ``figures/``; return the page's place.

    Raises
    ------
    ArtifactError
        When something cannot be written.
    """
    figures = Figures()
    content = _page(analysis, figures)
    figures.write(folder / "figures")
    with writing(folder / "analysis.html") as file:
        file.write(content.encode())
    return folder / "analysis.html"


def _page(analysis: Analysis, figures: Figures) -> Markup:
    title = f"nearby: analysis of {analysis.corpus}"
    sections = [
        ("count", "How many clusters?", _count(analysis, figures)),
        ("tree", "The tree of merges", _tree(analysis, figures)),
        ("components", "What a component stands for", _components(analysis, figures)),
        ("sums", "Items as sums of components", _sums(analysis, figures)),
        ("dimension", "Error against the width of the code", _dimension(analysis, figures)),
        ("quality", "Clusters beside labels", _quality(analysis)),
        ("maps", "Maps", maps_section(analysis, figures)),
        ("posterior", "Aggregate posteriors beside the prior", posterior_section(analysis, figures)),
        ("local", "Local and distributed representation", local_section(analysis)),
        ("method", "How it was made", _method(analysis)),
    ]
    shown = [(key, name, part) for key, name, part in sections if part is not None]
    links = (element("a", name, href=f"#{key}") for key, name, _ in shown)
    facts = f"{len(analysis.shown):,} {analysis.modality} items were looked at, in {len(analysis.spaces)} spaces."
    return document(
        title,
        element("p", element("strong", analysis.corpus), f" · {facts}", class_="eyebrow"),
        element("h2", _answer(analysis)),
        element("nav", *links, aria_label="Sections"),
        *(element("section", element("h3", name, id=key), part, class_="part") for key, name, part in shown),
        style=map_style(analysis),
    )


def _answer(analysis: Analysis) -> str:
    if analysis.counts is not None:
        best, reason = analysis.counts.answer
        classes = len({label for label in analysis.labels if label is not None})
        truth = f"; the labels name {classes} classes" if classes else ""
        return f"{best} clusters are recommended ({reason}){truth}."
    return f"{counted(len(analysis.spaces), 'space')} of {analysis.corpus}, seen from inside."


def _count(analysis: Analysis, figures: Figures) -> Markup | None:
    if analysis.counts is None:
        return None
    counts = analysis.counts
    rows = [
        element("tr", element("th", name, scope="row"), element("td", str(counts.recommended[name])),
                element("td", reading, class_="words"))
        for name, reading in READING.items()
    ]  # fmt: skip
    drawn = (
        element("figure", element("figcaption", f"{name}: {counts.recommended[name]}"), figures.drawing(file, figure))
        for name, file, figure in count_figures(counts)
    )
    note = (
        f"{counts.items:,} items of the space {analysis.tree_space}; {counts.counts[0]} to {counts.counts[-1]} tried."
    )
    return join(
        element("p", note, class_="note"),
        table(("criterion", "recommends", "because it is"), rows),
        element("div", *drawn, class_="small-multiples"),
    )


def _tree(analysis: Analysis, figures: Figures) -> Markup | None:
    if analysis.tree is None or analysis.counts is None:
        return None
    k = len(set(analysis.tree.clusters))
    note = (
        f"Ward's tree over the same items, folded to {len(analysis.tree.members)} leaves; the dashed line cuts it into "
        f"{k} clusters, which the marks tell apart. A leaf is named by the item nearest to its mean."
    )
    return join(element("p", note, class_="note"),
                element("div", figures.drawing("dendrogram", dendrogram(analysis)), class_="scroll"))  # fmt: skip


def _components(analysis: Analysis, figures: Figures) -> Markup | None:
    parts = [
        part
        for place, space in enumerate(analysis.spaces)
        if space.components is not None
        and (part := _component_part(space, space.components, place, figures)) is not None
    ]
    return join(*parts) if parts else None


def _component_part(space: SpaceStudy, components: Components, place: int, figures: Figures) -> Markup | None:
    told = "one picture a cluster: its mean" if components.clusters else (
        "blue: less, orange: more" if components.signed else "what each adds: nothing is taken away"
    )  # fmt: skip
    if components.shape is not None:
        pictures = component_pictures(components, PICTURES)
        scale = max(1, 44 // max(components.shape[:2]))
        pixels = grid(pictures, _COLUMNS, scale, gap=3)
        alt = f"{len(pictures)} components of {space.spec}"
        figure = figures.picture(f"components-{place}", pixels, alt)
        return element("figure", element("figcaption", breakable(space.spec), element("small", f" {told}")), figure)
    if components.vocabulary is None:
        return None
    rows = []
    for number in range(min(TOPICS, len(components.atoms))):
        more, less = components.top_words(number)
        cells = [element("th", str(number + 1), scope="row"), element("td", ", ".join(more), class_="words")]
        if components.signed:
            cells.append(element("td", ", ".join(less), class_="words"))
        rows.append(element("tr", *cells))
    head = ("", "words that weigh most", *(("and least",) if components.signed else ()))
    return element("div", element("h4", breakable(space.spec)), table(head, rows))


def _sums(analysis: Analysis, figures: Figures) -> Markup | None:
    parts = []
    for place, space in enumerate(analysis.spaces):
        components = space.components
        if not space.sums or components is None or components.shape is None:
            continue
        lines = [_sum_line(analysis, components, row, sums) for row, sums in space.sums]
        pixels = grid([picture for _, sums in space.sums for picture in sum_pictures(components, sums)],
                      len(space.sums[0][1].counts), max(1, 44 // max(components.shape[:2])))  # fmt: skip
        figures.files[f"sums-{place}.png"] = pixels
        parts.append(element("div", element("h4", breakable(space.spec)), *lines))
    if not parts:
        return None
    note = (
        "An item is its code's numbers times the components, added up (and the mean): first the largest terms, "
        "then the sums of the first 1, 2, 5, ... of them with their squared error, summed over the pixels, which go "
        "from 0 to 1. PCA and LSA keep their own order."
    )
    return join(element("p", note, class_="note"), *parts)


def _sum_line(analysis: Analysis, components: Components, row: int, sums: Any) -> Markup:
    shape = components.shape
    assert shape is not None  # noqa: S101
    item = thumb(analysis.shown[row].picture, "the item")
    terms = (
        [captioned(thumb(picture_of(components.base, shape, False, 1.0), "mean"), "mean")]
        if components.base.any()
        else []
    )
    for weight, place in list(zip(sums.weights.tolist(), sums.order, strict=True))[:5]:
        picture = picture_of(components.atoms[place], shape, components.signed)
        terms.append(captioned(thumb(picture, f"component {place + 1}"), f"{weight:+.2f} ×"))
    rebuilt = [
        captioned(thumb(picture, f"sum of {count}"), f"{count}: {error:.2g}")
        for picture, count, error in zip(sum_pictures(components, sums), sums.counts, sums.errors, strict=True)
    ]
    then, arrow = element("span", "…", class_="sign"), element("span", "→", class_="sign")
    equal = element("span", "≈", class_="sign")
    return element("div", captioned(item, "item"), equal, *terms, then, arrow, *rebuilt, class_="sum")


def _dimension(analysis: Analysis, figures: Figures) -> Markup | None:
    if not analysis.lost:
        return None
    note = "Share of the variance of held-out items that the code loses; each method fitted to the other four fifths."
    drawn = figures.drawing("dimension", dimension_figure(analysis))
    return join(element("p", note, class_="note"), element("div", drawn, class_="scroll plot"))


def _quality(analysis: Analysis) -> Markup | None:
    rows = []
    measures = ("NMI", "ARI", "purity", "accuracy")
    every = [(space, name, found) for space in analysis.spaces for name, found in space.quality.items()]
    if not every:
        return None
    best = {measure: max(found[measure] for _, _, found in every) for measure in measures}
    for space, name, found in every:
        cells = [
            element("td", f"{found[measure]:.3f}", class_="best" if found[measure] == best[measure] else None)
            for measure in measures
        ]
        head = (element("th", breakable(space.spec), scope="row"), element("td", name, class_="words"))
        rows.append(element("tr", *head, *cells))
    classes = len(set(analysis.labels))
    note = (
        f"As many clusters as there are classes ({classes}), made of the sample; 1 is perfect, ARI 0 is chance. Purity "
        "is the share of items in their cluster's most frequent class; accuracy the same when each class has one "
        "cluster."
    )
    return join(element("p", note, class_="note"), table(("space", "method", *measures), rows))


def _method(analysis: Analysis) -> Markup:
    notes = [element("p", note, class_="note") for note in analysis.notes]
    return join(*notes, method_list({"spaces": [space.spec for space in analysis.spaces], **analysis.provenance}))
