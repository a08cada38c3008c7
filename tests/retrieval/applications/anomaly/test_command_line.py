"""``nearby anomalies`` as a user types it."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import cli


@pytest.fixture
def nearby(monkeypatch, capsysbinary):
    def run(*arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nearby", "anomalies", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        code = 0
        try:
            cli.main()
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


@pytest.fixture(scope="module")
def data(tmp_path_factory, normal_rows, strange_rows):
    folder = tmp_path_factory.mktemp("data")
    rows = np.concatenate([normal_rows(500, 0), strange_rows(50, 1)])
    np.savez(folder / "rows.npz", vectors=rows, labels=np.array(["good"] * 500 + ["bad"] * 50))
    np.save(folder / "new.npy", np.concatenate([normal_rows(50, 2), strange_rows(10, 3)]))
    np.save(folder / "normal.npy", normal_rows(80, 4))
    np.save(folder / "narrow.npy", normal_rows(5, 4)[:, :3])
    return folder


@pytest.fixture
def detector(nearby, data, tmp_path):
    arguments = ("fit", data / "rows.npz", "-s", "vectors+pca:2", "--normal", "good", "-o", tmp_path / "d")
    code, out, err = nearby(*arguments)
    assert (code, out.splitlines()[-1]) == (0, "fitted on 400 items, calibrated on 100 others")
    assert "next: nearby anomalies score" in err.splitlines()[-1]
    return tmp_path / "d"


def test_from_fit_to_a_reason(nearby, data, detector, tmp_path):
    code, out, err = nearby("score", detector, data / "new.npy", "-k", "3", "-o", tmp_path / "s.csv")
    assert code == 0
    first = out.splitlines()[1].split()
    assert (first[0], first[1]) == ("1", "!")
    assert int(first[4]) >= 50
    assert (tmp_path / "s.csv").read_text().splitlines()[1].split(",")[1] == first[4]
    command = err.splitlines()[-1].removeprefix("next: nearby anomalies ").split()
    code, out, _ = nearby(*command)
    assert code == 0
    assert out.splitlines()[3].startswith("column 3 ")


def test_json_of_every_verb(nearby, data, tmp_path):
    fit = nearby(
        "fit", data / "rows.npz", "-s", "vectors", "--normal", "good", "-o", tmp_path / "d", "--json", "-k", "3"
    )
    assert json.loads(fit[1])["spaces"] == [{"space": "vectors", "score": "neighbours", "k": 3}]
    scored = json.loads(nearby("score", tmp_path / "d", data / "new.npy", "--fdr", "10%", "--json")[1])
    assert (scored["rule"], scored["rate"], len(scored["items"])) == ("fdr", 0.1, 60)
    explained = json.loads(nearby("explain", tmp_path / "d", "@55", "--data", data / "new.npy", "--json")[1])
    assert explained["components"][0]["name"] == "column 3"
    asked = ("compare", data / "rows.npz", "-s", "vectors", "--normal", "good", "--false-alarms", "5%", "--json")
    compared = json.loads(nearby(*asked)[1])
    assert [one["name"] for one in compared["detectors"]] == ["vectors", "L2 norm of vectors"]


def test_a_stream_in_json_lines(nearby, detector, normal_rows):
    lines = [json.dumps(row.tolist()) for row in normal_rows(3, 5)]
    code, out, err = nearby("score", detector, "-", stdin="\n".join([*lines, "bad"]).encode())
    assert (code, err) == (0, "")
    found = list(map(json.loads, out.splitlines()))
    assert [one["line"] for one in found] == [1, 2, 3, 4]
    assert [one.keys() == {"line", "error"} for one in found] == [False, False, False, True]


@pytest.fixture(scope="module")
def payments(tmp_path_factory):
    folder = tmp_path_factory.mktemp("payments")
    rng = np.random.default_rng(0)
    rows = [f"{amount:.2f},{'card' if amount > 50 else 'cash'},{3 * amount:.2f},{amount / 2:.2f}" for amount in
            rng.normal(50, 9, 300)]  # fmt: skip
    (folder / "payments.csv").write_text("\n".join(["amount,kind,total,half", *rows]) + "\n")
    (folder / "changed.csv").write_text("amount,kind,total,fee\n1,card,3,1\n")
    (folder / "new.csv").write_text("half,total,kind,amount\n25,150,card,50\n25,15000,barter,50\n")
    (folder / "missing.csv").write_text("amount,kind\n" + "NA,\n" * 50)
    return folder


def test_a_table_from_fit_to_a_reason(nearby, payments, tmp_path):
    detector = tmp_path / "d"
    code, _, err = nearby("fit", f"{payments / 'payments.csv'}?columns=*", "-o", detector)
    assert code == 0
    assert err.startswith("no space is named, so nearby uses:  -s columns+pca:2\n")
    new = f"{payments / 'new.csv'}?columns=*"
    scored = json.loads(nearby("score", detector, new, "--false-alarms", "5%", "--json")[1])
    assert [(one["id"], one["flagged"]) for one in scored["items"]] == [("2", True), ("1", False)]
    code, out, _ = nearby("explain", detector, "@2", "--data", new)
    assert code == 0
    assert out.splitlines()[3].split()[0] in ("total", "kind")
    assert "barter *" in out
    query = '{"total": 15000, "kind": "barter", "amount": 50, "half": 25}'
    assert nearby("explain", detector, query)[1] == out
    explained = json.loads(nearby("explain", detector, query, "--json")[1])
    assert {one["name"]: one["observed"] for one in explained["components"]}["total"] == 15000
    code, out, _ = nearby("score", detector, "-", "--false-alarms", "5%", stdin=f"{query}\n{{}}".encode())
    assert [json.loads(line).get("flagged") for line in out.splitlines()] == [True, None]


def test_a_table_of_few_columns_has_a_default_space(nearby, payments, tmp_path):
    narrow = f"{payments / 'payments.csv'}?columns=amount,total"
    code, _, err = nearby("fit", narrow, "-o", tmp_path / "d")
    assert (code, err.splitlines()[0]) == (0, "no space is named, so nearby uses:  -s columns+gaussian")


BAD_TABLES = {
    "score DETECTOR CHANGED": "it lacks half and it has fee; choose columns with ?columns=",
    "score DETECTOR TEXTS": "fitted on rows, but 'TEXTS' holds texts (?columns=* reads the rows of a table)",
    "score DETECTOR digits": "fitted on rows, but 'digits' holds images",
    "fit MISSING -o OUT": "no column is left to encode (amount: every value is missing; kind: every value is missing)",
    "fit PAYMENTS --normal good -o OUT": "have no labels, so --normal good picks none",
    "fit PAYMENTS -s columns+pca:4 --normal good -o OUT": "have no labels",
    'explain DETECTOR {"amount":1e999}': "the value of 'amount' is infinite",
    'explain DETECTOR {"amuont":1}': "unknown column 'amuont' in the table; did you mean 'amount'?",
    "explain DETECTOR [1,2]": "the query is not a row of a table",
}


@pytest.mark.parametrize("line", BAD_TABLES)
def test_a_bad_table_is_one_sentence(nearby, payments, tmp_path, line):
    (tmp_path / "TEXTS.csv").write_text("text\nriver\n")
    names = {
        "DETECTOR": tmp_path / "d", "PAYMENTS": f"{payments / 'payments.csv'}?columns=*", "OUT": tmp_path / "out",
        "CHANGED": f"{payments / 'changed.csv'}?columns=*", "MISSING": f"{payments / 'missing.csv'}?columns=*",
        "TEXTS": tmp_path / "TEXTS.csv",
    }  # fmt: skip
    assert nearby("fit", names["PAYMENTS"], "-s", "columns+pca:2", "-o", names["DETECTOR"])[0] == 0
    code, out, err = nearby(*(names.get(word, word) for word in line.split()))
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("nearby: ")
    assert BAD_TABLES[line].replace("TEXTS", str(names["TEXTS"])) in err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_drift_is_said(nearby, data, detector):
    assert "no drift found in the scores" in nearby("score", detector, data / "normal.npy", "--as-normal")[1]


def test_a_default_space_is_chosen_and_said(nearby, data, tmp_path):
    code, _, err = nearby("fit", data / "normal.npy", "-o", tmp_path / "d")
    assert code == 0
    assert err.startswith("no space is named, so nearby uses:  -s vectors+pca:1\n")


def test_a_share_of_strange_items_is_estimated(nearby, data, tmp_path):
    for arguments in (("--contaminated", "-o", tmp_path / "d"), ("-o", tmp_path / "e", "--contaminated")):
        code, _, err = nearby("fit", data / "rows.npz", "-s", "vectors+pca:2", *arguments)
        assert code == 0
        assert "left out: a gap separates their scores from those of the others" in err
    code, _, err = nearby("fit", data / "rows.npz", "-s", "vectors+pca:2", "--contaminated", "x", "-o", tmp_path / "f")
    assert (code, "expected a share such as 1% or 0.01" in err) == (2, True)


def test_pages(nearby, data, detector, tmp_path):
    assert nearby("score", detector, data / "new.npy", "-o", tmp_path / "s.html")[0] == 0
    assert '<h3 id="strangest">' in (tmp_path / "s.html").read_text()
    asked = ("compare", data / "rows.npz", "-s", "vectors", "--normal", "good", "--false-alarms", "5%", "-o", tmp_path)
    assert nearby(*asked)[0] == 0
    assert (tmp_path / "anomalies.html").read_text().count("<article") == 12


def test_labels_the_wrong_way_round_are_said(nearby, data):
    rng = np.random.default_rng(0)
    rows = np.concatenate([0.1 * rng.standard_normal((200, 3)), 5 * rng.standard_normal((200, 3))])
    np.savez(data / "apart.npz", vectors=rows.astype(np.float32), labels=np.repeat(["near", "far"], 200))
    asked = ("compare", data / "apart.npz", "-s", "vectors", "-s", "vectors+gaussian", "--false-alarms", "10%")
    right, wrong = (nearby(*asked, "--normal", label) for label in ("near", "far"))
    assert (right[0], wrong[0]) == (0, 0)
    assert "wrong way round" not in right[1]
    said = " ".join(wrong[1].split())
    assert "AUROC below 0.5 for vectors, vectors+gaussian: the items called normal look stranger" in said
    assert "are the labels the wrong way round?" in said


def test_contaminated_data(nearby, data, tmp_path):
    code, _, err = nearby(
        "fit", data / "rows.npz", "-s", "vectors+pca:2", "--contaminated", "10%", "-o", tmp_path / "d"
    )
    assert code == 0
    assert "all 550 items are taken as normal" in err
    assert "55 items of 550 (10%) are left out: the strangest" in err


BAD = {
    "fit ROWS --normal goood -o OUT": "unknown label 'goood'; did you mean 'good'?",
    "fit NORMAL --normal good -o OUT": "have no labels, so --normal good picks none",
    "fit ROWS -s vectors --score reconstruction -o OUT": "'vectors' has no score 'reconstruction'",
    "fit ROWS -s pixels -o OUT": "'pixels' reads images, but this corpus holds vectors",
    "fit ROWS -s vectors -o DETECTOR": "replace it with --fresh",
    "fit ROWS -s vectors -o FOLDER": "exists and is not an anomaly detector",
    "fit ROWS -s vectors --hold-out 0% -o OUT": "the share to hold out is between 0% and 100%",
    "fit ROWS -s vectors --hold-out 20 -o OUT": "write 20%?",
    "fit ROWS -s vectors --contaminated many -o OUT": "expected a share such as 1% or 0.01",
    "score DETECTOR NARROW": "fitted on vectors of 6 numbers, but those of",
    "score DETECTOR digits": "fitted on vectors, but 'digits' holds images",
    "score DETECTOR NEW --false-alarms 0.5%": "needs at least 199 held-out normal items, and this detector has 100",
    "score DETECTOR NEW --false-alarms 1% --fdr 1%": "give one of them",
    "score DETECTOR NEW -o OUT": "should end in .csv, .jsonl or .html",
    "score DETECTOR - --fdr 10%": "needs the whole batch",
    "score DETECTOR - --as-normal": "leave --as-normal and -o out",
    "score FOLDER NEW": "is not an anomaly detector",
    "explain DETECTOR @3": "say of which data, as in --data",
    "explain DETECTOR @999 --data NEW": "unknown item '999' in",
    "explain DETECTOR [1]": "expected an array of 6 numbers, got 1",
    "explain DETECTOR @3 --data NEW -o OUT": "should end in .png",
    "compare ROWS -s vectors --normal good --normal bad": "a comparison needs anomalies",
    "compare ROWS -s vectors": "missing option '--normal'",
    "compare ROWS -s vectors --normal good --test 90%": "too few to train with",
}


@pytest.mark.parametrize("line", BAD)
def test_bad_input_is_one_sentence(nearby, data, detector, tmp_path, line):
    names = {
        "ROWS": data / "rows.npz", "NEW": data / "new.npy", "NORMAL": data / "normal.npy", "NARROW": data / "narrow.npy",
        "DETECTOR": detector, "FOLDER": data, "OUT": tmp_path / "out",
    }  # fmt: skip
    code, out, err = nearby(*(names.get(word, word) for word in line.split()))
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("nearby: ")
    assert BAD[line] in err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_the_data_that_is_scored_is_not_overwritten(nearby, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a,b\n" + "".join(f"{row},{row % 7}\n" for row in range(200)))
    address = f"{table}?columns=*"
    assert nearby("fit", address, "-s", "columns", "-o", tmp_path / "d")[0] == 0
    before = table.read_bytes()
    link = tmp_path / "link.csv"
    link.symlink_to(table)
    for out in (table, link):
        code, _, err = nearby("score", tmp_path / "d", address, "--false-alarms", "5%", "-o", out)
        assert code == 2
        assert "is the data that is read, and would be lost" in err
    assert table.read_bytes() == before
