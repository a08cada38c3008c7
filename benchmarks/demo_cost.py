"""How long `nearby demo` takes, beside an older commit: whole processes, in turns.

Run: ``python benchmarks/demo_cost.py [COMMIT]`` (needs no data; COMMIT is by default the one before comparisons were
tested, drawn and written as they are now)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from record import nothing_else, record, say, timed

ROOT = Path(__file__).parents[1]
#: The parent of the first commit about the comparison that can be trusted.
BEFORE = "bf6ffb5"
REPEATS = 5
DEMO = "import cli, sys; sys.argv = ['nearby', 'demo', '-o', sys.argv[1]]; cli.main()"


def main(*arguments: str) -> None:
    """Time both in turns, after one run of each that compiles the modules."""
    before, *others = arguments or (BEFORE,)
    nothing_else(others)
    before = _git("rev-parse", "--short", before)
    now = _git("describe", "--always", "--dirty")
    times: dict[str, list[float]] = {before: [], now: []}
    with tempfile.TemporaryDirectory() as folder:
        older = Path(folder) / "older"
        _git("worktree", "add", "--detach", str(older), before)
        try:
            for turn in range(REPEATS + 1):
                for commit, tree in ((before, older), (now, ROOT)):
                    seconds = _demo(tree, Path(folder) / "report")
                    times[commit] += [seconds] if turn else []
                say({commit: values[-1:] for commit, values in times.items()})
        finally:
            _git("worktree", "remove", "--force", str(older))
    rows = {
        commit: {"seconds": median(values), "fastest": min(values), "slowest": max(values)}
        for commit, values in times.items()
    }
    ratio = rows[now]["seconds"] / rows[before]["seconds"]
    say(rows, ratio)
    record("demo_cost", {"before": before, "repeats": REPEATS, "commits": rows, "ratio": ratio})


def _demo(tree: Path, out: Path) -> float:
    """Return the seconds of the demo of one tree."""
    env = os.environ | {"PYTHONPATH": str(tree)}
    with timed() as taken:
        subprocess.run([sys.executable, "-c", DEMO, str(out)], check=True, capture_output=True, env=env, cwd=out.parent)
    return taken.value


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
