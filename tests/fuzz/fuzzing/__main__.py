"""Read damaged inputs and show what came of them: ``python -m fuzzing [COUNT [CASE ...]]``, ``python -m fuzzing --one CASE SEED``."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from fuzzing.cases import damage, fresh
from fuzzing.pool import GOOD, build, memory, run
from fuzzing.worker import CASES


def one(name: str, seed: int) -> None:
    """Read one input here, with its traceback; the input stays in a folder that is named."""
    import random

    place = fresh(Path(tempfile.gettempdir()) / f"nearby-fuzz-{os.getpid()}")
    CASES[name].build(fresh(place / "good"))
    rng: random.Random = damage(CASES[name], place / "good", seed)
    print(f"the input is in {place / 'good'}")
    print(CASES[name].read(place / "good", fresh(place / "made"), rng))


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        one(arguments[1], int(arguments[2]))
        return
    count, names = int(arguments[0]) if arguments else 10, arguments[1:] or list(CASES)
    counts: Counter[tuple[str, str]] = Counter()
    texts: dict[str, list[str]] = {}

    def told(found: dict) -> None:
        counts[found["case"], found["outcome"]] += 1
        if found["outcome"] not in GOOD:
            print(found, flush=True)
            texts.setdefault(f"{found['outcome']}: {found.get('text')}", []).append(f"{found['case']} {found['seed']}")

    with tempfile.TemporaryDirectory(dir=memory()) as root:
        build([CASES[name] for name in names], Path(root))
        run([(name, seed) for seed in range(count) for name in names], Path(root), 2, told)
    for (name, outcome), number in sorted(counts.items()):
        print(f"{name:40} {outcome:10} {number:,}")
    for text, inputs in sorted(texts.items(), key=lambda pair: -len(pair[1])):
        print(f"{len(inputs):5} {text}   e.g. {'; '.join(inputs[:3])}")


if __name__ == "__main__":
    main(sys.argv[1:])
