"""One JSON line for every run of a benchmark, with what makes its figures traceable."""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from encoders.registry import create
from retrieval.experiment.provenance import provenance
from retrieval.experiment.seeds import with_other_seeds

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


def answered(command: list[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    r"""Run a command; if it fails, end the benchmark with what the command said.

    Examples
    --------
    >>> answered([sys.executable, "-c", "print(6 * 7)"]).stdout
    b'42\n'
    """
    done = subprocess.run(command, input=stdin, capture_output=True)
    if done.returncode:
        said = done.stderr.decode(errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(command)} ended with exit status {done.returncode}:\n{said}")
    return done


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


def origin(*runs: dict[str, Any]) -> str:
    """Return when and at which commits some runs were measured.

    Examples
    --------
    >>> origin({"provenance": {"date": "2026-11-25 07:14 UTC", "commit": "8ed0fd2"}})
    '2026-11-25 `8ed0fd2`'
    """
    made = [run["provenance"] for run in runs]
    return ", ".join(dict.fromkeys(f"{one['date'].partition(' ')[0]} `{one['commit']}`" for one in made))


def origins(name: str, *path: str) -> dict[str, str]:
    """Return, for every part of the last run's figures below a path, the origin of the run that measured it.

    A script that measures some parts writes the others as the run before had them: a part is as old as the first of
    the runs at the end of the file that all have it as it is now.
    """
    runs = [json.loads(line) for line in (RESULTS / f"{name}.jsonl").read_text().splitlines()]
    found = {}
    for part, value in _below(runs[-1], path).items():
        since = len(runs) - 1
        while since and _below(runs[since - 1], path).get(part) == value:
            since -= 1
        found[part] = origin(runs[since])
    return found


def _below(run: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    figures = run["figures"]
    for step in path:
        figures = figures.get(step, {})
    return dict(figures)


def averaged(name: str) -> dict[str, Any] | None:
    """Return the last run of seed 0, its figures the means of every seed's last run, and ``spread``, deviations.

    What a later seed's run left out is the mean of the others; what is not a number, and lists that are not equally
    long, are seed 0's.
    """
    by_seed = {run["figures"].get("seed", 0): run for run in latest_of_each(name, "seed")}
    if not by_seed:
        return None
    figures = _over({seed: run["figures"] for seed, run in by_seed.items()})
    first, spread, seeds = by_seed[min(by_seed)], figures.pop("spread"), figures.pop("seeds")
    measured = [f"seed {seed}: {origin(by_seed[seed])}" for seed in sorted(by_seed)]
    return {**first, "figures": figures, "spread": spread, "seeds": seeds, "measured": measured}


def averaged_each(name: str, key: str) -> list[dict[str, Any]]:
    """Return for each value of a figure what `averaged` returns for a whole file, in the order of their first runs.

    Runs of another spec than that of the last run are left out: their mean would be that of two methods.
    """
    groups: dict[Any, dict[int, dict[str, Any]]] = {}
    for run in latest_of_each(name, key, "seed"):
        groups.setdefault(run["figures"][key], {})[run["figures"].get("seed", 0)] = run
    made = []
    for every in groups.values():
        last = max(every.values(), key=lambda run: str(run["provenance"]["date"]))["figures"].get("spec")
        by_seed = {seed: run for seed, run in every.items() if run["figures"].get("spec") == last}
        figures = _over({seed: run["figures"] for seed, run in by_seed.items()})
        spread, seeds = figures.pop("spread"), figures.pop("seeds")
        runs = [by_seed[seed] for seed in sorted(by_seed)]
        made.append({**runs[0], "figures": figures, "spread": spread, "seeds": seeds, "runs": runs})
    return made


def seeds_run(name: str) -> str:
    """Return how many seeds a script was run with, in words."""
    run = averaged(name)
    count = 0 if run is None else int(run["seeds"])
    return "one seed" if count == 1 else f"mean of {count} seeds"


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
    if None in values:  # a figure that one of the runs does not have has no mean
        return None
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


def shuffled(items: list[Any]) -> list[Any]:
    """Return the items in an order that says nothing about their class, the same at every call."""
    return random.Random(0).sample(items, len(items))


def nothing_else(words: list[str]) -> None:
    """Refuse arguments that a script does not read: misspelt, they would run it for nothing."""
    if words:
        raise SystemExit(f"not understood: {' '.join(words)}")


def seeded(spec: str, seed: int) -> str:
    """Return the spec whose last stage starts from a seed; of 0, which is the default, as it is."""
    return f"{spec},seed={seed}" if seed else spec


def with_seed(spec: str, seed: int) -> str:
    """Return a spec of which every stage that has a random seed starts from another one; of 0, as it is.

    Examples
    --------
    >>> with_seed("pixels+deep-ae:30", 2), with_seed("pixels+pca:30", 0)
    ('pixels+deep-ae:30,seed=2', 'pixels+pca:30')
    """
    others = list(with_other_seeds(create(spec), seed + 1))
    return str(others[-1]) if others else spec


def spread_cell(run: dict[str, Any], value: float, key: str, *path: str) -> str:
    """Return a mean over seeds with ± its standard deviation; the value alone where it is the same for all seeds."""
    from report_page import written

    deviated = deviation(run, key, *path)
    return written(value) if isinstance(deviated, str) else f"{written(value)} ± {written(deviated)}"


def over_seeds(name: str, *keys: str) -> list[dict[str, Any]]:
    """Return figures by some keys as `averaged` does, with ``spread``, ``seeds`` and ``measured``: when."""
    groups: dict[tuple[Any, ...], dict[int, dict[str, Any]]] = {}
    for run in latest_of_each(name, *keys, "seed"):
        figures = run["figures"]
        groups.setdefault(tuple(figures.get(key) for key in keys), {})[figures.get("seed", 0)] = run
    return [
        {**_over({seed: run["figures"] for seed, run in group.items()}), "measured": origin(*group.values())}
        for group in groups.values()
    ]


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
