from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from retrieval.report.figures.drawing import spread
from retrieval.report.figures.precision_recall import precision_recall_svg, quality_cost_svg

SVG = "{http://www.w3.org/2000/svg}"


def many(three, n):
    rng = np.random.default_rng(0)
    return [
        replace(three[0], spec=f"tfidf+<lsa>:{n}", bytes_per_item=10.0**n, precision_recall=rng.random(11))
        for n in range(n)
    ]


@pytest.mark.parametrize("draw", [precision_recall_svg, quality_cost_svg])
@pytest.mark.parametrize("n", [1, 3, 12])
def test_a_figure_is_xml_named_described_and_the_same_twice(compare, three, draw, n):
    comparison = compare(many(three, n))
    drawn = draw(comparison, "here")
    root = ElementTree.fromstring(drawn)  # noqa: S314  our own text
    ids = {node.get("id") for node in root.iter()}
    assert set(root.get("aria-labelledby").split()) <= ids
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text
    assert "tfidf+<lsa>:0" in root.find(f"{SVG}desc").text
    assert draw(comparison, "here") == drawn
    assert len(drawn) < 20_000


@pytest.mark.parametrize("n", [2, 8, 20])
def test_labels_of_curves_do_not_touch(compare, three, n):
    root = ElementTree.fromstring(precision_recall_svg(compare(many(three, n))))  # noqa: S314
    labels = sorted(float(node.get("y")) for node in root.iter(f"{SVG}text") if "tfidf" in node.text)
    assert len(labels) == n
    assert np.diff(labels).min() >= 16.9
    assert labels[-1] < float(root.get("viewBox").split()[3])


def test_a_space_has_one_colour_in_every_figure(compare):
    comparison = compare()
    lines = ElementTree.fromstring(precision_recall_svg(comparison)).iter(f"{SVG}polyline")  # noqa: S314
    dots = ElementTree.fromstring(quality_cost_svg(comparison)).iter(f"{SVG}circle")  # noqa: S314
    curves = [node.get("stroke") for node in lines if node.get("stroke-width") == "2.25"]
    assert [node.get("fill") for node in dots][::2] == curves
    assert len(set(curves)) == 3


def test_a_curve_goes_through_its_points(compare, three):
    flat = compare([replace(three[0], precision_recall=np.full(11, 0.5)), *three[1:]])
    root = ElementTree.fromstring(precision_recall_svg(flat))  # noqa: S314
    curve = next(node for node in root.iter(f"{SVG}polyline") if node.get("stroke-width") == "2.25")
    heights = {point.split(",")[1] for point in curve.get("points").split()}
    level = next(node.get("y") for node in root.iter(f"{SVG}text") if node.text == "0.4")
    above = next(node.get("y") for node in root.iter(f"{SVG}text") if node.text == "0.6")
    assert len(heights) == 1
    assert float(heights.pop()) == pytest.approx((float(level) + float(above)) / 2 - 4, abs=0.1)


def test_nothing_measured_draws_nothing(compare, three):
    assert quality_cost_svg(compare([replace(space, measures={}) for space in three])) is None


def test_ticks_are_round_numbers_evenly_spaced(compare, three):
    spread_out = [replace(s, measures={"P@10": v}) for s, v in zip(three, (0.36, 0.474, 0.482), strict=True)]
    root = ElementTree.fromstring(quality_cost_svg(compare(spread_out)))  # noqa: S314
    ticks = [float(n.text) for n in root.iter(f"{SVG}text") if n.text.startswith("0.")]
    assert len(ticks) >= 2
    assert np.allclose(np.diff(ticks), ticks[1] - ticks[0])


def test_spread_keeps_what_needs_no_moving():
    assert spread([10, 50, 90], 10, 0, 100) == [10, 50, 90]
    assert spread([100, 100, 100], 10, 0, 100) == [80, 90, 100]


def test_rows_of_several_indexes_are_named_by_both_and_curves_that_cannot_be_had_are_left_out(compare, in_two_indexes):
    root = ElementTree.fromstring(precision_recall_svg(compare(in_two_indexes)))  # noqa: S314
    told = [node.text for node in root.iter(f"{SVG}text")]
    assert {"pixels @ exact", "pixels+pca:30 @ exact"} <= set(told)
    assert not any("elastic" in text for text in told)
    lines = [node.get("stroke") for node in root.iter(f"{SVG}polyline") if node.get("stroke-width") == "2.25"]
    dots = ElementTree.fromstring(quality_cost_svg(compare(in_two_indexes))).iter(f"{SVG}circle")  # noqa: S314
    assert lines == [node.get("fill") for node in dots][::4]
    assert precision_recall_svg(compare(in_two_indexes[1::2])) is None
