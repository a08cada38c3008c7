"""One reader of judgements: three columns or four, the same rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from encoders.errors import CorpusError
from retrieval.corpora.beir import Beir
from retrieval.evaluation.evaluate import evaluate_run
from retrieval.evaluation.trec import read_qrels, read_run, write_run

THREE, FOUR = "{}\t{}\t{}\n", "{} 0 {} {}\n"


def write(path: Path, layout: str, *judged: tuple[str, str, object]) -> Path:
    path.write_text("".join(layout.format(*one) for one in judged))
    return path


@pytest.mark.parametrize("layout", [THREE, FOUR])
def test_a_pair_judged_twice(tmp_path: Path, left_out: list, layout: str) -> None:
    path = write(tmp_path / "x", layout, ("q1", "a", 1), ("q1", "b", 2), ("q1", "a", 1))
    assert read_qrels(path) == {"q1": {"a": 1, "b": 2}}
    write(path, layout, ("q1", "a", 1), ("q1", "b", 2), ("q1", "a", 0))
    with pytest.raises(
        CorpusError, match="x:3: document 'a' has grade 0 for query 'q1', but grade 1 in an earlier line"
    ):
        read_qrels(path)
    assert read_qrels(path, left_out.append) == {"q1": {"a": 1, "b": 2}}
    assert len(left_out) == 1


@pytest.mark.parametrize("layout", [THREE, FOUR])
@pytest.mark.parametrize("grade", ["99999999999", "9" * 20, "9" * 5000, "-99999999999"])
def test_a_grade_of_too_many_digits(tmp_path: Path, layout: str, grade: str) -> None:
    path = write(tmp_path / "x", layout, ("q1", "b", 1), ("q1", "a", grade))
    with pytest.raises(CorpusError, match="x:2: the grade should be ") as raised:
        read_qrels(path)
    assert len(str(raised.value)) < len(str(path)) + 150


@pytest.mark.parametrize("layout", [THREE, FOUR])
@pytest.mark.parametrize("grade", ["1_000", "１", "0x1", "1.0", "1e0", "infinity", "٣"])
@pytest.mark.parametrize("line", [1, 2])
def test_a_grade_that_is_no_whole_number_is_refused_on_every_line(
    tmp_path: Path, layout: str, grade: str, line: int
) -> None:
    judged = [("q1", "b", "1"), ("q1", "c", "1")]
    judged[line - 1] = ("q1", "a", grade)
    with pytest.raises(CorpusError, match=rf"x:{line}: the grade should be a whole number, got '{grade}'"):
        read_qrels(write(tmp_path / "x", layout, *judged))


def test_spaces_around_a_grade_between_tabs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="x:1: the grade should be a whole number, got ' 1 '"):
        read_qrels(write(tmp_path / "x", THREE, ("q1", "a", " 1 ")))


@pytest.mark.parametrize("head", ["query-id\tcorpus-id\tscore", "Anfrage\tDokument\tNote", "q1\td2\tRelevance"])
def test_a_line_of_heads(tmp_path: Path, head: str) -> None:
    (tmp_path / "x").write_text(f"{head}\nq\td\t1\n")
    assert read_qrels(tmp_path / "x") == {"q": {"d": 1}}
    (tmp_path / "x").write_text(f"q\td\t1\n{head}\n")
    with pytest.raises(CorpusError, match="x:2: the grade"):
        read_qrels(tmp_path / "x")


def test_blank_lines_first_and_empty_ids(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("\n\nq\td\t1\n")
    assert read_qrels(tmp_path / "x") == {"q": {"d": 1}}
    (tmp_path / "x").write_text("q\td\t1\n\td\t1\n")
    with pytest.raises(CorpusError, match="x:2: expected 3 columns"):
        read_qrels(tmp_path / "x")


def test_a_folder_is_judged_by_the_same_reader(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    write(tmp_path / "qrels" / "test.tsv", THREE, ("q", "a", 1), ("q", "a", 2))
    with pytest.raises(CorpusError, match=r"test\.tsv:2: document 'a' has grade 2"):
        Beir(tmp_path, "folder").qrels()


@pytest.mark.parametrize("score", ["1_000", "１", "infinity", "-inf", "nan", "1e999", "0x1p3"])
def test_a_score_that_is_no_number(tmp_path: Path, score: str) -> None:
    (tmp_path / "x").write_text(f"q Q0 d 1 2.5 t\nq Q0 e 2 {score} t\n")
    with pytest.raises(CorpusError, match=f"x:2: the score should be a number, got '{score}'"):
        read_run(tmp_path / "x")


def test_an_infinite_score_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="document 'd' has the score -inf, which is not finite"):
        write_run(tmp_path / "x", {"q": {"d": -np.inf, "e": 1.0}})
    assert not (tmp_path / "x").exists()


def test_a_grade_from_python_that_is_too_large_is_one_sentence() -> None:
    with pytest.raises(CorpusError, match="a grade should be at most 2,147,483,647; got 99999999999"):
        evaluate_run({"q": {"a": 1.0}}, {"q": {"a": 99999999999}}, ["nDCG"])
