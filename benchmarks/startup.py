"""How long a person waits: ``nearby --help``, and a cold ``nearby search``, beside the imports that they stand on.

Run: ``python benchmarks/startup.py`` (needs no data)
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from record import answered, record, say, timed

NEARBY = str(Path(sys.executable).parent / "nearby")
REPEATS = 10
SPACES = {
    "digits": ("@7", ["pixels+pca:16", "pixels+deep-ae:256-128-16,epochs=2"]),
    "api-docs": ("sort an array in place", ["tfidf", "tfidf+lsa:128", "bm25"]),
}
#: What is below every search, and below every verb.
IMPORTS = {"numpy and scipy.sparse": "import numpy, scipy.sparse", "typer": "import typer"}


def main() -> None:
    bare = {name: [sys.executable, "-c", program] for name, program in IMPORTS.items()}
    with tempfile.TemporaryDirectory() as folder:
        commands = {"--help": [NEARBY, "--help"]}
        for corpus, (query, specs) in SPACES.items():
            collection = str(Path(folder) / corpus)
            options = [part for spec in specs for part in ("-s", spec)]
            answered([NEARBY, "index", corpus, *options, "-o", collection])
            for spec in specs:
                commands[f"{corpus}: {spec}"] = [NEARBY, "search", collection, query, "-s", spec]
        seconds = medians({**bare, **commands})
    imports = {name: {"seconds": seconds[name]} for name in bare}
    helped: dict[str, Any] = {"seconds": seconds["--help"], "times_typer": seconds["--help"] / seconds["typer"]}
    searches = {
        name: {"seconds": seconds[name], "times_imports": seconds[name] / seconds["numpy and scipy.sparse"]}
        for name in commands
        if name != "--help"
    }
    for name, row in {**imports, "--help": helped, **searches}.items():
        say(name, row)
    record("startup", {"imports": imports, "help": helped, "search": searches})


def medians(commands: dict[str, list[str]]) -> dict[str, float]:
    """Return the median seconds of whole processes, run in turns: the load of the machine is the same for all."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, command in commands.items():
            with timed() as taken:
                answered(command)
            times[name].append(taken.value)
    return {name: median(values) for name, values in times.items()}


if __name__ == "__main__":
    main()
