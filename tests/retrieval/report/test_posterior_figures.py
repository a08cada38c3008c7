"""How aggregate posteriors are shown: panels, circles of the prior, table, JSON, page."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from retrieval.analysis.posterior import MAX_DRAWN, aggregate
from retrieval.analysis.result import Analysis, SpaceStudy
from retrieval.report.figures.plots import map_svg
from retrieval.report.html.analysis import write_analysis
from retrieval.report.html.posterior import density_figure
from retrieval.report.terminal.analysis import analysis_json, analysis_lines
from retrieval.search.result import Shown

SVG = "{http://www.w3.org/2000/svg}"


def posterior(count: int, n: int = 60, side: int = 0):
    mean = np.random.default_rng(0).standard_normal((n, count))
    mean[:, -1] = 0
    return aggregate(mean, np.full((n, count), -1.0), [np.zeros((4, 4, 1), np.uint8)] * side**2)


def analysis(*found) -> Analysis:
    shown = [Shown(str(n), "ab"[n % 2]) for n in range(60)]
    spaces = [SpaceStudy(f"pixels+vae:{n}", 2, "euclidean", posterior=one) for n, one in enumerate(found)]
    return Analysis("some", "image", shown, [one.label for one in shown], spaces)


@pytest.mark.parametrize("count", [1, 2, 5, 12, 30])
def test_every_component_has_a_panel_and_the_prior_behind_it(count):
    root = ElementTree.fromstring(density_figure(posterior(count), 1))  # noqa: S314  our own text
    panels = min(count, MAX_DRAWN)
    assert len(list(root.iter(f"{SVG}polygon"))) == panels
    assert len(list(root.iter(f"{SVG}polyline"))) == panels + 1  # and one in the legend
    assert "in use" in root.find(f"{SVG}title").text
    named = [node for node in root.iter(f"{SVG}text") if node.text.startswith("component ")]
    places = {(float(node.get("x")), float(node.get("y"))) for node in named}
    assert len(places) == panels
    width, height = map(float, root.get("viewBox").split()[2:])
    drawn = [point.split(",") for line in root.iter(f"{SVG}polyline") for point in line.get("points").split()]
    assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in drawn)


def test_an_unused_component_is_named_so():
    told = [node.text for node in ElementTree.fromstring(density_figure(posterior(3), 0)).iter(f"{SVG}text")]  # noqa: S314
    assert "component 3: not in use" in told
    assert sum("nats" in text for text in told) == 2


def test_circles_are_sigmas_of_both_axes():
    points = np.array([[3.0, 0], [-3, 0], [0, 1], [0, 0]])
    root = ElementTree.fromstring(map_svg("m", "t", points, np.zeros(4, int), {}, circles=(1, 2)))  # noqa: S314
    dots = [node for node in root.iter(f"{SVG}circle") if node.get("fill") != "none"]
    one, two = (float(node.get("r")) for node in root.iter(f"{SVG}circle") if node.get("fill") == "none")
    assert two == pytest.approx(2 * one, abs=0.2)
    up = float(dots[3].get("cy")) - float(dots[2].get("cy"))  # one of the second axis, and the middle
    across = float(dots[0].get("cx")) - float(dots[3].get("cx"))
    assert up == pytest.approx(one, abs=0.2)
    assert across == pytest.approx(3 * one, rel=0.03)


def test_the_page_has_densities_and_of_two_numbers_a_map_and_pictures(tmp_path):
    page = write_analysis(analysis(posterior(2, side=5), None, posterior(15)), tmp_path).read_text()
    assert 'id="posterior"' in page
    assert "and 3 more components, 2 of them in use" in page
    assert "5 × 5 codes" in page
    assert "#item-" not in page  # there are no maps, so nothing that a dot could lead to
    files = {path.name for path in (tmp_path / "figures").iterdir()}
    assert files == {"posterior-0.svg", "posterior-map-0.svg", "posterior-grid-0.png", "posterior-2.svg"}


def test_without_a_posterior_there_is_no_section(tmp_path):
    assert 'id="posterior"' not in write_analysis(analysis(None), tmp_path).read_text()
    assert analysis_json(analysis(None))["spaces"][0]["posterior"] is None


def test_lines_and_json_hold_the_table():
    found = posterior(15)
    lines = analysis_lines(analysis(found))
    assert "14 of 15 components are in use" in lines[2]
    assert lines[3].split() == "component mean KL, nats variance of means prior covered in use".split()
    assert lines[-1] == "… and 3 more, on the page"
    assert all(len(line) <= 100 for line in lines)
    value = analysis_json(analysis(found))["spaces"][0]["posterior"]
    assert value["in_use"] == 14
    assert [one["component"] for one in value["components"]][-1] == 15
    assert value["components"][0]["mean_kl_nats"] == pytest.approx(float(found.kl_divergence.max()))
