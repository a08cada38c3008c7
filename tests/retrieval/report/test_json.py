"""A comparison as JSON."""

from __future__ import annotations

from dataclasses import replace

from retrieval.report.json import to_json


def test_titles_are_one_line(compare):
    comparison = compare()
    query = replace(comparison.examples[0].query, title="About pepper\n\nand  oven")
    comparison = replace(comparison, examples=[replace(comparison.examples[0], query=query)])
    assert to_json(comparison)["examples"][0]["query"]["title"] == "About pepper and oven"
