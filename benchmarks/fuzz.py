"""Damaged and hostile inputs for every reader and every artifact, counted by what comes of them.

Good files are damaged at random: bits, bytes, chunks, numbers, JSON values, headers, members of archives, what stands
in their place in the file system. They are read in processes that are watched: more than 1 GiB beside the
libraries, 10 s of processor or 60 s in all are counted as faults, as are tracebacks, crashes, and messages of several
lines. The same seed makes the same inputs.

Run: ``python benchmarks/fuzz.py [INPUTS [SEED [CASE ...]]]``; 20,000 inputs take about half an hour on two cores.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from record import nothing_else, record, say, timed

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fuzz"))

from fuzzing.pool import GOOD, OUTCOMES, build, memory, run
from fuzzing.worker import CASES

INPUTS = 20_000


def main(inputs: int, seed: int, names: list[str]) -> int:
    """Read the inputs, print and record the counts, return how many were faults."""
    nothing_else([name for name in names if name not in CASES])
    names = names or list(CASES)
    each = -(-inputs // len(names))
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    peak, slowest, faults = 0, 0.0, dict[str, list[str]]()

    def count(found: dict[str, Any]) -> None:
        nonlocal peak, slowest
        counts[found["case"]][found["outcome"]] += 1
        peak, slowest = max(peak, found.get("bytes", 0)), max(slowest, found.get("seconds", 0.0))
        if found["outcome"] not in GOOD:
            text = f"{found['outcome']}: {found.get('text')}"
            if text not in faults:
                say(found["case"], found["seed"], text)
            faults.setdefault(text, []).append(f"{found['case']} {found['seed']}")
        if (done := sum(map(sum, map(Counter.values, counts.values())))) % 1000 == 0:
            say(f"{done:,} inputs")

    with timed() as seconds, tempfile.TemporaryDirectory(dir=memory()) as root:
        say(f"writing good files of {len(names)} readers and artifacts")
        build([CASES[name] for name in names], Path(root))
        asked = [(name, seed * 1_000_000 + number) for number in range(each) for name in names]
        run(asked, Path(root), len(os.sched_getaffinity(0)), count)
    print(f"{'':36}{''.join(f'{outcome:>11}' for outcome in OUTCOMES)}")
    for name, found in counts.items():
        print(f"{name:36}{''.join(f'{found[outcome]:>11,}' for outcome in OUTCOMES)}")
    total = sum(counts.values(), Counter())
    print(f"{'all':36}{''.join(f'{total[outcome]:>11,}' for outcome in OUTCOMES)}")
    for text, where in sorted(faults.items(), key=lambda pair: -len(pair[1])):
        print(f"{len(where):6,} {text}   e.g. {'; '.join(where[:3])}")
    figures = {
        "inputs": sum(total.values()),
        "seed": seed,
        "outcomes": {outcome: total[outcome] for outcome in OUTCOMES},
        "by_case": {name: dict(found) for name, found in counts.items()},
        "peak_bytes": peak,
        "slowest_seconds": slowest,
        "seconds": round(float(seconds), 1),
    }
    record("fuzz", figures)
    return sum(number for outcome, number in total.items() if outcome not in GOOD)


if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(min(1, main(int(words[0]) if words else INPUTS, int(words[1]) if words[1:] else 0, words[2:])))
