"""One JSON line for every run of a benchmark, with what makes its figures traceable."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from retrieval.provenance import provenance

RESULTS = Path(__file__).parent / "results"


def record(name: str, figures: dict[str, Any]) -> None:
    """Append the figures of one run to ``results/<name>.jsonl``."""
    made = provenance()
    made["command"] = " ".join(["python", *sys.argv])
    made["load"] = round(os.getloadavg()[0], 1)  # above the cores in use: others ran beside it
    made["machine"] += f", {platform.system()} {platform.release()}"
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.jsonl").open("a") as lines:
        lines.write(json.dumps({"provenance": made, "figures": figures}) + "\n")
    say(f"recorded {name}")


def latest(name: str) -> dict[str, Any] | None:
    """Return the last recorded run, or None."""
    file = RESULTS / f"{name}.jsonl"
    if not file.exists():
        return None
    run: dict[str, Any] = json.loads(file.read_text().splitlines()[-1])
    return run


def latest_of_each(name: str, *keys: str) -> list[dict[str, Any]]:
    """Return the last recorded run for each value of some figures, in the order of their first."""
    file = RESULTS / f"{name}.jsonl"
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in file.read_text().splitlines() if file.exists() else ():
        run = json.loads(line)
        found[tuple(run["figures"].get(key) for key in keys)] = run
    return list(found.values())


def averaged(name: str) -> dict[str, Any] | None:
    """Return the last run of seed 0, its figures the means of every seed's last run, and ``spread``, deviations.

    What a later seed's run left out is the mean of the others; what is no number, and lists that are not equally long,
    are seed 0's.
    """
    by_seed = {run["figures"].get("seed", 0): run for run in latest_of_each(name, "seed")}
    if not by_seed:
        return None
    figures = _over({seed: run["figures"] for seed, run in by_seed.items()})
    return {**by_seed[min(by_seed)], "figures": figures, "spread": figures.pop("spread"), "seeds": figures.pop("seeds")}


def deviation(run: dict[str, Any], key: str, *path: str) -> Any:
    """Return the deviation of one figure over the seeds of an averaged run; a dash where one seed was measured."""
    spread = run["spread"]
    for step in path:
        spread = spread[step]
    return spread[key] if run["seeds"] > 1 and spread.get(key) else "–"


def _over(by_seed: dict[int, dict[str, Any]]) -> dict[str, Any]:
    trees = [by_seed[seed] for seed in sorted(by_seed)]
    means, spread = _merged(trees, statistics.fmean), _merged(trees, statistics.pstdev)
    return {**means, "spread": spread, "seeds": len(trees)}


def _merged(values: list[Any], of: Callable[[list[float]], float]) -> Any:
    first = values[0]
    if isinstance(first, dict):
        return {key: _merged([value[key] for value in values if key in value], of) for key in first}
    if isinstance(first, list) and len({len(value) for value in values}) == 1:
        return [_merged(list(parts), of) for parts in zip(*values, strict=True)]
    if isinstance(first, bool) or not isinstance(first, int | float):
        return first
    return first if of is statistics.fmean and len(set(values)) == 1 else of(values)


def seeds_of(arguments: tuple[str, ...]) -> tuple[list[int], list[str]]:
    """Return the seeds that a command line asks for (``seed=N`` ..., else 0), and the other arguments."""
    others = [word for word in arguments if not word.startswith("seed=")]
    given = [int(word.removeprefix("seed=")) for word in arguments if word.startswith("seed=")]
    return given or [0], others


def nothing_else(words: list[str]) -> None:
    """Refuse arguments that a script does not read: misspelt, they would run it for nothing."""
    if words:
        raise SystemExit(f"not understood: {' '.join(words)}")


def seeded(spec: str, seed: int) -> str:
    """Return the spec whose last stage starts from a seed; of 0, which is the default, as it is."""
    return f"{spec},seed={seed}" if seed else spec


def over_seeds(name: str, *keys: str) -> list[dict[str, Any]]:
    """Return figures by some keys as `averaged` does, their ``spread`` and the number of ``seeds`` among them."""
    groups: dict[tuple[Any, ...], dict[int, dict[str, Any]]] = {}
    for run in latest_of_each(name, *keys, "seed"):
        figures = run["figures"]
        groups.setdefault(tuple(figures.get(key) for key in keys), {})[figures.get("seed", 0)] = figures
    return [_over(group) for group in groups.values()]


class Seconds:
    """How long a block took; `value` is known when it has ended."""

    value = 0.0

    def __float__(self) -> float:
        return self.value


@contextmanager
def timed() -> Iterator[Seconds]:
    """Measure the seconds of a block."""
    seconds, started = Seconds(), time.perf_counter()
    yield seconds
    seconds.value = time.perf_counter() - started


def say(*words: Any) -> None:
    """Print progress at once."""
    print(time.strftime("%H:%M:%S"), *words, flush=True)
