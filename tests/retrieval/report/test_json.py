"""A comparison as JSON."""

from __future__ import annotations

from dataclasses import replace

from retrieval.experiment.result import Example
from retrieval.report.json import to_json
from retrieval.search.result import Shown


def test_titles_are_one_line(compare):
    example = Example(Shown("1", None, "About pepper\n\nand  oven"), [[] for _ in compare().spaces])
    comparison = replace(compare(), examples=[example])
    assert to_json(comparison)["examples"][0]["query"] == {"id": "1", "title": "About pepper and oven"}
