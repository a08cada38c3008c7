"""The page of a comparison of anomaly detectors: whole, escaped, and it loads nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from encoders.codes import Modality
from retrieval.applications.anomaly.comparison import compare_detectors
from retrieval.applications.anomaly.given import GivenItems
from retrieval.applications.anomaly.strangest import EXPLAINED
from retrieval.report.anomaly_words import verdict_lines
from retrieval.report.figures.score_distributions import shares_above
from retrieval.report.html.anomalies import page, write_detectors
from retrieval.report.terminal.detectors import detectors_json

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.standard_normal((300, 4)), rng.standard_normal((50, 4)) + 2]).astype(np.float32)
    corpus = GivenItems(rows, Modality.VECTOR, [HOSTILE] * 300 + ["odd & <b>"] * 50)
    corpus.name = HOSTILE
    spaces = ["vectors", "vectors+gaussian", "vectors+pca:1"]
    return compare_detectors(corpus, spaces, [HOSTILE], false_alarms=0.05, explain=True)


def test_it_says_what_the_terminal_says(found, tmp_path):
    html = write_detectors(found, {"command": "nearby"}, tmp_path).read_text()
    assert found.best.name in re.search(r"<h2>(.*?)</h2>", html)[1].replace("<wbr>", "")
    for one in found.results:
        assert f"<td>{one.auroc.value:.3f}<" in html or f'class="best">{one.auroc.value:.3f}<' in html
        assert f"{one.average_precision.interval.low:.3f} to {one.average_precision.interval.high:.3f}" in html
    assert html.count("★</span>") == 1
    assert html.count("<figure") == 4
    rows = re.findall(r"<tr><th scope=\"row\"><bdi>(\d+)</bdi>", html)
    assert len(rows) == 25
    strangest = int(np.argmax(found.best.scores))
    assert rows[0] == found.ids[strangest]
    assert len(verdict_lines(found)) >= 1


def test_text_of_the_data_is_escaped_and_nothing_is_loaded(found):
    html = page(found, {"command": HOSTILE})
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html.replace("<bdi>", "")
    assert not re.search(r"(src|href)=\"(?!#|data:)", html)
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(drawing)  # noqa: S314  # our own


def test_headings_descend_and_ids_are_unique(found):
    html = page(found, {})
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels == [1, 2, 3, 3, 3, *[4] * EXPLAINED, 3]
    ids = re.findall(r"\bid=\"([^\"]+)\"", html)
    assert len(ids) == len(set(ids))


def test_curves_are_those_of_the_scores(found):
    one = found.results[1]
    strange, normal = one.scores[found.anomalous], one.scores[~found.anomalous]
    assert one.recall_curve.at[-1] == 1.0
    for alarm, recall in zip(one.recall_curve.at, one.recall_curve.values, strict=True):
        best = max(((strange > t).mean() for t in [-np.inf, *one.scores] if (normal > t).mean() <= alarm), default=0)
        assert recall == pytest.approx(best)
    last = len(strange) / (len(strange) + (normal >= strange.min()).sum())
    assert one.precision_curve.values[-1] == pytest.approx(last)


def test_bands_of_curves_are_drawn_and_written(found):
    html, written = page(found, {}), detectors_json(found)["detectors"]
    assert html.count("<polygon") == 2 * len(found.results)
    for one, values in zip(found.results, written, strict=True):
        for curve, name in ((one.recall_curve, "recall_curve"), (one.precision_curve, "precision_curve")):
            assert values[name]["low"] == pytest.approx(curve.low.tolist())
            assert values[name]["high"] == pytest.approx(curve.high.tolist())
            assert (curve.low <= curve.values).all()
            assert (curve.values <= curve.high).all()
            assert "95% band from " + ", ".join(f"{low:.3g}" for low in curve.low) in html


def test_the_strangest_items_are_explained(found):
    html = page(found, {})
    assert html.count('<article class="example strange">') == EXPLAINED
    first = found.explained[0]
    assert first.shown.id == found.ids[found.strangest[0]]
    assert first.explanation.score == found.best.scores[found.strangest[0]]
    card = re.search(r"<article.*?</article>", html, re.DOTALL)[0]
    assert f"<bdi>{first.explanation.components[0].name}</bdi>" in card
    assert f"<bdi>{first.explanation.nearest[0].shown.id}</bdi>" in card


def test_letters_and_the_smallest_detectable_difference_are_said(found):
    html = page(found, {})
    for one in found.results:
        assert f"<td>{one.letters}</td>" in html
        shares = set(one.letters) & set(found.best.letters)
        assert bool(shares) or one.against_best.found
    sizes = sorted(one.detectable for one in found.results if one is not found.best)
    assert f"Smallest detectable difference: an AUROC {sizes[0]:.3f} to {sizes[-1]:.3f}" in html


def test_scores_above_the_threshold_are_those_flagged(found):
    for one in found.results:
        assert ((one.scores > one.threshold) == (one.p_values <= found.rate)).mean() > 0.99  # but for rounding
    drawn = shares_above(found.best.scores[found.anomalous], [found.best.threshold])
    assert drawn == pytest.approx([found.best.recall], abs=0.03)
