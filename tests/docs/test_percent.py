"""A percentage is written in one form everywhere that users read: 95%, as in the README."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: The README and the pages; results.md, whose numbers come from all benchmarks, and the decisions are records.
PAGES = [ROOT / "README.md", *(path for path in (ROOT / "docs").glob("*.md") if path.name != "results.md")]
#: What prints messages and makes pages; in templates, {% begins a statement.
ROOMS = [ROOT / "cli.py", *(path for room in ("indexers", "retrieval") for path in (ROOT / room).rglob("*"))]
SUFFIXES = {".py", ".html", ".js", ".json"}
#: A number or what stands for one, a space, and a percent sign: 95 %, {share:.0f} %, `5` %.
APART = re.compile(r"[0-9}`] %(?![}\w])")


def test_no_percent_sign_stands_apart_from_its_number():
    sources = [path for path in ROOMS if path.suffix in SUFFIXES and "service" not in path.parts]
    assert len(sources) > 300
    apart = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in [*PAGES, *sources]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if APART.search(line)
    ]
    assert apart == []
