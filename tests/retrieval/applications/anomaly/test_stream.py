"""Lines in, lines out: every line is answered, in order, as soon as it has come."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from encoders.errors import BadItemError, OptionError
from encoders.row import Row
from retrieval.applications.anomaly import stream
from retrieval.applications.anomaly.detection import Rule
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.stream import answers

RULE = Rule("false-alarms", 0.05)


class Pieces:
    """A pipe that brings the given pieces one after another."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)

    def read1(self, size: int, /) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


def answered(detector, raw: bytes, rule: Rule = RULE) -> list[dict]:
    return [json.loads(line) for line in b"".join(answers(detector, io.BytesIO(raw), rule)).splitlines()]


def lines_of(rows: np.ndarray) -> list[bytes]:
    return [json.dumps(row.tolist()).encode() for row in rows]


def test_rows_get_the_scores_that_they_get_together(of_rows, normal_rows, strange_rows):
    rows = np.concatenate([normal_rows(30, 1), strange_rows(10, 2)])
    found = answered(of_rows, b"\n".join(lines_of(rows)))
    assert [one["line"] for one in found] == list(range(1, 41))
    assert [one["score"] for one in found] == pytest.approx(of_rows.score(rows).tolist(), rel=1e-3)
    assert [one["p_value"] for one in found] == pytest.approx(of_rows.p_values(rows).tolist())
    assert [one["flagged"] for one in found] == [one["p_value"] <= 0.05 for one in found]
    assert sum(one["flagged"] for one in found[30:]) > 5


@pytest.mark.parametrize("size", [1, 7, 64])
def test_pieces_of_any_size_give_the_same(of_rows, normal_rows, size):
    raw = b"\n".join([*lines_of(normal_rows(5, 1)), b"oops", b"", *lines_of(normal_rows(2, 2))]) + b"\n"
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
    found = [json.loads(line) for line in b"".join(answers(of_rows, Pieces(*pieces), RULE)).splitlines()]
    whole = answered(of_rows, raw)
    assert [one["line"] for one in found] == [one["line"] for one in whole] == [1, 2, 3, 4, 5, 6, 8, 9]
    for one, other in zip(found, whole, strict=True):
        assert one.keys() == other.keys()
        assert one.get("score", 0) == pytest.approx(other.get("score", 0), rel=1e-3)


def test_a_line_is_answered_before_the_next_has_come(of_rows, normal_rows):
    first, second = lines_of(normal_rows(2, 1))
    pipe = Pieces(first + b"\n", second + b"\n")
    reading = answers(of_rows, pipe, RULE)
    assert json.loads(next(reading))["line"] == 1
    assert pipe.pieces == [second + b"\n"]
    assert json.loads(next(reading))["line"] == 2


BAD = {
    b"{": "not valid JSON",
    b"[1, 2]": "expected an array of 6 numbers, got 2",
    b"[1,2,3,4,5,null]": "expected an array of 6 numbers",
    b"[1,2,3,4,5,true]": "expected an array of 6 numbers",
    b'[1,2,3,4,5,"6"]': "expected an array of 6 numbers",
    b"[1,2,3,4,5,[6]]": "expected an array of 6 numbers",
    b"[1,2,3,4,5,1e60]": "number 5 is infinite",
    b"[1,2,3,4,5,NaN]": "not valid JSON at column 12: ",
    b"[1,2,3,4,5,1e999]": "the number at column 12 is beyond float64",
    b"7": "expected an array",
    b"null": "expected an array",
    b"{}": "needs the field 'vector'; this one has: none",
    b'{"text": "a"}': "needs the field 'vector'; this one has: text",
    b"\xff\xfe": "not valid JSON",
    b"[" * 10000: "not valid JSON",
    b"[1,2,3,4,5," + b"9" * 400 + b"]": "",
}


@pytest.mark.parametrize("line", BAD, ids=lambda line: line[:20].decode("latin-1"))
def test_a_bad_line_is_answered_and_the_others_too(of_rows, normal_rows, line):
    good = lines_of(normal_rows(2, 1))
    found = answered(of_rows, b"\n".join([good[0], line, good[1]]))
    assert [one["line"] for one in found] == [1, 2, 3]
    assert found[1].keys() == {"line", "error"}
    assert BAD[line] in found[1]["error"]
    assert "score" in found[0]
    assert "score" in found[2]


