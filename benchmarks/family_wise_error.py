"""How often some pair of equal spaces is called different, and how often a true difference is found.

Simulated comparisons: each query has a difficulty, each space a deviation from it; P@10 is a logistic function of the
sum, rounded to tenths. Methods: max-T over all pairs (`multiple_comparison`), the randomised Tukey HSD test, Holm over
all pairs, and Holm over the pairs with the best space, which nearby used before.

Run: ``python benchmarks/family_wise_error.py [sizes power scenarios]``; parts that are not named keep their figures
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import latest, nothing_else, record, say, timed

from retrieval.evaluation.multiple_comparison import multiple_comparison
from retrieval.evaluation.significance import holm, randomisation_test

DRAWS, ROUNDS, ALPHA = 1_000, 499, 0.05
#: The power at every size: with 40 queries, the first space is better by `BETTER`; with more, by less, so that it is
#: neither always nor never found. Holm's tests of all pairs take most of the time.
BETTER = 0.6
SIZES = [(queries, spaces) for queries in (30, 100, 1000) for spaces in (2, 5, 10)]
Floats = NDArray[np.float64]
#: Name -> mean and spread of each space; 40 queries.
SCENARIOS: dict[str, tuple[list[float], list[float]]] = {
    "8 equal spaces": ([0] * 8, [1] * 8),
    "8 equal spaces of different spread": ([0] * 8, [0.1, 0.1, 0.3, 0.3, 1, 1, 2, 2]),
    "the first of 8 is better": ([0.6] + [0] * 7, [1] * 8),
    "the first of 8 is better, the last far below": ([0.6] + [0] * 6 + [-4], [1] * 8),
    "two of 5 answer almost alike, the first is better": ([0.15, 0, 0, 0, 0], [0.1, 0.1, 1, 1, 1]),
}


def main(*names: str) -> None:
    """Measure the named parts (all of them by default); the others keep their last figures."""
    nothing_else([name for name in names if name not in PARTS])
    before = latest("family_wise_error")
    figures: dict[str, Any] = {} if before is None else before["figures"]
    figures |= {"draws": DRAWS, "rounds": ROUNDS, **{name: PARTS[name]() for name in names or PARTS}}
    record("family_wise_error", figures)


def errors() -> list[dict[str, Any]]:
    """Return the family-wise error of equal spaces for every size and three kinds of noise."""
    sizes = []
    for queries, spaces in SIZES:
        for kind in ("normal", "skewed", "rare"):
            rng = np.random.default_rng(queries * spaces)
            with timed() as taken:
                wrong = sum(bool(different(draw(rng, queries, [0] * spaces, [1] * spaces, kind))) for _ in range(DRAWS))
            sizes.append({
                "queries": queries, "spaces": spaces, "kind": kind, "error": wrong / DRAWS,
                "ms": 1000 * taken.value / DRAWS,
            })  # fmt: skip
            say("size", sizes[-1])
    return sizes


def powers() -> list[dict[str, Any]]:
    """Return the power at every size."""
    return [power_of(queries, spaces) for queries, spaces in SIZES]


def scenarios() -> dict[str, Any]:
    """Return error and power of every method in every scenario."""
    return {name: scenario(*SCENARIOS[name]) for name in SCENARIOS}


def power_of(queries: int, spaces: int) -> dict[str, Any]:
    """Return the share of the pairs with the better space that max-T finds, and Holm over all pairs."""
    shift = BETTER * math.sqrt(40 / queries)
    means, asked = [shift, *[0.0] * (spaces - 1)], {(0, other) for other in range(1, spaces)}
    found: dict[str, Any] = {"queries": queries, "spaces": spaces, "better": shift}
    for name in ("max-T", "Holm, all pairs"):
        rng = np.random.default_rng(queries + spaces)
        hits = sum(len(METHODS[name](draw(rng, queries, means, [1] * spaces, "normal")) & asked) for _ in range(DRAWS))
        found[name] = hits / DRAWS / len(asked)
    say("power", found)
    return found


def draw(rng: np.random.Generator, queries: int, means: list[float], spread: list[float], kind: str) -> Floats:
    """Return P@10 of every query in every space (queries, spaces)."""
    shape = (queries, len(means))
    noise = {
        "normal": lambda: rng.normal(size=shape),
        "skewed": lambda: rng.exponential(size=shape) - 1,
        "rare": lambda: 3.0 * (rng.random(shape) < 0.1) - 0.3,  # most queries are tied
    }[kind]()
    values = rng.normal(size=(queries, 1)) + np.asarray(means) + noise * np.asarray(spread)
    return np.round(10 / (1 + np.exp(-values))) / 10


def scenario(means: list[float], spread: list[float]) -> dict[str, dict[str, float]]:
    """Return error and power of every method: the first space against those that are equal but for it."""
    true = {pair for pair in combinations(range(len(means)), 2) if means[pair[0]] != means[pair[1]]}
    asked = {pair for pair in true if pair[0] == 0 and means[pair[1]] == 0}
    found = {}
    for name, method in METHODS.items():
        rng, wrong, hits = np.random.default_rng(1), 0, 0
        for _ in range(DRAWS):
            pairs = method(draw(rng, 40, means, spread, "normal"))
            wrong += bool(pairs - true)
            hits += len(pairs & asked)
        found[name] = {"error": wrong / DRAWS, **({"power": hits / DRAWS / len(asked)} if asked else {})}
    say(means, found)
    return found


def different(values: Floats) -> set[tuple[int, int]]:
    """Return the pairs that `multiple_comparison` calls different."""
    found = multiple_comparison({str(at): values[:, at] for at in range(values.shape[1])}, rounds=ROUNDS)
    return {
        (min(pair), max(pair))
        for one in found.differences
        if one.is_significant
        for pair in [(int(one.first), int(one.second))]
    }


def tukey(values: Floats) -> set[tuple[int, int]]:
    """Return the pairs that the randomised Tukey HSD test calls different (Carterette 2012)."""
    queries, spaces = values.shape
    rng = np.random.default_rng(0)
    copies = np.broadcast_to(values, (ROUNDS, queries, spaces)).reshape(-1, spaces)
    means = rng.permuted(copies, axis=1).reshape(ROUNDS, queries, spaces).mean(axis=1)
    ranges = np.ptp(means, axis=1)
    gaps = {pair: abs(values[:, pair[0]].mean() - values[:, pair[1]].mean()) for pair in pairs_of(values)}
    return {pair for pair, gap in gaps.items() if ((ranges >= gap - 1e-9).sum() + 1) / (ROUNDS + 1) < ALPHA}


def holm_all(values: Floats) -> set[tuple[int, int]]:
    """Return the pairs that Holm's correction over all pairs calls different."""
    return corrected(values, pairs_of(values))


def holm_best(values: Floats) -> set[tuple[int, int]]:
    """Return the pairs with the best space that Holm's correction over them calls different."""
    best = int(values.mean(axis=0).argmax())
    return corrected(values, [pair for pair in pairs_of(values) if best in pair])


def corrected(values: Floats, pairs: list[tuple[int, int]]) -> set[tuple[int, int]]:
    p_values = [randomisation_test(values[:, a], values[:, b], rounds=4 * ROUNDS) for a, b in pairs]
    return {pair for pair, p in zip(pairs, holm(p_values), strict=True) if p < ALPHA}


def pairs_of(values: Floats) -> list[tuple[int, int]]:
    return list(combinations(range(values.shape[1]), 2))


METHODS: dict[str, Callable[[Floats], Any]] = {
    "max-T": different,
    "Tukey HSD": tukey,
    "Holm, all pairs": holm_all,
    "Holm, with the best": holm_best,
}

PARTS: dict[str, Callable[[], Any]] = {"sizes": errors, "power": powers, "scenarios": scenarios}

if __name__ == "__main__":
    main(*sys.argv[1:])
