"""The words of a comparison in terminal and page: one sentence first, nothing that is missing without a reason."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest

from encoders.codes import Modality
from retrieval.corpora.base import Corpus, Item
from retrieval.experiment.baseline_file import read_baseline
from retrieval.experiment.compare import compare
from retrieval.experiment.compare_options import CompareOptions
from retrieval.report.comparison_file import write_comparison
from retrieval.report.html.comparison import page
from retrieval.report.html.sections import table_data
from retrieval.report.terminal.baseline import changes_lines
from retrieval.report.terminal.byte_budgets import byte_budgets_lines
from retrieval.report.terminal.comparison import comparisons_lines, table_lines
from retrieval.report.terminal.fusion import fusion_lines
from retrieval.report.verdict import answer, below_headline, headline

LONG = "vectors+deep-ae:256-128-64-8,epochs=1,activation=silu,validation=0"


class Clouds(Corpus):
    name = "clouds"
    modality = Modality.VECTOR
    queries_are_items = True

    def __init__(self, apart: float, labelled: bool = True):
        self._apart, self._labelled = apart, labelled

    def __iter__(self):
        draw = np.random.default_rng(3)
        for number in range(90):
            row = draw.normal(size=12) + self._apart * np.eye(3, 12)[number % 3]
            yield Item(f"d{number}", row.astype(np.float32), label=str(number % 3) if self._labelled else None)

    def queries(self):
        return iter(self)


@pytest.fixture(scope="module")
def found():
    options = CompareOptions(fusion=True, budgets=(1, 4, 16))
    return compare(Clouds(1.5), ["vectors", "vectors+pca:3", LONG], examples=0, options=options)


@pytest.fixture(scope="module")
def at_chance():
    return compare(Clouds(0.0), ["vectors", "vectors+pca:3"], examples=0)


def test_the_headline_is_one_sentence_and_nothing_of_the_answer_is_lost(found, at_chance):
    known = compare(Clouds(1.5, labelled=False), ["vectors", "vectors+pca:3"], examples=0)
    agreeing = compare(
        Clouds(1.5), ["vectors", "vectors+pca:3", "vectors+pca:2"], examples=0,
        options=CompareOptions(judged_by="agreement"),
    )  # fmt: skip
    for one in (found, at_chance, known, agreeing):
        said = headline(one)
        assert len(re.findall(r"\. [A-Z]", said)) == 0
        assert said.endswith(".")
        for sentence in below_headline(one):
            assert sentence in answer(one)
        assert f">{said}<" in re.sub(r"<wbr>", "", page([one])).replace("&#39;", "'")
    assert headline(known).startswith("By known-item search: ")
    assert headline(agreeing).startswith("By the agreement of the spaces: ")
    assert headline(found) == answer(found).partition(". With ")[0].rstrip(".") + "."


def test_marks_that_are_missing_have_a_reason(at_chance, found):
    said = "no marks for P@10, P@100 and AP@100: no space is significantly better than a random order"
    assert said in table_lines(at_chance, StringIO())
    assert said in table_data(at_chance)["legend"]
    (line,) = (line for line in table_lines(found, StringIO()) if "no marks" in line)
    assert line.startswith("no marks for P@100: ")  # every list of 89 holds all others


def test_every_line_fits_however_long_the_names(found, tmp_path):
    baseline = read_baseline(write_comparison(found, tmp_path / "comparison.json"))
    lines = comparisons_lines([found]) + changes_lines(baseline, baseline.changes(found))
    assert all(len(line) <= 100 for line in lines), [line for line in lines if len(line) > 100]


def test_a_change_that_is_not_significant_says_what_would_be(found, tmp_path):
    baseline = read_baseline(write_comparison(found, tmp_path / "comparison.json"))
    noise = np.random.default_rng(0).normal(0, 0.1, found.n_queries)
    spaces = [
        replace(space, per_query={name: values + noise for name, values in space.per_query.items()})
        for space in found.spaces
    ]
    changes = baseline.changes(replace(found, spaces=spaces))
    lines = changes_lines(baseline, changes)
    assert lines[2].split()[-3:] == ["shown", "verdict", "space"]
    rows = [line for line in lines[3:] if re.match("A?P@", line)]
    assert len(rows) == len(changes) == 9
    for row, change in zip(rows, changes, strict=True):
        assert change.detectable > 0.01
        assert f" {change.detectable:.3f}  not significant " in row


def test_the_page_has_p_value_effect_size_and_rank_of_every_pair(found):
    section = re.sub(r"<wbr>", "", page([found])).partition("Which differences are real?")[2].partition("</section>")[0]
    compared = found.significance["P@10"]
    for pair in compared.differences:
        assert f"<td>{pair.effect_size:+.2f}</td>" in section
        assert f"<td>{'&lt; 0.001' if pair.p_value < 0.001 else f'{pair.p_value:.3f}'}</td>" in section
    for label, (low, high) in compared.ranks.items():
        assert f"<code>{label}</code> {low}" + (f" to {high}" if high > low else "") in section


def test_fusions_are_named_by_the_numbers_of_their_spaces(found):
    lines = fusion_lines(found.fusion)
    heads = [line.split("  ")[0] for line in lines]
    for name in ("1 + 2", "1 + 3", "2 + 3", "1 + 2 + 3"):
        assert name in heads
    for space, number in zip(found.spaces, "123", strict=True):
        (row,) = (line for line in lines if line.startswith(f"{number}  "))
        assert row.split()[1] == space.spec


def test_intervals_of_the_budgets_are_of_values_that_a_measure_can_have():
    """0.940 to 1.006 stood there: items that ask influence each other, which goes beyond 1."""
    options = CompareOptions(budgets=(1, 4))
    found = compare(Clouds(4.0), ["vectors", "vectors+pca:3"], examples=0, options=options).byte_budgets
    assert max(point.value for point in found.points) > 0.9
    assert all(0 <= point.interval.low <= point.value <= point.interval.high <= 1 for point in found.points)
    assert not re.search(r"\b1 bytes", "\n".join(byte_budgets_lines(found)))


def test_a_dash_of_the_budgets_is_explained(found):
    lines = byte_budgets_lines(found.byte_budgets)
    assert any(re.search(r"\d +–( |$)", line) for line in lines)
    assert any(line.startswith("– no code of this kind") for line in lines)
    assert "– no code of this kind" in page([found])


def test_differences_are_written_in_one_way(found):
    """One sign and one number of digits in all reports."""
    whole = compare(Clouds(1.5), ["vectors"], examples=0, options=CompareOptions(health=True))
    words = "\n".join(comparisons_lines([found])) + re.sub(r"<[^>]*>|<style.*?</style>", " ", page([found, whole]))
    assert re.search(r"[+-]0\.\d{3} to [+-]\d\.\d{3}", words)
    assert not re.search(r"[+−]\.\d{3}\b", words)
    assert "-0.000" not in words
