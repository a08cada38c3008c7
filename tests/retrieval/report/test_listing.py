"""Answers and lists as lines: they fit, say nothing twice, and obey nobody."""

from __future__ import annotations

import subprocess

import pytest

from retrieval.collection.filters import Filter
from retrieval.corpora.address import option_names
from retrieval.corpora.catalogue import catalogue
from retrieval.corpora.registry import FORMATS, load_class
from retrieval.report.terminal.catalogue import (
    corpora_json,
    corpora_lines,
    encoders_lines,
    formats_json,
    formats_lines,
)
from retrieval.report.terminal.listing import aligned, answers_lines
from retrieval.search.query import Query
from retrieval.search.result import Answer, Shown
from retrieval.search.searcher import SpaceAnswers

QUERY = Query("words", Shown("query", None, "words"))


def lines_of(*answers: Answer, metric: str = "euclidean", note: str | None = None) -> list[str]:
    options = (
        "bow:2000,stop=english+deep-ae:500-250-128,loss=auto,metric=auto,output=auto,activation=silu,norm=batch,k=1"
    )
    return answers_lines(QUERY, [SpaceAnswers("bow", options, metric, list(answers), 1.5, note)], verbose=True)


def answer(**shown: str | None) -> Answer:
    return Answer(Shown(**{"id": "7", "label": None, **shown}), -2.0, 2.0, None)


def test_long_options_are_wrapped_and_none_is_lost():
    lines = lines_of(answer())
    assert max(map(len, lines)) <= 100
    assert "norm=batch,k=1" in "".join(line.strip() for line in lines)


@pytest.mark.parametrize(
    ("shown", "head"),
    [({}, "distance  id"), ({"title": "7"}, "distance  id"), ({"label": "x"}, "distance  id  label"),
     ({"title": "Seven"}, "distance  id  title")],
)  # fmt: skip
def test_a_column_that_says_nothing_is_left_out(shown, head):
    assert lines_of(answer(**shown))[-2].strip() == head


def test_bits_that_differ_are_whole():
    assert lines_of(answer(), metric="hamming")[-1].split() == ["1", "2", "7"]


@pytest.mark.parametrize(("note", "why"), [("no word is known", "no word is known"), (None, "nothing|in common")])
def test_where_there_is_no_answer_the_reason_stands(note, why):
    last = lines_of(note=note)[-1]
    assert "no answer: " in last
    assert any(words in last for words in why.split("|"))
    assert (" ms" in lines_of(note=note)[2]) is (note is None)


def test_what_a_terminal_would_obey_is_not_printed():
    assert aligned(["id"], [["red\x1b[31m"], ["two\nlines"]]) == ["id", "red?[31m", "two?lines"]


def test_options_are_shown_to_those_who_ask():
    found = [SpaceAnswers("bm25", "bm25:k1=1.2", "dot", [answer()], 1.5)]
    assert "k1=1.2" not in "".join(answers_lines(QUERY, found))
    assert "  bm25:k1=1.2" in answers_lines(QUERY, found, verbose=True)


def test_an_id_that_a_terminal_cannot_show_can_be_copied_into_a_shell():
    last = lines_of(answer(id="a\u2028b", title="soft\u00adhyphen"))[-1]
    assert last.split() == ["1", "2.000", "$'a\\u2028b'", "softhyphen"]
    copied = subprocess.run(["bash", "-c", f"printf %s {last.split()[2]}"], capture_output=True, check=True)
    assert copied.stdout.decode() == "a\u2028b"


def test_a_long_spec_goes_on_below_itself_and_pushes_nothing_out():
    spec = "bow:2000,stop=english+deep-ae:500-250-128,epochs=15,activation=relu,norm=none,learning-rate=0.01"
    lines = aligned(["space", "index", "dim"], [[spec, "exact", "128"]], right=[2], specs=[0])
    assert [line[-3:] for line in lines[:2]] == ["dim", "128"]
    assert "".join(line.split("  exact")[0].strip() for line in lines[1:]) == spec
    assert max(map(len, lines)) <= 100


def test_lists_fit_and_say_what_may_be_chosen():
    lines = encoders_lines()
    assert max(map(len, lines)) <= 100
    assert any("method=lucene" in line and "robertson, atire" in line for line in lines)


def test_every_corpus_says_what_it_holds():
    lines = corpora_lines(catalogue())
    assert lines[0].split() == ["corpus", "modality", "items", "where", "MB", "licence"]
    assert max(map(len, lines)) <= 100
    row = next(number for number, line in enumerate(lines) if line.startswith("digits "))
    assert lines[row + 1] == "  Pictures of handwritten digits, 8x8 grey; the label is the digit."
    assert "split" in next(info["options"] for info in corpora_json(catalogue()) if info["name"] == "mnist")


def test_every_format_names_all_its_options():
    lines = formats_lines()
    assert max(map(len, lines)) <= 100
    assert "csv      Texts in a .csv or .tsv file, one row each; the first line names the columns." in lines
    assert "         encoding=utf-8  Character encoding of the file, e.g. latin-1." in lines
    assert "         text            Field with the text (default: text)." in lines
    for row in formats_json():
        cls = load_class(FORMATS[row["name"]])
        assert {option["name"] for option in row["options"]} == option_names(cls)
        first = next(number for number, line in enumerate(lines) if line.startswith(f"{row['name']} "))
        own = " ".join(lines[first : first + 3 * len(row["options"])])
        assert all(f" {option['name']}" in own for option in row["options"] if option["name"] != "max-bytes")
    assert sum("max-bytes" in line for line in lines) == 1


def test_numbers_stand_below_each_other():
    answers = [Answer(Shown(str(n), None), -n, n, None) for n in (5.0, 125.0)]
    head, first, second = answers_lines(QUERY, [SpaceAnswers("bow", "bow", "euclidean", answers, 1.5)])[-3:]
    assert first.index("5.000") + 5 == second.index("125.000") + 7 == head.index("distance") + 8


def test_a_filter_is_named_and_blamed():
    lines = answers_lines(
        QUERY, [SpaceAnswers("bow", "bow", "cosine", [], 1.5)], [Filter("label", "x"), Filter("a", "b\nc")]
    )
    assert lines[:2] == ["query: words", "among: label=x and a=b c"]
    assert lines[-1] == "  no answer: no other item that satisfies the filter has anything in common with the query"
