"""TREC files: what is written reads back, here and in pytrec_eval; what is broken is named by file and line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import pytrec_eval

from encoders.errors import ArtifactError, CorpusError
from retrieval.evaluation.trec import iter_run, ranking, read_qrels, read_run, write_qrels, write_run

RUN = {"q2": {"d10": 0.1, "d9": 1 / 3, "ü": 0.1}, "q1": {"d1": -2.5e-30}}
QRELS = {"q2": {"d10": 2, "d9": 0, "ü": -1}, "q1": {"d1": 1}}


@pytest.mark.parametrize("name", ["a.run", "a.run.gz"])
def test_a_run_reads_back_exactly(tmp_path: Path, name: str) -> None:
    assert read_run(write_run(tmp_path / "new" / name, RUN)) == RUN


@pytest.mark.parametrize("name", ["a.qrels", "a.qrels.gz"])
def test_qrels_read_back_exactly(tmp_path: Path, name: str) -> None:
    assert read_qrels(write_qrels(tmp_path / name, QRELS)) == QRELS


def test_beir_qrels_read_back_with_grades_below_zero_as_zero(tmp_path: Path) -> None:
    path = write_qrels(tmp_path / "test.tsv.gz", QRELS)
    assert gzip.decompress(path.read_bytes()).startswith(b"query-id\tcorpus-id\tscore\n")
    assert read_qrels(path) == {"q2": {"d10": 2, "d9": 0, "ü": 0}, "q1": {"d1": 1}}


def test_pytrec_eval_reads_what_we_write(tmp_path: Path) -> None:
    run, qrels = write_run(tmp_path / "run", RUN), write_qrels(tmp_path / "qrels", QRELS)
    with run.open(encoding="utf-8") as stream:
        assert pytrec_eval.parse_run(stream) == RUN
    with qrels.open(encoding="utf-8") as stream:
        assert pytrec_eval.parse_qrel(stream) == QRELS


def test_ranks_follow_trec_eval_s_order(tmp_path: Path) -> None:
    lines = write_run(tmp_path / "run", RUN, tag="mine").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"q2 Q0 d9 1 {1 / 3!r} mine"
    # A tie: "ü" is above "d10" in bytes.
    assert [line.split()[2:4] for line in lines[1:]] == [["ü", "2"], ["d10", "3"], ["d1", "1"]]
    assert [line.document for line in iter_run(tmp_path / "run")] == ["d9", "ü", "d10", "d1"]


def test_ranking_ties_beyond_float32() -> None:
    assert ranking({"a": 1 + 1e-9, "b": 1.0}) == ["b", "a"]
    assert ranking({"a": 1 + 1e-6, "b": 1.0}) == ["a", "b"]
    assert ranking({"a": 1e300, "b": 1.0, "c": -float("inf")}) == ["a", "b", "c"]


def test_the_same_run_is_the_same_bytes(tmp_path: Path) -> None:
    one, two = write_run(tmp_path / "one.gz", RUN), write_run(tmp_path / "two.gz", RUN)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("q Q0 d 1 0.5 t\nq Q0 d 2\n", "x:2: expected 6 columns"),
        ("q Q0 d 1 high t\n", "x:1: the score should be a number, got 'high'"),
        ("q Q0 d 1 nan t\n", "x:1: the score should be a number"),
        ("q Q0 d 1 2 t\n\nq Q0 d 2 1 t\n", "document 'd' is returned twice for query 'q'"),
        ("\n \n", "x is empty"),
    ],
)
def test_a_broken_run_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(CorpusError, match=words):
        read_run(tmp_path / "x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("q 0 d 1\nq 0 e one\n", "x:2: the grade should be a whole number, got 'one'"),
        ("q 0 d\n", "x:1: expected 4 columns"),
        ("q 0 d 1\nq 0 d 2\n", "x:2: document 'd' has grade 2 for query 'q', but grade 1 in an earlier line"),
        ("", "x holds no judgements"),
        ("query-id\tcorpus-id\tscore\nq\td\tone\n", "x:2: "),
    ],
)
def test_broken_qrels_are_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(CorpusError, match=words):
        read_qrels(tmp_path / "x")


def test_a_byte_order_mark_and_tabs_are_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xef\xbb\xbfq\tQ0\td\xc2\xa0e\t1\t2.5\tt\r\n")
    assert read_run(tmp_path / "x") == {"q": {"d\u00a0e": 2.5}}


def test_missing_damaged_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="does not exist"):
        read_run(tmp_path / "none")
    path = write_run(tmp_path / "a.gz", {"q": {f"d{i}": float(i) for i in range(999)}})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CorpusError, match="damaged"):
        read_run(path)
    (tmp_path / "latin").write_bytes(b"q Q0 \xe9 1 1 t\n")
    with pytest.raises(CorpusError, match="latin:1: the line is not UTF-8"):
        read_run(tmp_path / "latin")


def test_a_binary_file_is_not_printed_whole(tmp_path: Path) -> None:
    for name, raw in (("spaces", b"q 0 d " + b"\x00" * 500), ("tabs", b"q\td\t1\nq\td\t" + b"\x00" * 500)):
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(CorpusError, match=r"got .*\\x00") as raised:
            read_qrels(tmp_path / name)
        assert len(str(raised.value)) < len(str(tmp_path)) + 400
        assert "\0" not in str(raised.value)


@pytest.mark.parametrize("bad", ["two words", "", "tab\t", "no\u00a0break", "line\n"])
def test_ids_that_the_format_cannot_hold_are_refused_and_nothing_changes(tmp_path: Path, bad: str) -> None:
    path = write_run(tmp_path / "run", RUN)
    before = path.read_bytes()
    for run in ({"q": {"fine": 2.0, bad: 1.0}}, {bad: {"d": 1.0}}):
        with pytest.raises(CorpusError, match="one word"):
            write_run(path, run)
    with pytest.raises(CorpusError, match="one word"):
        write_qrels(path, {"q": {bad: 1}})
    with pytest.raises(CorpusError, match="one word"):
        write_run(path, RUN, tag=bad)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_a_score_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="'d' has a score that is not a number"):
        write_run(tmp_path / "run", {"q": {"d": float("nan"), "e": 1.0}})


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="cannot write"):
        write_run(tmp_path / "file" / "run", RUN)
