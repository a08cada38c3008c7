"""Rows of a table: the laws of a detector, explanations by column in their own units, and bad tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import ArtifactError, BadItemError, DimensionError, OptionError, UnsupportedSpaceError
from encoders.progress import Watched, watching
from encoders.row import Row
from retrieval.applications.anomaly.comparison import compare_detectors
from retrieval.applications.anomaly.data import read_item
from retrieval.applications.anomaly.detection import Rule, detect
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.given import GivenItems
from retrieval.corpora.registry import open_corpus
from retrieval.report.html.anomalies import page
from retrieval.report.terminal.anomalies import explanation_json, explanation_lines

NAMES = ("amount", "total", "kind", "day", "fee")
SPACES = {
    "columns+pca:3": "reconstruction",
    "columns+kmeans:20": "reconstruction",
    "columns+deep-ae:16-3,epochs=40,batch-size=32": "reconstruction",
    "columns+gaussian": "likelihood",
    "columns": "neighbours",
}


def table(n: int, seed: int) -> list[Row]:
    """Rows whose total is three times the amount, and whose fee is missing for cash."""
    rng = np.random.default_rng(seed)
    rows = []
    for amount in rng.normal(100, 20, n).round(2).tolist():
        kind = str(rng.choice(["card", "cash", "cheque"]))
        day = f"2024-01-{int(rng.integers(1, 29)):02d}"
        fee = None if kind == "cash" else float(np.round(rng.normal(2, 0.1), 2))
        rows.append(Row(NAMES, (amount, round(3 * amount + float(rng.normal(0, 1)), 2), kind, day, fee)))
    return rows


def changed(row: Row, **values: object) -> Row:
    return replace(
        row, values=tuple(values.get(name, value) for name, value in zip(row.names, row.values, strict=True))
    )


@pytest.fixture(scope="module")
def detectors() -> dict[str, AnomalyDetector]:
    return {space: AnomalyDetector.fit(table(300, 0), space) for space in SPACES}


@pytest.fixture(scope="module")
def detector(detectors) -> AnomalyDetector:
    return detectors["columns+pca:3"]


@pytest.mark.parametrize("infinite", ["inf", "-inf", "Infinity", "1e999", "∞"])
@pytest.mark.parametrize("space", SPACES)
def test_the_row_of_an_infinite_number_is_stranger_than_every_other(detectors, space, infinite):
    """The column `amount` was never missing in the fit, so that it would count as the median: as usual as can be."""
    found, usual = detectors[space], table(20, 9)
    scores = found.score([changed(usual[0], amount=infinite), changed(usual[1], amount=1e30), *usual])
    assert scores[0] > scores[1:].max()
    explanation = found.explain(changed(usual[0], amount=infinite))
    assert [(one.name, one.share, one.observed) for one in explanation.components] == [("amount", 1.0, infinite)]
    assert "infinite" in explanation.means
    assert explanation.p_value == found.p_values([changed(usual[1], amount=1e30)])[0]


@pytest.mark.parametrize("space", SPACES)
def test_one_by_one_permuted_and_with_columns_in_another_order_are_the_same(detectors, space):
    detector = detectors[space]
    assert detector.members[0].score.name == SPACES[space]
    rows = [*table(15, 1), changed(table(1, 2)[0], total=900.0), changed(table(1, 3)[0], kind="barter", fee=None)]
    together = detector.score(rows)
    assert np.isfinite(together).all()
    assert len(np.unique(together)) > 10
    close = {"rel": 1e-3, "abs": 1e-4}
    order = np.random.default_rng(0).permutation(len(rows))
    assert detector.score([rows[at] for at in order]) == pytest.approx(together[order], **close)
    assert [detector.score([row])[0] for row in rows] == pytest.approx(together.tolist(), **close)
    turned = [Row(row.names[::-1], row.values[::-1]) for row in rows]
    assert detector.score([*turned, *rows])[: len(rows)] == pytest.approx(together, **close)


@pytest.mark.parametrize("space", SPACES)
def test_saved_and_loaded_is_the_same(detectors, space, tmp_path):
    detector, rows = detectors[space], table(20, 4)
    loaded = AnomalyDetector.load(detector.save(tmp_path / "d"))
    assert (loaded.score(rows) == detector.score(rows)).all()
    assert (loaded.record, loaded.columns) == (detector.record, NAMES)
    assert loaded.normal_items == detector.normal_items
    assert loaded.normal_items.rows[0].names == NAMES
    assert loaded.explain(rows[0]) == detector.explain(rows[0])
    assert not list((tmp_path / "d").rglob("*.pkl"))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(("column", "value"), [("kind", "barter"), ("fee", 9.0)])
def test_the_wrong_column_comes_first_in_its_own_units(detectors, space, column, value):
    card = next(row for row in table(20, 5) if row["kind"] == "card")
    found = detectors[space].explain(changed(card, **{column: value}))
    first = found.components[0]
    assert (first.name, first.observed, first.is_rare) == (column, value, column == "kind")
    usual = {"kind": ("card", "cash", "cheque"), "fee": (None,)}[column]
    assert first.expected in usual or first.expected < value
    assert first.nearest in ("card", "cash", "cheque", None) or isinstance(first.nearest, float)
    assert {one.name for one in found.components} <= set(NAMES)  # columns, not components of codes
    assert sum(one.share for one in found.components) == pytest.approx(1)
    assert [one.share for one in found.components] == sorted((one.share for one in found.components), reverse=True)


def test_expected_values_are_near_the_true_ones(detector):
    row = changed(table(1, 6)[0], total=900.0)
    by_name = {one.name: one for one in detector.explain(row).components}
    assert by_name["total"].observed == 900
    assert by_name["day"].expected is None or by_name["day"].expected.startswith("202")
    assert 100 < by_name["total"].expected < 1200


def test_shares_of_columns_add_those_of_their_components(detector):
    row = changed(table(1, 7)[0], kind="barter")
    (member,) = detector.members
    parts, _, _ = member.score.by_component(member.stages.read([row]))
    for one in detector.explain(row).components:
        part = member.stages.table.components_of()[one.name]
        assert one.share == pytest.approx(parts[0, part].sum() / parts.sum())


def test_a_category_that_no_training_row_has_counts_as_one_more_row():
    """Its component never varies: its error must not drown every other column."""
    rows = table(400, 0)
    detector = AnomalyDetector.fit(rows, "columns+pca:3")
    (member,) = detector.members
    at = member.stages.table.vocabulary.index("kind other")
    parts, _, _ = member.score.by_component(member.stages.read([changed(rows[0], kind="barter")]))
    assert parts[0, at] == pytest.approx(detector.record.n_training + 1, rel=0.1)
    assert (member.score.scale >= 1 / np.sqrt(detector.record.n_training + 1)).all()


def test_lines_fit_and_json_has_values(detector):
    row = changed(table(1, 8)[0], kind="a very long name of a kind", fee=None, total=12345.678)
    found = detector.explain(row)
    lines, value = explanation_lines(found), explanation_json(found)
    assert max(map(len, lines)) <= 100
    assert any(line.startswith("kind") and " * " in line for line in lines)
    assert any(line.startswith("* rare or absent") for line in lines)
    by_name = {one["name"]: one for one in json.loads(json.dumps(value))["components"]}
    assert by_name["kind"]["observed"] == "a very long name of a kind"
    assert by_name["kind"]["rare"] is True
    assert by_name["total"]["observed"] == 12345.678
    if "fee" in by_name:
        assert by_name["fee"]["observed"] is None


def test_the_nearest_normal_rows_are_shown(detector):
    rows = table(300, 0)
    for one in detector.explain(rows[3]).nearest:
        assert one.shown.row == rows[int(one.shown.id)]
        assert "amount=" in one.shown.title


def test_a_query_is_a_json_object(detector, capsys):
    row = table(1, 9)[0]
    text = json.dumps(dict(zip(row.names[::-1], row.values[::-1], strict=True)))
    assert read_item(detector, text, None).content == row
    assert read_item(detector, '{"amount": 5}', None).content.values == (5.0, None, None, None, None)


def _fit(spec: str, **options: object) -> Callable[[list[Row]], object]:
    return lambda rows: AnomalyDetector.fit(rows, spec, **options)


BAD = [
    (_fit("columns+pca:2"), lambda rows: [changed(row, amount=float("inf")) for row in rows], BadItemError, "infinite"),
    (_fit("columns+pca:2"), lambda rows: [Row(NAMES, (None,) * 5) for _ in rows], BadItemError, "no column is left"),
    (_fit("columns+pca:2"), lambda rows: [*rows, Row(("other",), (1.0,))], DimensionError, "no column"),
    (_fit("columns+pca:2"), lambda rows: rows[:1], OptionError, "too few to train with"),
    (_fit("columns+pca:2"), lambda rows: [[1.0, 2.0]], BadItemError, "should be a row of a table"),
    (_fit("columns+pca:9"), lambda rows: rows, UnsupportedSpaceError, "leaves nothing out"),
]


@pytest.mark.parametrize(("fit", "make", "error", "message"), BAD)
def test_bad_tables_are_refused_in_one_sentence(fit, make, error, message):
    with pytest.raises(error, match=message) as caught:
        fit(make(table(40, 0)))
    assert "\n" not in str(caught.value)


def test_a_table_with_other_columns_is_refused_by_name(detector):
    rows = [Row((*NAMES[:4], "tip"), row.values) for row in table(3, 0)]
    corpus = GivenItems(rows, detector.record.modality)
    with pytest.raises(DimensionError, match="it lacks fee and it has tip"):
        detector.scores_of(corpus)
    with pytest.raises(DimensionError, match="fee"):
        detector.score(rows)
    with pytest.raises(BadItemError, match="infinite"):
        detector.score([changed(table(1, 0)[0], amount=float("inf"))])


CHANGED_COLUMNS = {
    "kind: 30 of the first 30 values are new to the detector (such as '7')": {"kind": 7.0},
    "amount: 30 of the first 30 values are new to the detector (such as 'EUR x')": {"amount": "EUR x"},
    "total: 30 of the first 30 values are new to the detector (missing)": {"total": None},
    "day: 30 of the first 30 values are new to the detector (such as 'Monday')": {"day": "Monday"},
    "amount: a row with an infinite number is stranger than every other": {"amount": "inf"},
}


@pytest.mark.parametrize("sentence", CHANGED_COLUMNS)
def test_a_column_that_holds_something_else_is_said(detector, sentence):
    """All rows may be flagged, or none, because of such a column: a reader should know which one it is."""
    rows = table(30, 4)
    new = [changed(row, **CHANGED_COLUMNS[sentence]) for row in rows]
    watched = Watched()
    with watching(watched):
        detect(detector, GivenItems(new, Modality.ROW), Rule("false-alarms", 0.05))
    assert any(line.startswith(sentence) for line in watched.lines)
    assert sum("new to the detector" in line for line in watched.lines) == 1


def test_a_column_as_in_the_fit_is_no_change(detector):
    """Nor are a fee that was missing before, an anomaly or two, and a column most of whose categories were rare."""
    rare = [
        replace(row, values=(*row.values[:2], f"kind {at % 150}", *row.values[3:]))
        for at, row in enumerate(table(300, 0))
    ]
    of_rare = AnomalyDetector.fit(rare, "columns:rare=3,categorical=kind+pca:3")
    batches = [
        (detector, table(300, 8)),
        (detector, [changed(row, fee=None) for row in table(40, 8)]),
        (detector, [changed(row, kind="barter") for row in table(2, 8)]),
        (of_rare, rare[:100]),
    ]
    for one, rows in batches:
        watched = Watched()
        with watching(watched):
            detect(one, GivenItems(rows, Modality.ROW), Rule("false-alarms", 0.05))
        assert not any("new to the detector" in line for line in watched.lines)


def test_rows_that_are_no_rows_are_refused_when_loaded(detector, tmp_path):
    from encoders.artifact import digest_of, sealed

    folder = detector.save(tmp_path / "d")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest.pop("digest")
    normal = json.loads((folder / "normal.json").read_text())
    changes = [
        {"rows": normal["rows"][1:]}, {"rows": 3}, {"columns": [*NAMES[:4], "tip"]}, {"columns": ["a"] * 5},
        {"rows": [[True] * 5, *normal["rows"][1:]]}, {"rows": [[1.0], *normal["rows"][1:]]},
    ]  # fmt: skip
    for change in changes:
        (folder / "normal.json").write_text(json.dumps({**normal, **change}))
        manifest["digests"]["normal.json"] = digest_of(folder / "normal.json")
        (folder / "manifest.json").write_text(json.dumps(sealed(manifest)))
        with pytest.raises(ArtifactError, match="is corrupt"):
            AnomalyDetector.load(folder)


def test_several_spaces_are_combined(detectors):
    both = AnomalyDetector.fit(table(300, 0), ["columns+pca:3", "columns+gaussian"])
    row = changed(table(1, 1)[0], kind="barter")
    assert both.p_values([row])[0] < 0.05
    assert both.explain(row).components[0].name == "kind"


def test_malignant_cells_are_found(tmp_path):
    spaces = ["columns+pca:8", "columns+gaussian"]
    found = compare_detectors(open_corpus("breast-cancer"), spaces, ["benign"], false_alarms=0.05)
    by_name = {one.name: one for one in found.results}
    assert min(by_name[name].auroc.value for name in spaces) > 0.92
    assert "L2 norm of columns" in by_name
    html = page(found, {})
    assert "malignant" in html
    assert html.count("mean radius=") == 25  # each of the strangest rows in one line
    assert "columns+pca:8" in html.replace("<wbr>", "")
