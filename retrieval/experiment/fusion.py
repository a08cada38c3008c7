"""Fusion of the spaces of a comparison: every pair, and all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from encoders.errors import OptionError
from encoders.progress import progress
from retrieval.evaluation.difference import Difference
from retrieval.evaluation.fusion_weights import (
    FEWEST_QUERIES,
    Candidates,
    fused_rankings,
    nested_cross_validation,
    pooled,
    rrf_values,
    simplex,
    weighted_values,
)
from retrieval.evaluation.jackknife import query_influence
from retrieval.evaluation.label_free.known_item import draw_number
from retrieval.evaluation.multiple_comparison import multiple_comparison
from retrieval.evaluation.ranking import Rankings
from retrieval.evaluation.relevance import Relevance, Rows
from retrieval.experiment.label_ladder.rung import Rung
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import SpaceRun
from retrieval.search.convex import least_score
from retrieval.search.hybrid import DEPTH

#: More queries cost time and change a weight little.
MAX_QUERIES = 1000


@dataclass(frozen=True)
class Combination:
    """The fusion of some spaces. All values are means of one measure over the same queries.

    Attributes
    ----------
    spaces : tuple of str
        Their labels.
    best : str
        The best of them alone.
    alone : dict of str to float
        Each space alone.
    single, rrf, convex : float
        The best space alone; reciprocal rank fusion; the convex combination on held-out queries.
    in_sample : float
        The convex combination on the queries that chose its weights.
    optimism : float
        `in_sample` minus `convex`.
    oracle : float
        The best space of each query, chosen by its judgements: a bound for every choice among the spaces.
    weights : dict of str to float
        Chosen on all queries.
    gain : Difference
        Of the convex combination on held-out queries and the best space alone.
    """

    spaces: tuple[str, ...]
    best: str
    alone: dict[str, float]
    single: float
    rrf: float
    convex: float
    in_sample: float
    optimism: float
    oracle: float
    weights: dict[str, float]
    gain: Difference


@dataclass(frozen=True)
class Fusion:
    """The fusions of a comparison: every pair of spaces, and last all spaces when there are more than two."""

    measure: str
    n_queries: int
    depth: int
    combinations: list[Combination]

    @property
    def whole(self) -> Combination:
        """All spaces together."""
        return self.combinations[-1]


def require_fusion(query_set: QuerySet, encoders: Sequence[str]) -> None:
    """Refuse a fusion that cannot be measured, before any work.

    Raises
    ------
    OptionError
    """
    if query_set.judged_by == Rung.AGREEMENT:
        raise OptionError(
            "--fusion chooses weights by a measure of relevance, but nothing says what is relevant here: "
            "leave it out, or give labels"
        )
    if len(set(encoders)) < 2:
        raise OptionError(f"--fusion needs at least two spaces, but only '{encoders[0]}' is given: add -s")
    if (count := len(query_set.queries)) < FEWEST_QUERIES:
        raise OptionError(
            f"--fusion chooses weights by cross-validation over queries and needs at least {FEWEST_QUERIES}, but there "
            f"{'is' if count == 1 else 'are'} {count}: leave it out, or give more queries"
        )
    if len({draw_number(query.content, 0, "fold") for query in query_set.queries}) < 2:
        raise OptionError(
            f"--fusion chooses weights on some queries and tests them on others, but all {count} queries are alike: "
            "leave it out, or give other queries"
        )


def fuse(query_set: QuerySet, runs: Sequence[SpaceRun], labels: Sequence[str], measure: str, seed: int = 0) -> Fusion:
    """Fuse every pair of spaces, and all of them; a space in several indexes is fused in the first.

    Parameters
    ----------
    query_set : QuerySet
    runs, labels : sequences
        One for each row of the comparison.
    measure : str
        Chooses the weights.
    seed : int
        Draws the folds of the cross-validation.

    Raises
    ------
    OptionError
        See `require_fusion`.
    """
    first: dict[str, int] = {}
    for number, run in enumerate(runs):
        first.setdefault(str(run.encoder), number)
    require_fusion(query_set, list(first))
    chosen = list(first.values())
    keys = [draw_number(query.content, seed, "fold") for query in query_set.queries]
    asked = np.sort(np.argsort(np.array(keys, np.uint64), kind="stable")[:MAX_QUERIES])
    relevance, folds = query_set.relevance.select(asked), [keys[at] for at in asked.tolist()]
    least = [least_score(runs[at].encoder.space, runs[at].index.positive_only) for at in chosen]
    repeats = None if query_set.repeats is None else query_set.repeats[asked]
    candidates = pooled([_some(runs[at].rankings, asked) for at in chosen], least, DEPTH)
    names = [labels[at] for at in chosen]
    one = np.eye(len(names))
    alone = weighted_values(candidates, one, relevance, measure)
    groups = [*combinations(range(len(names)), 2), *([tuple(range(len(names)))] if len(names) > 2 else [])]
    test = _Test(candidates, relevance, query_set.query_rows[asked], measure, folds, seed, repeats)
    fused = []
    with progress("fusing spaces", len(groups), "fusions") as bar:
        for group in groups:
            fused.append(_combined(test, group, names, alone))
            bar.update()
    return Fusion(measure, len(asked), DEPTH, fused)


@dataclass(frozen=True)
class _Test:
    """What all combinations are measured by."""

    candidates: Candidates
    relevance: Relevance
    query_rows: Rows
    measure: str
    keys: list[int]
    seed: int
    repeats: Rows | None

    def influence(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """What every query contributes to the others' values: items that are queries answer each other."""
        rankings = fused_rankings(self.candidates, weights, self.relevance)
        return query_influence(rankings, self.relevance, self.query_rows, self.measure)


def _combined(test: _Test, group: tuple[int, ...], names: list[str], alone: NDArray[np.float64]) -> Combination:
    picked, labels = test.candidates.select(group), [names[at] for at in group]
    weights = simplex(len(group))
    nested = nested_cross_validation(
        weighted_values(picked, weights, test.relevance, test.measure), test.keys, test.seed
    )
    singles = alone[list(group)]
    best = int(singles.mean(axis=1).argmax())
    every = np.zeros((2, len(names)))  # the weights of all spaces: of the fusion, and of the best space alone
    every[0, list(group)], every[1, group[best]] = weights[nested.chosen], 1
    comparison = multiple_comparison(
        {"fused": nested.held_out, "alone": singles[best]},
        dict(zip(("fused", "alone"), map(test.influence, every), strict=True)),
        seed=test.seed,
        repeats=test.repeats,
    )
    return Combination(
        spaces=tuple(labels),
        best=labels[best],
        alone=dict(zip(labels, singles.mean(axis=1).tolist(), strict=True)),
        single=float(singles[best].mean()),
        rrf=float(rrf_values(picked, test.relevance, test.measure).mean()),
        convex=float(nested.held_out.mean()),
        in_sample=nested.in_sample,
        optimism=nested.optimism,
        oracle=float(singles.max(axis=0).mean()),
        weights=dict(zip(labels, weights[nested.chosen].tolist(), strict=True)),
        gain=comparison.of("fused", "alone"),
    )


def _some(rankings: Rankings, chosen: NDArray[np.int64]) -> Rankings:
    return Rankings(
        rankings.scores[chosen], rankings.rows[chosen], rankings.group_size[chosen], rankings.group_tally[chosen]
    )
