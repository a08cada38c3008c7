"""docs/results.md names every method by its number, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_method_stands_in_the_results():
    tree = ast.parse((ROOT / "benchmarks" / "report_methods.py").read_text())
    (methods,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "METHODS"
    )
    numbers = list(ast.literal_eval(methods))
    page = (ROOT / "docs" / "results.md").read_text()
    table = page[page.index("## Every method") :].split("\n## ")[0]
    rows = re.findall(r"^\| ([TCAX]\d+[a-z]?) \|.*\| ([^|]+) \|$", table, re.MULTILINE)
    assert list(dict.fromkeys(number for number, _ in rows)) == numbers
    assert {verdict for _, verdict in rows} <= {"met", "**missed**", "**not measured**", "shown", "open"}
