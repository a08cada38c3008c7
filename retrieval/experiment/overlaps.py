"""How far the rows of a comparison agree on the neighbours of the same queries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from retrieval.evaluation.rank_overlap import Rows, jaccard_at_k, rbo
from retrieval.experiment.result import Overlap
from retrieval.experiment.run import SpaceRun


def overlaps_of(labels: Sequence[str], runs: Sequence[SpaceRun]) -> list[Overlap]:
    """The overlap of every pair of rows, named by their labels."""
    # a small corpus has fewer than ten answers, and one fewer for a query that is an item
    k = max(1, max(int(np.count_nonzero(run.rankings.rows[:, :10] >= 0, axis=1).max()) for run in runs))
    k = min(k, *(run.rankings.rows.shape[1] for run in runs))
    lists = zip(labels, (run.rankings.rows[:, :k] for run in runs), strict=True)
    return [_overlap(first, second, k) for first, second in combinations(lists, 2)]


def _overlap(first: tuple[str, Rows], second: tuple[str, Rows], k: int) -> Overlap:
    """The overlap of two lists of answers, over the queries that at least one of the spaces answers."""
    answered = (first[1][:, 0] >= 0) | (second[1][:, 0] >= 0)
    ours, theirs = first[1][answered], second[1][answered]
    if not answered.any():
        return Overlap(first[0], second[0], float("nan"), float("nan"), k)
    return Overlap(first[0], second[0], float(jaccard_at_k(ours, theirs, k).mean()), float(rbo(ours, theirs).mean()), k)
