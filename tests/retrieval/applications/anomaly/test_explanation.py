"""Why an item is strange: the component that was changed comes first, by every way to find it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import BadItemError, OptionError, QueryError, UnknownNameError
from retrieval.applications.anomaly.data import read_item
from retrieval.applications.anomaly.detection import detect
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.given import GivenItems
from retrieval.report.figures.heat_map import write_heat_map
from retrieval.report.terminal.anomalies import detection_lines, explanation_json, explanation_lines


@pytest.mark.parametrize("space", ["vectors+pca:2", "pca:2", "vectors+gaussian", "vectors", "vectors+pca:6+gaussian"])
def test_the_wrong_column_comes_first(space, normal_rows):
    detector = AnomalyDetector.fit(normal_rows(400, 0), space)
    for row in normal_rows(5, 1):
        for column in range(6):
            wrong = row.copy()
            wrong[column] += 20
            found = detector.explain(wrong)
            first = found.components[0]
            assert first.name == f"column {column}"
            assert first.observed == pytest.approx(float(wrong[column]))
            assert abs(first.expected - row[column]) < abs(first.observed - row[column])
            assert first.nearest is not None
            shares = [one.share for one in found.components]
            assert shares == sorted(shares, reverse=True)
            assert sum(shares) == pytest.approx(1)
            assert found.p_value == detector.p_values(wrong[None])[0]
            assert found.score == detector.score(wrong[None])[0]


def test_shares_of_a_reconstruction_error_sum_to_the_score(of_rows, strange_rows):
    member = of_rows.members[0]
    row = strange_rows(1, 4)
    parts, observed, _ = member.score.by_component(member.stages.read(row))
    assert parts.sum() == pytest.approx(of_rows.score(row)[0])
    assert observed[0] == pytest.approx(row[0])


def test_the_nearest_normal_items_are_the_nearest(normal_rows):
    rows = normal_rows(50, 0)
    detector = AnomalyDetector.fit(rows, "vectors", list("ab") * 25)
    query = normal_rows(1, 7)[0]
    found = detector.explain(query, 4).nearest
    kept = [int(id) for id in detector.normal_items.ids]
    far = np.linalg.norm(rows[kept] - query, axis=1)
    assert [int(one.shown.id) for one in found] == [kept[at] for at in np.argsort(far)[:4]]
    assert [one.distance for one in found] == pytest.approx(sorted(far)[:4], rel=1e-3)
    assert [one.shown.label for one in found] == ["ab"[int(one.shown.id) % 2] for one in found]


@pytest.mark.parametrize(
    "space", ["vectors+gaussian", "gaussian", "vectors+pca:3+mixture:2", "vectors+nearest-density"]
)
def test_beside_a_density_stand_the_items_nearest_in_its_input(space, normal_rows, tmp_path):
    """The code of a density is one number: far items of the same likelihood would be the nearest."""
    rows = normal_rows(80, 0)
    detector = AnomalyDetector.fit(rows, space)
    detector = AnomalyDetector.load(detector.save(tmp_path / "saved"))
    kept = [int(id) for id in detector.normal_items.ids]
    for at in kept[:5]:
        found = detector.explain(rows[at] + np.float32(1e-3), 1).nearest
        assert int(found[0].shown.id) == at
        assert found[0].distance < 0.1


def test_several_spaces_are_explained_by_the_one_in_which_it_is_strangest(normal_rows, strange_rows):
    detector = AnomalyDetector.fit(normal_rows(600, 0), ["vectors", "vectors+pca:2"])
    found = detector.explain(strange_rows(1, 1)[0])
    assert found.space == "vectors+pca:2"
    assert list(found.by_space) == ["vectors", "vectors+pca:2"]
    assert any("explained by vectors+pca:2" in line for line in explanation_lines(found))


def test_unexpected_words_of_a_text_come_first(of_texts):
    found = of_texts.explain("river fish boat water lake loan")
    assert found.components[0].name == "loan"
    assert {one.name for one in found.components} <= {"river", "fish", "boat", "water", "lake", "loan"}
    unknown = of_texts.explain("quantum chromodynamics")
    assert unknown.components == []
    assert "score beyond all" in explanation_lines(unknown)[0]


def test_a_space_of_words_alone_explains_by_words(texts):
    detector = AnomalyDetector.fit([*texts(200, 1), "money bank loan", "loan money bank", "bank loan money"], "tfidf")
    assert detector.members[0].score.name == "neighbours"
    words = [one.name for one in detector.explain("river fish boat loan").components]
    assert words[:1] == ["loan"]


def test_a_picture_has_a_heat_map_where_it_was_changed(of_pictures, tmp_path):
    picture = np.full((5, 4), 60, np.uint8)
    picture[3, 1] = 250
    found = of_pictures.explain(picture, 2)
    assert np.unravel_index(found.heat.argmax(), (5, 4)) == (3, 1)
    assert found.heat.sum() == pytest.approx(1)
    assert (found.item == picture).all()
    assert found.expected.shape == (5, 4)
    assert found.components[0].name == "row 3, column 1"
    write_heat_map(found, tmp_path / "h.png")
    from PIL import Image

    with Image.open(tmp_path / "h.png") as image:
        assert image.width > 400
    with pytest.raises(BadItemError, match=r"should end in \.png"):
        write_heat_map(found, tmp_path / "h.jpg")


def test_only_pictures_have_a_heat_map(of_rows, tmp_path, strange_rows):
    with pytest.raises(BadItemError, match="only an explanation of a picture"):
        write_heat_map(of_rows.explain(strange_rows(1, 0)[0]), tmp_path / "h.png")
    assert not (tmp_path / "h.png").exists()


def test_a_small_p_value_is_not_0(of_rows, strange_rows):
    """With 200,000 held-out items, one of 200,001 normal items is expected to be as strange, not none."""
    many = replace(of_rows, calibration=np.linspace(0, 1, 200_000), record=replace(of_rows.record, n_distinct=200_000))
    rows = strange_rows(2, 0) * 100
    first = explanation_lines(many.explain(rows[0]))[0]
    assert "p-value 5e-06: of 1,000,000 normal items, 5 or fewer" in first
    lines = detection_lines(detect(many, GivenItems(rows, Modality.VECTOR)), 1)
    assert "5e-06" in lines[1]


def test_lines_and_json_say_the_same(of_rows, strange_rows):
    found = of_rows.explain(strange_rows(1, 0)[0])
    lines, value = explanation_lines(found), explanation_json(found)
    assert max(map(len, lines)) <= 100
    for one in value["components"][:3]:
        assert any(one["name"] in line and f"{one['share']:.1%}" in line for line in lines)
    assert value["p_value"] == found.p_value


def test_queries_of_every_form(of_rows, of_texts, tmp_path, normal_rows):
    np.save(tmp_path / "rows.npy", normal_rows(4, 3))
    np.save(tmp_path / "one.npy", normal_rows(4, 3)[2])
    by_id = read_item(of_rows, "@2", str(tmp_path / "rows.npy"))
    assert (by_id.content == read_item(of_rows, str(tmp_path / "one.npy"), None).content).all()
    assert (by_id.content == read_item(of_rows, str(by_id.content.tolist()), None).content).all()
    assert read_item(of_texts, "@@home", None).content == "@home"
    bad = [
        ("@2", None, OptionError, "--data"),
        ("@99", str(tmp_path / "rows.npy"), UnknownNameError, "unknown item '99' in"),
        ("@", str(tmp_path / "rows.npy"), QueryError, "is empty"),
        ("[1, 2", None, QueryError, "not valid"),
        ("[1, 2]", None, BadItemError, "6 numbers, got 2"),
        ("[1, 2, 3, 4, 5, true]", None, BadItemError, "array of 6 numbers"),
        ("[1, 2, 3, 4, 5, 1e99]", None, BadItemError, "number 5 is infinite"),
        ("nowhere.npy", None, QueryError, "is not a file"),
        (str(tmp_path / "rows.npy"), None, QueryError, "expected one vector of 6"),
    ]
    for text, data, _, message in bad:
        with pytest.raises(Exception, match=message):
            read_item(of_rows, text, data)
