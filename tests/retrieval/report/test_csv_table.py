"""CSV files for people hold no formula; what is a number stays one."""

from __future__ import annotations

import csv
import io

import pytest

from retrieval.report.csv_table import csv_table

FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    '=HYPERLINK("http://x","y")',
    "-",
    "=,=",
    "+1,5",
]
HARMLESS = ["a=b", "-5", "+3.5", "-1e-3", "", "'=1", " =1", "1-2", "-inf", None, -2.5, True]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_becomes_a_text_and_that_is_said(cell):
    text, note = csv_table([["id", cell], ["x", cell]])
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["id", "'" + cell], ["x", "'" + cell]]
    assert note == "2 cells of the table would be a formula to a spreadsheet, and begin with ' instead"


@pytest.mark.parametrize("cell", HARMLESS)
def test_everything_else_stays(cell):
    text, note = csv_table([["id", cell]])
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["id", "" if cell is None else str(cell)]]
    assert note == ""
