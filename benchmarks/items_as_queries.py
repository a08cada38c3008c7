"""How often equal spaces are called different where every item is a query, and an answer to the other queries.

Labels are random, and the codes noise, or noise around a centre of each label; all spaces are drawn alike. The test is
`multiple_comparison` without and with the influence of items as answers (`retrieval.evaluation.jackknife`), and, for
the power, with spaces of which the first has less noise.

Run: ``python benchmarks/items_as_queries.py``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import nothing_else, record, say, timed

from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.jackknife import answer_influence
from retrieval.evaluation.multiple_comparison import MultipleComparison, multiple_comparison
from retrieval.evaluation.ranking import Rankings
from retrieval.evaluation.relevance import LabelRelevance

DRAWS, ROUNDS, CLASSES, DIM, MEASURE = 500, 299, 5, 4, "P@10"
Floats = NDArray[np.float64]


def main(*arguments: str) -> None:
    """Measure the error for every size and structure, and the power."""
    nothing_else(list(arguments))
    rows = []
    for items in (100, 300, 1000):
        for spaces in (2, 5):
            for structure in (0.0, 0.8):
                rows.append(measured(items, spaces, structure, [1.0] * spaces))
    rows += [measured(items, 2, 0.8, [0.7, 1.0]) for items in (100, 300)]
    record("items_as_queries", {"draws": DRAWS, "rounds": ROUNDS, "measure": MEASURE, "rows": rows})


def measured(items: int, spaces: int, structure: float, noise: list[float]) -> dict[str, Any]:
    """Return the share of draws in which some pair is called different, without and with the jackknife."""
    rng = np.random.default_rng(items * spaces)
    draws = DRAWS if items < 1000 else DRAWS // 5
    plain = jackknife = 0
    with timed() as taken:
        for _ in range(draws):
            labels = rng.integers(0, CLASSES, items)
            centres = structure * rng.normal(size=(CLASSES, DIM))
            relevance = LabelRelevance(labels, labels, np.arange(items))
            values, influence = {}, {}
            for space, scale in enumerate(noise):
                rankings = neighbours(centres[labels] + scale * rng.normal(size=(items, DIM)))
                values[str(space)] = expected_measures(rankings, relevance, [MEASURE]).per_query[MEASURE]
                influence[str(space)] = answer_influence(rankings, relevance, np.arange(items), MEASURE)
            plain += any_difference(multiple_comparison(values, rounds=ROUNDS))
            jackknife += any_difference(multiple_comparison(values, influence, rounds=ROUNDS))
    row = {
        "items": items, "spaces": spaces, "structure": structure, "noise": noise, "draws": draws,
        "independent": plain / draws, "jackknife": jackknife / draws, "seconds": taken.value,
    }  # fmt: skip
    say("row", row)
    return row


def neighbours(codes: Floats) -> Rankings:
    """Return the eleven nearest other items of every item."""
    squares = (codes**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * codes @ codes.T
    np.fill_diagonal(distances, np.inf)
    rows = np.argpartition(distances, 11, axis=1)[:, :11]
    chosen = np.take_along_axis(distances, rows, axis=1)
    order = np.argsort(chosen, axis=1)
    none = np.zeros(len(codes), np.int64)
    scores = -np.take_along_axis(chosen, order, axis=1).astype(np.float32)
    return Rankings(scores, np.take_along_axis(rows, order, axis=1), none, none[:, None])


def any_difference(found: MultipleComparison) -> bool:
    return any(one.is_significant for one in found.differences)


if __name__ == "__main__":
    main(*sys.argv[1:])
