"""Rows of a table: columns explain, streams are objects, and other columns are refused."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from encoders.errors import DimensionError, UnknownNameError
from encoders.row import Row
from retrieval.applications.anomaly.data import open_for, read_item
from retrieval.applications.anomaly.detection import Rule
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.stream import answers
from retrieval.report.terminal.anomalies import explanation_lines

NAMES = ("amount", "fee", "kind")


def table(n: int, seed: int) -> list[Row]:
    """A fee of a tenth of the amount; transfers are large."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["cash", "transfer"], n)
    amounts = np.where(kinds == "cash", rng.normal(50, 5, n), rng.normal(500, 50, n)).round(2)
    rows = zip(amounts.tolist(), rng.normal(0, 0.1, n).tolist(), kinds.tolist(), strict=True)
    return [Row(NAMES, (amount, round(amount / 10 + error, 3), kind)) for amount, error, kind in rows]


@pytest.fixture(scope="module", params=["columns+pca:2", "columns+gaussian:0.001", "columns"])
def detector(request) -> AnomalyDetector:
    return AnomalyDetector.fit(table(500, 0), request.param)


WRONG_FEE, WRONG_KIND = Row(NAMES, (500.0, 5.0, "transfer")), Row(NAMES, (500.0, 50.0, "cash"))


def test_wrong_rows_are_strange_and_the_column_says_why(detector):
    usual = detector.p_values(table(200, 1))
    assert (usual <= 0.05).mean() < 0.15
    assert detector.p_values([WRONG_FEE])[0] <= 0.05
    if "pca" not in str(detector.encoders[0]):  # two components hold the amounts, the fees, and no more
        assert detector.p_values([WRONG_KIND])[0] <= 0.05
    found = detector.explain(WRONG_FEE)
    assert {one.name for one in found.components} <= set(NAMES)
    assert sum(one.share for one in found.components) == pytest.approx(1)
    by_name = {one.name: one for one in found.components}
    assert by_name["fee"].observed == 5.0
    kind = detector.explain(WRONG_KIND).components
    assert {one.name: one.observed for one in kind}["kind"] == "cash"


def test_values_are_those_of_the_table():
    detector = AnomalyDetector.fit(table(500, 0), "columns+pca:2")
    found = detector.explain(WRONG_FEE)
    fee = next(one for one in found.components if one.name == "fee")
    assert 5 < fee.expected <= 60
    assert 30 < fee.nearest < 70 or fee.nearest < 10
    lines = explanation_lines(found)
    assert any(line.startswith("fee ") and "5.000" in line for line in lines)


def test_it_is_saved(detector, tmp_path):
    loaded = AnomalyDetector.load(detector.save(tmp_path / "d"))
    rows = [*table(5, 3), WRONG_FEE]
    assert (loaded.score(rows) == detector.score(rows)).all()
    assert loaded.explain(WRONG_FEE).components == detector.explain(WRONG_FEE).components
    assert loaded.record.columns == list(NAMES)


def test_a_stream_of_objects(detector):
    good = {"amount": 500, "fee": 50.0, "kind": "transfer"}
    lines = [
        good,
        {"fee": 5, "kind": "transfer", "amount": "500", "id": "x"},
        {**good, "fees": 1},
        [1, 2, 3],
        {"kind": "cash"},
    ]
    raw = "\n".join(map(json.dumps, lines)).encode()
    found = [
        json.loads(line)
        for line in b"".join(answers(detector, io.BytesIO(raw), Rule("false-alarms", 0.05))).splitlines()
    ]
    assert found[0]["p_value"] > 0.05 >= found[1]["p_value"]
    assert found[1]["id"] == "x"
    assert "unknown column of the table 'fees'; did you mean 'fee'?" in found[2]["error"]
    assert "expected an object with the columns amount, fee, kind" in found[3]["error"]
    assert "error" in found[4] or np.isfinite(found[4]["score"])


def test_files_and_queries_are_read_as_in_the_fit(tmp_path):
    for name, seed in (("old", 0), ("new", 1)):
        text = "\n".join([",".join(NAMES), *(",".join(map(str, row.values)) for row in table(300, seed))])
        (tmp_path / f"{name}.csv").write_text(text)
    from retrieval.collection.open import open_data

    detector = AnomalyDetector.fit(open_data(f"{tmp_path}/old.csv?columns=amount,fee"), "columns+pca:1")
    new = open_for(detector, str(tmp_path / "new.csv"))
    assert next(iter(new)).content.names == ("amount", "fee")
    item = read_item(detector, '{"amount": 500, "fee": 5}', None)
    assert detector.p_values([item.content])[0] < 0.05
    with pytest.raises(UnknownNameError, match="unknown column of the table 'fe'"):
        read_item(detector, '{"fe": 5}', None)


def test_other_columns_are_refused(detector):
    with pytest.raises(DimensionError, match="no column 'kind'"):
        detector.score([Row(("amount", "fee"), (1.0, 2.0))])