def test_a_line_without_end_is_refused_and_not_kept(of_rows, normal_rows, monkeypatch):
    monkeypatch.setattr(stream, "LONGEST", 200)
    (good,) = lines_of(normal_rows(1, 1))
    found = answered(of_rows, b"[" + b"1," * 5000 + b"\n" + good)
    assert found[0] == {"line": 1, "error": "a line has more than 200 bytes"}
    assert found[1]["line"] == 2
    assert "score" in found[1]


def test_objects_have_ids(of_rows, normal_rows):
    row = normal_rows(1, 1)[0].tolist()
    found = answered(of_rows, json.dumps({"id": "x7", "vector": row, "more": 1}).encode())
    assert found[0]["id"] == "x7"


def test_texts_as_they_are_as_json_and_in_objects(of_texts):
    raw = 'money loan\n"money loan"\n{"text": "money loan", "id": 3}\n{"text": ""}\n{"text": 7}\n"money\n'
    found = answered(of_texts, raw.encode() + b"\xff")
    scores = [one.get("score") for one in found]
    assert scores[0] == scores[1] == scores[2] == pytest.approx(of_texts.score(["money loan"])[0])
    assert scores[5] == pytest.approx(of_texts.score(['"money'])[0])  # no JSON: the line itself
    assert found[2]["id"] == 3
    assert [one.get("error") for one in found[3:5]] == ["expected a text that is not empty"] * 2
    assert found[6] == {"line": 7, "error": "not UTF-8"}


@pytest.fixture(scope="module")
def of_table():
    rng = np.random.default_rng(0)
    rows = [Row(("amount", "kind"), (float(n), "ab"[int(n) % 2])) for n in rng.normal(9, 2, 300).round().tolist()]
    return AnomalyDetector.fit(rows, "columns+pca:1", hold_out=0.3)


def test_rows_of_a_table_get_the_scores_that_they_get_together(of_table):
    rows = [Row(("amount", "kind"), (float(n), "abc"[n % 3])) for n in range(40)]
    objects = [{"kind": row["kind"], "id": n, "amount": int(row["amount"])} for n, row in enumerate(rows)]
    found = answered(of_table, b"\n".join(json.dumps(one).encode() for one in objects))
    assert [one["score"] for one in found] == pytest.approx(of_table.score(rows).tolist(), rel=1e-4)
    assert [one["id"] for one in found] == list(range(40))
    assert all("missing" not in one for one in found)


def test_an_id_is_no_column_unless_the_table_has_one(of_table):
    found = answered(of_table, b'{"_id": "x", "amount": 9, "kind": "a"}')
    assert (found[0]["id"], "error" in found[0]) == ("x", False)
    rows = [Row(("id", "amount"), (float(n % 7), float(n % 7) + n / 1000)) for n in range(60)]
    with_id = AnomalyDetector.fit(rows, "columns+gaussian", hold_out=0.5)
    (found,) = answered(with_id, b'{"id": 3, "amount": 3.003}')
    assert "id" not in found
    assert found["score"] == pytest.approx(with_id.score([rows[3]])[0])


def test_a_text_that_is_no_number_is_named_and_an_infinite_one_is_strange(of_table):
    texts = ["9", "nine", "inf", "-Infinity", "1e400"]
    found = answered(of_table, b"\n".join(json.dumps({"amount": one, "kind": "a"}).encode() for one in texts))
    assert [one.get("unread") for one in found] == [None, *[["amount"]] * 4]
    smallest = min(of_table.p_values_of(np.array([1e300])))
    assert [one["p_value"] == smallest for one in found] == [False, False, True, True, True]
    assert all(one["flagged"] for one in found[2:])


def test_a_column_that_a_line_lacks_is_missing_and_named(of_table):
    lines = [b'{"amount": 9}', b'{"amount": 9, "kind": null}', b'{"amount": "9.0", "kind": "N/A"}']
    lacking, null, cells = answered(of_table, b"\n".join(lines))
    assert lacking["missing"] == ["kind"]
    assert lacking["score"] == null["score"] == cells["score"]
    assert lacking["score"] == pytest.approx(of_table.score([Row(("amount", "kind"), (9.0, None))])[0])
    assert null.keys() == cells.keys() == {"line", "score", "p_value", "flagged"}


