"""Fill the README's table of spaces with what ``nearby demo`` measures.

Run: ``python benchmarks/readme.py`` (needs no data)
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from record import answered

from retrieval.experiment.provenance import provenance

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- spaces -->", "<!-- end of spaces -->"
NEARBY = str(Path(sys.executable).parent / "nearby")
MAIN = {"labels": "P@10", "qrels": "nDCG@10"}


def main() -> None:
    """Run the demo and write the table between its marks."""
    with tempfile.TemporaryDirectory() as folder:
        done = answered([NEARBY, "demo", "-o", folder, "--json"])
    lines = [
        "| corpus | space | dim | code bytes/item | P@10 or nDCG@10 | query ms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for comparison in json.loads(done.stdout):
        lines += [row(comparison, space) for space in comparison["spaces"]]
    made = provenance()
    lines += ["", f"`nearby demo`, {made['date']}, {made['machine']}, commit `{made['commit']}`."]
    text = README.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


def row(comparison: dict[str, Any], space: dict[str, Any]) -> str:
    value = space["measures"][MAIN[comparison["judged_by"]]]
    cells = [f"{space['dim']:,}", f"{space['code_bytes_per_item']:,.0f}", f"{value:.3f}", f"{space['query_ms']:.2f}"]
    return f"| {comparison['corpus']} | `{space['spec']}` | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
