"""The aggregate posteriors of an analysis: densities beside the prior, a table, and codes of two numbers."""

from __future__ import annotations

from retrieval.analysis.posterior import ACTIVE, MOST, AggregatePosterior, prior_density
from retrieval.analysis.study import Analysis, SpaceStudy
from retrieval.report.figures.components import grid
from retrieval.report.figures.densities import densities_svg
from retrieval.report.figures.plots import Series, map_svg
from retrieval.report.html.analysis_sections import Figures, table
from retrieval.report.html.maps import anchors_of, classes_of, legend
from retrieval.report.html.markup import Markup, element, join
from retrieval.report.specs import breakable
from retrieval.report.terminal.analysis import POSTERIOR_HEAD, posterior_rows

_NOTE = (
    "Every item's code is a Gaussian; the mixture of all of them, the aggregate posterior, is what the decoder learnt "
    "from. Where it leaves parts of the prior empty, draws of the prior decode to nothing that was seen. Nats are the "
    "mean divergence of the items' posteriors from the prior: what a component tells of an item. It is in use where "
    f"the means vary by more than {ACTIVE:g} (Burda et al. 2016); one that is not fills the prior by telling nothing."
)
#: Standard deviations around the prior's centre, and the share of a plane's standard normal that lies within.
_CIRCLES = {1: "39%", 2: "86%"}


def posterior_section(analysis: Analysis, figures: Figures) -> Markup | None:
    """Write the aggregate posterior of every space that has one."""
    parts = [
        _space_part(analysis, space, space.posterior, place, figures)
        for place, space in enumerate(analysis.spaces)
        if space.posterior is not None
    ]
    return join(element("p", _NOTE, class_="note"), *parts) if parts else None


def _space_part(
    analysis: Analysis, space: SpaceStudy, found: AggregatePosterior, place: int, figures: Figures
) -> Markup:
    drawn = figures.drawing(f"posterior-{place}", density_figure(found, place))
    rows = [element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:]))
            for row in posterior_rows(found)[:MOST]]  # fmt: skip
    return element(
        "div",
        element("h4", breakable(space.spec)),
        element("figure", element("figcaption", found.answer), element("div", drawn, class_="scroll plot")),
        table(POSTERIOR_HEAD, rows),
        _left_out(found),
        _plane(analysis, space, found, place, figures) if found.means.shape[1] == 2 else None,
    )


def density_figure(found: AggregatePosterior, place: int) -> Markup:
    """Return the densities of the components that tell most, each over the prior's."""
    told = [f"{found.divergence[at]:.2f} nats" if found.in_use[at] else "not in use" for at in found.order]
    series = [
        Series(f"component {at + 1}: {use}", values.tolist())
        for at, use, values in zip(found.order, told, found.density, strict=False)
    ]
    ground = Series("the prior, N(0, 1)", prior_density(found.edges).tolist())
    name = f"the aggregate posterior of {len(found.means):,} items"
    return densities_svg(f"posterior-{place}", found.answer, found.edges, series, ground, "value of the component",
                         name, place)  # fmt: skip


def _left_out(found: AggregatePosterior) -> Markup | None:
    rest = found.order[MOST:]
    if not rest:
        return None
    told = f"and {len(rest)} more, {int(found.in_use[rest].sum())} of them in use"
    return element("p", told, class_="note")


def _plane(analysis: Analysis, space: SpaceStudy, found: AggregatePosterior, place: int, figures: Figures) -> Markup:
    """Write a code of two numbers as a map, and as pictures decoded all over the prior."""
    names, classes = classes_of(analysis)
    inner, outer = (f"{found.within(circle):.0%}" for circle in _CIRCLES)
    usual = " and ".join(_CIRCLES.values())
    title = f"{inner} of the means lie within 1σ of the prior's centre, {outer} within 2σ; of its own draws {usual} do"
    name = f"posterior-map-{place}"
    drawn = map_svg(name, title, found.means, classes, anchors_of(analysis), circles=tuple(_CIRCLES))
    caption = element("figcaption", title, element("small", " (component 1 to the right, 2 upwards)"))
    shown = [element("figure", caption, figures.drawing(name, drawn))]
    if found.decoded:
        shown.append(_decoded(space, found, place, figures))
    return join(element("p", *legend(names), class_="legend"), element("div", *shown, class_="maps"))


def _decoded(space: SpaceStudy, found: AggregatePosterior, place: int, figures: Figures) -> Markup:
    side = round(len(found.decoded) ** 0.5)
    pixels = grid(found.decoded, side, max(1, 44 // max(found.decoded[0].shape[:2])))
    told = f"{side} × {side} codes all over the prior, decoded"
    note = " (at evenly spaced quantiles, so that each stands for as much of the prior; Kingma & Welling 2014)"
    picture = figures.picture(f"posterior-grid-{place}", pixels, f"{told}, {space.spec}")
    return element("figure", element("figcaption", told, element("small", note)), picture)
