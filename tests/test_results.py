"""docs/results.md names every method by its number, and no other; `make bench` runs every script that records a figure."""

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


def test_every_recorded_figure_is_made_by_make_bench_and_explained():
    """byte_budgets, label_ladder, fusion and five others were neither run by `make bench` nor in the table."""
    scripts = {
        path.stem
        for path in (ROOT / "benchmarks").glob("*.py")
        if path.stem != "record" and re.search(r"^ +record\(", path.read_text(), re.MULTILINE)
    }
    assert {"byte_budgets", "mnist"} <= scripts
    (line,) = re.findall(r"for name in ([^;]*);", (ROOT / "Makefile").read_text())
    assert scripts - set(line.split()) == {"fuzz"}  # it has a target of its own
    table = (ROOT / "benchmarks" / "README.md").read_text()
    assert [name for name in sorted(scripts) if f"`{name}.py`" not in table] == []
