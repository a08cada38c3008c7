"""How long a person waits: ``nearby --help``, and a cold ``nearby search`` in the spaces of the demo.

Run: ``python benchmarks/startup.py`` (needs no data)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from record import record, say, timed

NEARBY = str(Path(sys.executable).parent / "nearby")
REPEATS = 9
SPACES = {
    "digits": ("@7", ["pixels+pca:16", "pixels+deep-ae:256-128-16,epochs=2"]),
    "api-docs": ("sort an array in place", ["tfidf", "tfidf+lsa:128", "bm25"]),
}


def main() -> None:
    figures: dict[str, Any] = {"help": {"seconds": seconds("--help")}, "search": {}}
    with tempfile.TemporaryDirectory() as folder:
        for corpus, (query, specs) in SPACES.items():
            place = str(Path(folder) / corpus)
            options = [part for spec in specs for part in ("-s", spec)]
            subprocess.run([NEARBY, "index", corpus, *options, "-o", place], check=True, capture_output=True)
            for spec in specs:
                figures["search"][f"{corpus}: {spec}"] = {"seconds": seconds("search", place, query, "-s", spec)}
                say(corpus, spec, figures["search"][f"{corpus}: {spec}"])
    record("startup", figures)


def seconds(*arguments: str) -> float:
    """Return the median of whole processes."""
    times = []
    for _ in range(REPEATS):
        with timed() as taken:
            subprocess.run([NEARBY, *arguments], check=True, capture_output=True)
        times.append(taken.value)
    return median(times)


if __name__ == "__main__":
    main()
