"""Detectors compared by labels; and batches of new items: verdicts, drift."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import BadItemError, CorpusError, DimensionError, OptionError
from retrieval.applications.anomaly.comparison import compare_detectors
from retrieval.applications.anomaly.detection import Rule, detect
from retrieval.applications.anomaly.given import GivenItems
from retrieval.report.terminal.anomalies import detection_json, detection_lines, write_detection
from retrieval.report.terminal.detectors import detectors_json, detectors_lines


@pytest.fixture(scope="module")
def corpus(normal_rows, strange_rows):
    rows = np.concatenate([normal_rows(500, 0), strange_rows(60, 1)])
    return GivenItems(rows, Modality.VECTOR, ["good"] * 500 + ["bad"] * 60)


@pytest.fixture(scope="module")
def compared(corpus):
    spaces = ["vectors+pca:2", "vectors+pca:3", "vectors+binarize", "vectors+deep-ae:8-2,epochs=1"]
    return compare_detectors(corpus, spaces, ["good"], false_alarms=0.05)


def test_it_says_who_finds_them(compared):
    assert (compared.n_training, compared.n_held_out, compared.n_normal, compared.n_anomalies) == (300, 100, 100, 60)
    by_name = {one.name: one for one in compared.results}
    assert compared.best.name in ("vectors+pca:2", "vectors+pca:3")
    best = by_name["vectors+pca:2"]
    assert best.auroc.value > 0.99
    assert best.recall > 0.9
    assert best.false_alarms < 0.15
    assert by_name["vectors+binarize"].auroc.value < 0.9
    assert by_name["vectors+binarize"].against_best.found
    assert compared.best.against_best is None


def test_trivial_detectors_stand_beside_it(compared):
    names = [one.name for one in compared.results if one.is_baseline]
    assert names == ["L2 norm of vectors", "untrained vectors+deep-ae:8-2,epochs=1"]


def test_equal_detectors_are_not_said_to_differ(corpus):
    found = compare_detectors(
        corpus, ["vectors+pca:2", "vectors+pca:2,solver=auto", "pca:2"], ["good"], false_alarms=0.05
    )
    lines = detectors_lines(found)
    assert any(line.startswith("= no difference found to ") for line in lines)


def test_lines_fit_and_say_the_same_as_json(compared):
    lines, value = detectors_lines(compared), detectors_json(compared)
    assert "AUROC" in lines[3]
    table = [line for line in lines if " reconstruction " in line]
    assert len(table) == 5
    assert max(map(len, lines)) <= 100
    best = next(one for one in value["detectors"] if one["best"])
    assert best["name"] == compared.best.name
    assert f"* {best['name']} has the highest AUROC" in "\n".join(lines)


def test_labels_the_wrong_way_round_are_said_aloud(normal_rows):
    wide, narrow = 30 * normal_rows(200, 0), normal_rows(300, 1)  # those that are called normal are far apart
    corpus = GivenItems(np.concatenate([wide, narrow]), Modality.VECTOR, ["odd"] * 200 + ["usual"] * 300)
    found = compare_detectors(corpus, ["vectors"], ["odd"], false_alarms=0.1)
    assert found.best.auroc.value < 0.5
    assert any("the wrong way round" in line for line in detectors_lines(found))


def test_what_cannot_be_compared_is_refused(corpus):
    with pytest.raises(CorpusError, match=r"every item .* is normal by its label"):
        compare_detectors(corpus, ["vectors"], ["good", "bad"])
    with pytest.raises(OptionError, match="needs at least 199"):
        compare_detectors(corpus, ["vectors"], ["good"], false_alarms=0.005)


def test_a_batch_gets_verdicts_strangest_first(of_rows, corpus, tmp_path):
    found = detect(of_rows, corpus, Rule("false-alarms", 0.05))
    assert found.scores == pytest.approx(of_rows.score(corpus.items), rel=1e-3)
    assert found.flagged[500:].mean() > 0.9
    assert found.flagged[:500].mean() < 0.12
    lines = detection_lines(found, 3)
    assert lines[1].split()[4] == found.ids[int(found.scores.argmax())]
    assert f"{int(found.flagged.sum())} of 560 items flagged (!): of the normal items, 5% are expected" in lines[5]
    records = detection_json(found)["items"]
    assert [one["score"] for one in records] == sorted(found.scores.tolist(), reverse=True)
    write_detection(found, tmp_path / "a.csv")
    write_detection(found, tmp_path / "a.jsonl")
    rows = (tmp_path / "a.csv").read_text().splitlines()
    assert rows[0] == "rank,id,label,score,p_value,flagged,identical_to"
    assert len(rows) == 561 == 1 + len((tmp_path / "a.jsonl").read_text().splitlines())
    with pytest.raises(BadItemError, match=r"\.csv, \.jsonl or \.html"):
        write_detection(found, tmp_path / "a.txt")


def test_a_batch_by_false_discoveries(of_rows, corpus):
    found = detect(of_rows, corpus, Rule("fdr", 0.2))
    assert found.flagged[500:].mean() > 0.9
    assert found.flagged[:500].sum() <= 0.4 * found.flagged.sum()
    assert "at least 24 of 560 items must be that strange" in found.note
    assert "at least 24" in "\n".join(detection_lines(found, 3))


def test_drift_is_told_from_normal_items(of_rows, normal_rows, strange_rows):
    same = detect(of_rows, GivenItems(normal_rows(300, 8), Modality.VECTOR), as_normal=True, rule=Rule("fdr", 0.1))
    assert not same.drift.found
    assert any(
        "no drift found in the scores" in line and "assumes that all 300 items are normal" in line
        for line in detection_lines(same, 1)
    )
    moved = detect(of_rows, GivenItems(strange_rows(300, 8), Modality.VECTOR), as_normal=True, rule=Rule("fdr", 0.1))
    assert moved.drift.found
    assert "fit again with newer items" in detection_lines(moved, 1)[-1]
    assert detect(of_rows, GivenItems(strange_rows(30, 8), Modality.VECTOR), Rule("fdr", 0.1)).drift is None


def test_other_data_are_refused_and_no_data_are_no_items(of_rows):
    rule = Rule("false-alarms", 0.05)
    with pytest.raises(BadItemError, match="fitted on vectors, but 'the given items' holds texts"):
        detect(of_rows, GivenItems(["a text"], Modality.TEXT), rule)
    with pytest.raises(DimensionError, match="vectors of 6 numbers, but those of 'the given items' have 2"):
        detect(of_rows, GivenItems([[1.0, 2.0]], Modality.VECTOR), rule)
    empty = detect(of_rows, GivenItems(np.zeros((0, 6), np.float32), Modality.VECTOR), rule, as_normal=True)
    assert (empty.ids, len(empty.scores), empty.drift) == ([], 0, None)
    assert detection_lines(empty, 5) == ["0 of 0 items flagged (!): of the normal items, 5% are expected to be flagged"]


def test_rules():
    assert Rule.read(None, None) == Rule("false-alarms", 0.01)
    assert Rule.read(None, 0.1) == Rule("fdr", 0.1)
    with pytest.raises(OptionError, match="give one of them"):
        Rule.read(0.1, 0.1)
    for rate in (0.0, 1.0):
        with pytest.raises(OptionError, match="between 0% and 100%"):
            Rule.read(None, rate)
        with pytest.raises(OptionError, match="between 0% and 100%"):
            Rule.read(rate, None)
