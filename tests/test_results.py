"""docs/results.md names every method by its number, and no other; `make bench` runs every script that records a figure."""

from __future__ import annotations

import ast
import importlib.util
import json
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


def test_runs_of_two_specs_have_no_mean(monkeypatch, tmp_path):
    """The bits of a smaller network were averaged with those of a larger one, under the spec of the smaller."""
    found = importlib.util.spec_from_file_location("record", ROOT / "benchmarks" / "record.py")
    record = importlib.util.module_from_spec(found)
    found.loader.exec_module(record)
    runs = [("small", 0, 9.0), ("large", 0, 1.0), ("small", 1, 7.0), ("large", 2, 3.0)]
    lines = [
        {
            "provenance": {"date": f"2026-11-{day:02d}"},
            "figures": {"part": "a", "spec": spec, "seed": seed, "bits": bits},
        }
        for day, (spec, seed, bits) in enumerate(runs, start=1)
    ]
    (tmp_path / "x.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    (made,) = record.averaged_each("x", "part")
    assert (made["figures"]["spec"], made["figures"]["bits"], made["seeds"]) == ("large", 2.0, 2)
