"""CSV and TSV: quotations that never end, what parts the columns, texts or ratings."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoders.codes import Modality
from encoders.errors import CorpusError, OptionError
from retrieval.corpora import csv_dialect
from retrieval.corpora.registry import open_corpus


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def contents(address: str, bad: list | None = None) -> list:
    return [item.content for item in open_corpus(address, **({} if bad is None else {"on_bad": bad.append}))]


UNCLOSED = [
    ('1,"an unclosed note\n2,red kite\n3,green boat\n', 2, ["red kite", "green boat"]),
    ('1,one\n2,"unclosed\n3,red kite\n', 3, ["one", "red kite"]),
    ('1,one\n2,"unclosed', 3, ["one"]),
    ('1,"unclosed\n2,red kite\n3,"green boat"\n4,four\n', 2, ["red kite", "green boat", "four"]),
    ('1,"two\nlines"\n2,"unclosed\r\n3,"green\nboat"\n', 4, ["two\nlines", "green\nboat"]),
    ('"1\n",one\n"2\n","unclosed\n3,red kite\n', 5, ["one", "red kite"]),
]


@pytest.mark.parametrize(("rows", "line", "others"), UNCLOSED)
def test_an_unclosed_quotation_is_named_by_the_line_where_it_begins(
    tmp_path: Path, left_out: list, rows: str, line: int, others: list
) -> None:
    path = write(tmp_path / "t.csv", f"id,text\n{rows}")
    with pytest.raises(CorpusError, match=rf"t\.csv:{line}: the quotation.* in column 'text' .*\?quote=none"):
        contents(str(path))
    assert contents(str(path), left_out) == others
    assert len(left_out) == 1
    assert len(str(left_out[0])) < len(str(path)) + 250


def test_quotation_marks_may_be_characters_as_others(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'id,text\n1,"an unclosed note\n2,6" nails\n')
    assert contents(f"{path}?quote=none") == ['"an unclosed note', '6" nails']
    path = write(tmp_path / "t.csv", "id,text\n1,'one, two'\n")
    assert contents(f"{path}?quote='") == ["one, two"]


def test_what_is_well_quoted_or_only_odd_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'id,text\n1,"a ""b"",\r\nc"\n2,6" nails\n3,"odd" end\n4,""\n')
    assert contents(str(path)) == ['a "b",\r\nc', '6" nails', "odd end", ""]


def test_an_error_names_the_line_on_which_a_row_begins(tmp_path: Path, left_out: list) -> None:
    path = write(tmp_path / "t.csv", 'id,text\n1,"two\nlines",more\n2,one\n3\n')
    assert contents(str(path), left_out) == ["one"]
    assert [str(error).removeprefix(str(path)) for error in left_out] == [
        ":2: expected 2 cells, found 3: ['1', 'two\\nlines', 'more']",
        ":5: expected 2 cells, found 1: ['3']",
    ]


def test_a_cell_without_end_is_not_read_whole(tmp_path: Path, left_out: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_dialect, "LONGEST_CELL", 1000)
    path = write(tmp_path / "t.csv", 'id,text\n1,"unclosed\n' + "2,more\n" * 500)
    assert len(contents(str(path), left_out)) == 500
    assert len(left_out) == 1
    assert "t.csv:2: " in str(left_out[0])


def test_many_unclosed_quotations_are_read_in_one_pass(tmp_path: Path, left_out: list) -> None:
    path = write(tmp_path / "t.csv", "id,text\n" + '1,"unclosed\n' * 3000 + "2,red kite\n")
    assert contents(str(path), left_out) == ["red kite"]
    assert len(left_out) == 3000


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_what_parts_the_columns_shows_in_the_first_line(tmp_path: Path, mark: str, name: str) -> None:
    path = write(tmp_path / name, f"id{mark}text\n1{mark}red kite\n")
    assert contents(str(path)) == ["red kite"]
    path = write(tmp_path / name, f"user{mark}item{mark}rating\nu{mark}i{mark}5\n")
    assert open_corpus(str(path)).ratings().users == ["u"]


def test_a_mark_within_a_name_parts_nothing(tmp_path: Path) -> None:
    assert contents(str(write(tmp_path / "t.csv", "text\none; two\n"))) == ["one; two"]
    assert contents(str(write(tmp_path / "t.csv", "text,a;b\none,2\n"))) == ["one"]
    with pytest.raises(
        CorpusError,
        match=r"no column 'text'; name the column of the texts, as in '.*\?text=body', or .*columns=\*; its columns: id, body",
    ):
        contents(str(write(tmp_path / "t.csv", "id;body\n1;x\n")))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("delimiter=;;", "delimiter should be"),
        ("quote=ab", "quote should be"),
        ("quote=;&delimiter=;", "should differ"),
    ],
)
def test_marks_that_no_table_can_have(tmp_path: Path, options: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        contents(f"{write(tmp_path / 't.csv', 'text')}?{options}")


def test_a_table_of_ratings_and_texts_is_what_is_asked_for(tmp_path: Path, capsys) -> None:
    path = write(tmp_path / "t.csv", "user,item,rating,text\nu1,i1,5,red kite\nu2,i1,3,green boat\n")
    for options in ("text=text", "label=user&text=text", "id=user"):
        assert contents(f"{path}?{options}") == ["red kite", "green boat"]
    assert capsys.readouterr().err == ""
    for address in (str(path), f"{path}?by=user", f"{path}?rating=rating", f"{path}?delimiter=,"):
        assert open_corpus(address).modality is Modality.VECTOR
    said = capsys.readouterr().err.splitlines()
    assert said == [f"{path} is read as ratings; ?text=text reads its texts"] * 2
    with pytest.raises(OptionError, match="ratings has no option 'text'"):
        open_corpus(f"{path}?text=text&by=user")
    path = write(tmp_path / "o.csv", "who,what,mark\nu1,i1,5\n")
    assert open_corpus(f"{path}?user=who&item=what&rating=mark").ratings().items == ["i1"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("a,y,good", "the column 'rating' should hold a number, got 'good'"),
        ("a,y,1_000", "the column 'rating' should hold a number, got '1_000'"),
        ("a,y,５", "the column 'rating' should hold a number, got '５'"),
        ("a,y,infinity", "the column 'rating' should hold a number, got 'infinity'"),
        (",y,3", "the column 'user' is empty"),
        ("a,,3", "the column 'item' is empty"),
        ("a", r"expected 3 cells, found 1: \['a'\]"),
    ],
)
def test_a_rating_that_is_none_is_said_by_line_column_and_value(tmp_path: Path, cell: str, said: str) -> None:
    path = write(tmp_path / "t.csv", f"user,item,rating\nb,x,3\n{cell}\n")
    with pytest.raises(CorpusError, match=rf"t\.csv:3: {said}"):
        open_corpus(str(path)).ratings()


def test_an_unclosed_quotation_among_ratings(tmp_path: Path, left_out: list) -> None:
    path = write(tmp_path / "t.csv", 'user,item,rating\n"a,x,3\nb,x,3\n')
    with pytest.raises(CorpusError, match=r"t\.csv:2: the quotation mark in column 'user' is never closed"):
        open_corpus(str(path)).ratings()
    assert open_corpus(str(path), on_bad=left_out.append).ratings().users == ["b"]


@pytest.mark.parametrize("head", ['id,"text\n', '"id,text\n'])
def test_a_broken_head_is_refused_whatever_is_skipped(tmp_path: Path, left_out: list, head: str) -> None:
    path = write(tmp_path / "t.csv", f"{head}1,red kite\n")
    with pytest.raises(CorpusError, match=r"t\.csv:1: the quotation mark in cell \d is never closed"):
        contents(f"{path}?text=text", left_out)
    assert left_out == []
