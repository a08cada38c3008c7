"""The aggregate posteriors of an analysis: densities over the prior, a table, and codes of two numbers."""

from __future__ import annotations

from typing import Any

from retrieval.analysis.posterior import ACTIVE, MAX_DRAWN, AggregatePosterior, prior_density
from retrieval.analysis.result import Analysis, SpaceStudy
from retrieval.report.figures.components import grid
from retrieval.report.figures.densities import densities_svg
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.plots import Series, map_svg
from retrieval.report.html.figure_files import FigureFiles
from retrieval.report.html.maps import NAMED, classes_of, legend, links_of
from retrieval.report.terminal.analysis import POSTERIOR_HEAD, posterior_rows

_NOTE = (
    "The code of an item is a Gaussian. The mixture of the Gaussians of all items is the aggregate posterior; the "
    "decoder is trained on codes from it. Where it leaves parts of the prior empty, the decoder has seen no codes, and "
    "samples of the prior decode badly. Mean KL, in nats: the mean divergence of the items' posteriors from the prior, "
    f"that is, how much a component says about an item. A component is in use when the variance of its means is "
    f"above {ACTIVE:g} (Burda et al. 2016); one that is not in use covers the prior but says nothing about an item."
)
#: Radii in standard deviations, and the share of a standard normal of two dimensions inside each.
_CIRCLES = {1: "39%", 2: "86%"}
_SIDE = 44


def posterior_data(analysis: Analysis, figures: FigureFiles) -> dict[str, Any] | None:
    """Return the aggregate posterior of every space that has one; None without any."""
    parts = [
        _part(analysis, space, space.posterior, position, figures)
        for position, space in enumerate(analysis.spaces)
        if space.posterior is not None
    ]
    return {"note": _NOTE, "parts": parts} if parts else None


def _part(
    analysis: Analysis, space: SpaceStudy, posterior: AggregatePosterior, position: int, figures: FigureFiles
) -> dict[str, Any]:
    rest = posterior.order[MAX_DRAWN:]
    more = f"and {len(rest)} more components, {int(posterior.in_use[rest].sum())} of them in use"
    return {
        "spec": space.spec,
        "answer": posterior.answer,
        "drawing": figures.drawing(f"posterior-{position}", density_figure(posterior, position)),
        "head": POSTERIOR_HEAD,
        "rows": posterior_rows(posterior)[:MAX_DRAWN],
        "rest": more if len(rest) else "",
        "plane": _plane(analysis, space, posterior, position, figures) if posterior.means.shape[1] == 2 else None,
    }


def density_figure(posterior: AggregatePosterior, position: int) -> Markup:
    """Return the densities of the components with the largest divergence, each over the density of the prior."""
    uses = [
        f"{posterior.kl_divergence[row]:.2f} nats" if posterior.in_use[row] else "not in use" for row in posterior.order
    ]
    series = [
        Series(f"component {row + 1}: {use}", values.tolist())
        for row, use, values in zip(posterior.order, uses, posterior.density, strict=False)
    ]
    prior = Series("the prior, N(0, 1)", prior_density(posterior.edges).tolist())
    name = f"the aggregate posterior of {len(posterior.means):,} items"
    return densities_svg(f"posterior-{position}", posterior.answer, posterior.edges, series, prior,
                         "value of the component", name, position)  # fmt: skip


def _plane(
    analysis: Analysis, space: SpaceStudy, posterior: AggregatePosterior, position: int, figures: FigureFiles
) -> dict[str, Any]:
    """Return a code of two numbers as a map, and as pictures decoded on a grid over the prior."""
    names, classes = classes_of(analysis)
    inner, outer = (f"{posterior.within(circle):.0%}" for circle in _CIRCLES)
    usual = " and ".join(_CIRCLES.values())
    title = f"{inner} of the means are within 1σ of the centre of the prior, {outer} within 2σ (prior: {usual})"
    name = f"posterior-map-{position}"
    drawing = map_svg(name, title, posterior.means, classes, links_of(analysis), circles=tuple(_CIRCLES))
    return {
        "legend": legend(names),
        "more_classes": max(0, len(names) - NAMED),
        "title": title,
        "drawing": figures.drawing(name, drawing),
        "decoded": _decoded(space, posterior, position, figures) if posterior.decoded else None,
    }


def _decoded(space: SpaceStudy, posterior: AggregatePosterior, position: int, figures: FigureFiles) -> dict[str, Any]:
    side = round(len(posterior.decoded) ** 0.5)
    pixels = grid(posterior.decoded, side, max(1, _SIDE // max(posterior.decoded[0].shape[:2])))
    title = f"{side} × {side} codes on a grid over the prior, decoded"
    return {"title": title, **figures.picture(f"posterior-grid-{position}", pixels, f"{title}, {space.spec}")}