BAD_ROWS = {
    b"{}": "no value for any column: amount, kind",
    b'{"id": 7}': "no value for any column",
    b'{"amount": 1, "knid": "a"}': "unknown column 'knid' in the table; did you mean 'kind'?",
    b'{"amount": 1, "kind": "a", "more": 2}': "unknown column 'more' in the table",
    b'{"amount": 1e999, "kind": "a"}': "the number at column 12 is beyond float64",
    b'{"amount": NaN, "kind": "a"}': "not valid JSON",
    b"[1, 2]": "expected a JSON object with the columns amount, kind",
    b"7": "expected a JSON object",
    b"amount,kind": "not valid JSON",
}


@pytest.mark.parametrize("line", BAD_ROWS, ids=lambda line: line[:30].decode())
def test_a_bad_row_is_answered_with_its_number(of_table, line):
    good = b'{"amount": 3, "kind": "a"}'
    found = answered(of_table, b"\n".join([good, line, good]))
    assert [one["line"] for one in found] == [1, 2, 3]
    assert found[1].keys() == {"line", "error"}
    assert BAD_ROWS[line] in found[1]["error"]
    assert found[0]["score"] == pytest.approx(found[2]["score"])


def test_rows_that_no_space_can_read_are_found_among_many(of_table, monkeypatch):
    """A few halvings find them: the others get their scores."""
    lines = [json.dumps({"amount": n % 9, "kind": "a"}).encode() for n in range(500)]
    calls = []
    score = AnomalyDetector.score

    def refusing(self, rows):
        calls.append(len(rows))
        if any(row["amount"] == 77 for row in rows):
            raise BadItemError("row 0: odd")
        return score(self, rows)

    monkeypatch.setattr(AnomalyDetector, "score", refusing)
    lines[123] = lines[400] = b'{"amount": 77, "kind": "a"}'
    found = answered(of_table, b"\n".join(lines))
    assert [one["line"] for one in found if "error" in one] == [124, 401]
    assert {one.get("error") for one in found} == {None, "odd"}
    assert len(calls) < 60


def test_nothing_in_nothing_out(of_rows):
    assert answered(of_rows, b"") == answered(of_rows, b"\n\n  \n") == []


def test_what_a_stream_cannot_do_is_refused(of_rows, of_pictures):
    with pytest.raises(OptionError, match="--fdr needs the whole batch"):
        answered(of_rows, b"", Rule("fdr", 0.1))
    with pytest.raises(OptionError, match="this detector reads images"):
        answered(of_pictures, b"")
    with pytest.raises(OptionError, match="needs at least 999 held-out"):
        answered(of_rows, b"", Rule("false-alarms", 0.001))


@pytest.mark.parametrize(
    "line", [b'{"text": "money bank"', b'{"text": "money", "id": NaN}', b'{"text": "a", "id": [1]}']
)
def test_a_broken_object_is_not_a_text(of_texts, line):
    (found,) = answered(of_texts, line)
    assert found.keys() == {"line", "error"}


def test_an_id_that_cannot_be_answered_does_not_stop_the_stream(of_rows, normal_rows):
    (row,) = normal_rows(1, 1).tolist()
    deep = b'{"id": ' + b"[" * 300 + b"]" * 300 + b', "vector": ' + json.dumps(row).encode() + b"}"
    bad, good = answered(of_rows, deep + b"\n" + json.dumps(row).encode())
    assert "the id is a text or a number" in bad["error"]
    assert "score" in good


@pytest.mark.parametrize("id", [2**53 + 1, 2**63, 2**64 - 1, 2**64, 2**64 + 1, -(2**63) - 1, 10**40 + 7])
def test_long_ids_stay_exact(of_rows, normal_rows, id):
    """Orjson reads whole numbers from 2^64 on as floats, which would be another id."""
    row = normal_rows(1, 1)[0].tolist()
    (found,) = answered(of_rows, json.dumps({"id": id, "vector": row}).encode())
    assert str(found["id"]) == str(id)
