"""The page of `anomalies score -o PAGE.html`: scores, pictures or reasons of the strangest items; whole and escaped."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.row import Row
from retrieval.applications.anomaly.conformal import p_values, threshold
from retrieval.applications.anomaly.detection import Rule, detect
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.given import GivenItems
from retrieval.applications.anomaly.strangest import explain_items
from retrieval.report.figures.score_distributions import positions, shares_above
from retrieval.report.html.scored_items import page
from retrieval.report.terminal.anomalies import detection_json, detection_lines

HOSTILE = "<script>alert('x')</script>"
RNG = np.random.default_rng(0)
WORDS = "river bank water boat fish lake swim rain stream wave".split()


def _texts(n: int, more: str = "") -> list[str]:
    return [" ".join([*RNG.choice(WORDS, 10), more]) for _ in range(n)]


def _rows(n: int, kind: str) -> list[Row]:
    numbers = RNG.standard_normal((n, 3))
    return [Row(("a", "b", "c", "kind"), (float(a), float(b), float(a + b), kind)) for a, b, c in numbers]


def _pictures(n: int) -> np.ndarray:
    return (RNG.random((n, 1, 1)) * 200 + RNG.random((n, 6, 5)) * 20).astype(np.uint8)


ODD = np.full((6, 5), 60, np.uint8)
ODD[3, 1] = 250
CASES = {
    "texts": (_texts(120), [*_texts(10), f"{HOSTILE} river quantum"], "tfidf+lsa:2", Modality.TEXT),
    "rows": (_rows(120, "x"), [*_rows(10, "x"), Row(("a", "b", "c", "kind"), (1.0, 1.0, 30.0, HOSTILE))], "columns+pca:1", Modality.ROW),
    "pictures": (_pictures(120), [*_pictures(10), ODD], "pixels+pca:1", Modality.IMAGE),
}  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def made(request):
    normal, new, space, modality = CASES[request.param]
    detector = AnomalyDetector.fit(normal, space, hold_out=0.3)
    corpus = GivenItems(new, modality, [HOSTILE] * len(new))
    found = detect(detector, corpus, Rule("false-alarms", 0.1), as_normal=True)
    explained = explain_items(detector, corpus, found.groups[:4], found.ids)
    return request.param, page(found, explained, detector, {"command": HOSTILE}), found, explained


def test_identical_items_are_one_card_that_names_them():
    normal, new, space, modality = CASES["rows"]
    detector = AnomalyDetector.fit(normal, space, hold_out=0.3)
    repeated = [new[-1], *new[:-1], *[new[-1]] * 12]
    found = detect(detector, GivenItems(repeated, modality), Rule("false-alarms", 0.1))
    explained = explain_items(detector, GivenItems(repeated, modality), found.groups[:4], found.ids)
    html = page(found, explained, detector, {})
    cards = re.findall(r"<article.*?</article>", html, re.DOTALL)
    others = "and 12 identical items: @11, @12, @13, @14, @15, @16, @17, @18, …"
    assert "<h4>1. <bdi>0</bdi>" in cards[0]
    assert others in cards[0]
    assert html.count("identical items: @") == 1
    lines = detection_lines(found, 3)
    assert lines[1].split()[:2] == ["1", "!"]
    assert lines[2].strip() == others
    assert lines[3].split()[0] == "14"  # the next item has the rank after all of them
    assert lines[5].startswith("… and 8 more")
    items = detection_json(found)["items"]
    assert [one["id"] for one in items if one["identical_to"] == "0"] == [str(row) for row in range(11, 23)]
    assert len(items) == 23


def test_the_strangest_item_comes_first_with_its_reason(made):
    case, html, found, _ = made
    cards = re.findall(r"<article.*?</article>", html, re.DOTALL)
    assert len(cards) == 4
    assert found.ids[int(found.order[0])] == "10"
    assert "<h4>1. <bdi>10</bdi>" in cards[0]
    assert "flagged · score" in cards[0]
    wanted = {
        "texts": "not in the vocabulary of the normal items: alert, quantum, script",
        "rows": "raises the score",
        "pictures": "What the space expects instead of item 10",
    }
    assert wanted[case] in cards[0]
    if case == "pictures":
        assert cards[0].count('src="data:image/png') == 6  # item, expected, heat map, three normal ones
    else:
        assert "Nearest normal items" in cards[0]
    assert html.count('<tr><th scope="row">') >= len(found.ids) - 4


def test_it_is_escaped_and_loads_nothing(made):
    _, html, _, _ = made
    assert "<script" not in html
    assert not re.search(r"(src|href)=\"(?!#|data:)", html)
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = re.findall(r"\bid=\"([^\"]+)\"", html)
    assert len(ids) == len(set(ids))
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(drawing)  # noqa: S314  # our own
    assert "drift" in html


def test_scores_above_the_threshold_are_flagged():
    calibration = np.random.default_rng(1).gamma(2, 1, 197)
    scores = np.random.default_rng(2).gamma(3, 1, 500)
    for rate in (0.006, 0.01, 0.05, 0.3):
        for distinct in (197, 60):
            flagged = p_values(calibration, scores, distinct=distinct) <= rate
            assert (flagged == (scores > threshold(calibration, rate, distinct))).all()


def test_positions_of_a_figure_hold_the_threshold_and_fit_the_scores():
    for scores, logarithmic in (([1.0, 2.0, 3.0], False), ([0.01, 1.0, 50.0], True), ([-5.0, 900.0], False)):
        across, is_log = positions([np.array(scores)], scores[1])
        assert is_log == logarithmic
        assert scores[1] in across
        assert across == sorted(across)
    across, _ = positions([np.array([2.0, 2.0])], np.inf)  # all scores are equal
    assert len(across) > 2
    shares = shares_above(np.random.default_rng(0).random(100), sorted(np.random.default_rng(1).random(9)))
    assert shares == sorted(shares, reverse=True)
