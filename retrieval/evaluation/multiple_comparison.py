"""All differences between several spaces at once: which are real, how large they may be, and what queries can show.

The best of several spaces is chosen after looking at all of them, so the probability of ANY wrong "different" (the
family-wise error) is what must stay below alpha. Every pair is tested by its t statistic against the largest t of all
pairs under random signs: one random sign per query, the same for all spaces, keeps how spaces depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoders.errors import OptionError
from retrieval.evaluation.difference import Difference, PairedGaps, Settings, difference_of
from retrieval.evaluation.jackknife import with_influence
from retrieval.evaluation.letter_display import letter_display
from retrieval.evaluation.max_t import (
    SAME,
    Sums,
    cosine_of,
    cosines_of,
    critical_cosine,
    gaps_of,
    largest_cosines,
    sums_of,
    t_of,
)
from retrieval.evaluation.rank_interval import rank_intervals
from retrieval.evaluation.repeated_queries import by_content
from retrieval.evaluation.significance import ROUNDS, Floats, order_of_queries, stacked

#: Two spaces are equivalent when the interval of their difference is within plus and minus this.
MARGIN = 0.01


@dataclass(frozen=True)
class MultipleComparison:
    """All differences between several spaces in one measure.

    Attributes
    ----------
    n_queries : int
    alpha : float
        Family-wise error.
    margin : float
        Largest difference that counts as none.
    order : list of str
        The spaces by their means, best first.
    differences : list of Difference
        Every pair once, the better space first.
    letters : dict of str to str
        Spaces that share a letter do not differ significantly.
    ranks : dict of str to (int, int)
        95% interval of the rank of each space (paired bootstrap over queries, and over seeds where there are several).
    """

    n_queries: int
    alpha: float
    margin: float
    order: list[str]
    differences: list[Difference]
    letters: dict[str, str]
    ranks: dict[str, tuple[int, int]]

    def of(self, first: str, second: str) -> Difference:
        """Return the difference of two spaces, the better one first.

        Raises
        ------
        KeyError
        """
        for difference in self.differences:
            if {difference.first, difference.second} == {first, second}:
                return difference
        raise KeyError(f"{first} and {second} are not compared")

    def tied_with_best(self) -> dict[str, bool]:
        """Return which spaces do not differ significantly from the best one."""
        tied = dict.fromkeys(self.order, True)
        for difference in self.differences:
            if difference.first == self.order[0]:
                tied[difference.second] = not difference.is_significant
        return tied


def multiple_comparison(
    per_query: Mapping[str, ArrayLike],
    influence: Mapping[str, ArrayLike] | None = None,
    means_of_seeds: Mapping[str, ArrayLike] | None = None,
    *,
    alpha: float = 0.05,
    margin: float = MARGIN,
    rounds: int = ROUNDS,
    seed: int = 0,
    pairs: Sequence[tuple[str, str]] | None = None,
    repeats: NDArray[np.int64] | None = None,
) -> MultipleComparison:
    """Compare every pair of spaces in one measure; the order of the queries and of the spaces changes no number.

    Parameters
    ----------
    per_query : dict of str to array-like float (n_queries,)
        Space -> the measure, query by query, all over the same queries.
    influence : dict of str to array-like float (n_queries,), optional
        Space -> what every query contributes to the values of the others, where queries are answers to each other
        (`retrieval.evaluation.jackknife`); without it, queries are taken as independent.
    means_of_seeds : dict of str to array-like float (n_seeds,), optional
        Space -> its mean for every seed with which it was fitted, where there are several; `per_query` and `influence`
        are then means over the seeds. The seeds add to the uncertainty (`retrieval.evaluation.seed_variance`).
    alpha : float
        Probability of calling any two equal spaces different.
    margin : float
        Two spaces are equivalent when the interval of their difference is within plus and minus this.
    rounds : int
        Number of random sign assignments.
    seed : int
        The same seed gives the same result.
    pairs : sequence of (str, str), optional
        The pairs that are tested together; by default all. Letters then say nothing about the other pairs.
    repeats : ndarray int64 (n_queries,), optional
        Queries with the same number have the same content: they are one query to the test, with the weight of all.

    Raises
    ------
    DimensionError
        When the numbers of queries differ.
    BadItemError
        When a value is not a number.

    References
    ----------
    Westfall & Young, Resampling-based multiple testing, 1993, section 2.3 (max-T); Romano & Wolf, Stepwise multiple
    testing as formalized data snooping, Econometrica 73, 2005; Carterette, Multiple testing in statistical analysis of
    systems-based information retrieval experiments, TOIS 30, 2012 (why all pairs, and a randomised Tukey test, which
    has one critical difference for all pairs); Schuirmann, A comparison of the two one-sided tests procedure, Journal
    of Pharmacokinetics and Biopharmaceutics 15, 1987 (equivalence).

    Examples
    --------
    >>> comparison = multiple_comparison({"a": [0.9, 0.8, 1.0, 0.7] * 5, "b": [0.5, 0.4, 0.6, 0.5] * 5})
    >>> str(comparison.of("a", "b").verdict), round(comparison.of("a", "b").difference, 2), comparison.letters
    ('better', 0.35, {'a': 'a', 'b': 'b'})
    """
    names = list(per_query)
    measured = stacked(list(per_query.values())) if names else np.empty((0, 0))
    _require_settings(alpha, rounds)
    means = np.sort(measured, axis=0).mean(axis=0) if len(measured) else np.zeros(len(names))
    by_mean = np.argsort(-means, kind="stable")
    order = [names[at] for at in by_mean]
    added = np.zeros_like(measured) if influence is None else stacked([influence[name] for name in names])
    keys = sorted(range(len(names)), key=lambda at: (-means[at], names[at]))  # whatever the order of the spaces
    queries = order_of_queries(np.concatenate([measured[:, keys], added[:, keys]], axis=1))
    measured, added = (columns[np.ix_(queries, by_mean)] for columns in (measured, added))
    values = measured if influence is None else _jackknife_values(measured, added)
    if repeats is not None:
        values = by_content(values, repeats[queries])
    tested = np.triu_indices(len(names), 1) if pairs is None else _positions(pairs, order)
    sums = sums_of(values, tested)
    largest = largest_cosines(values, tested, sums.squares, rounds, seed)
    bound = 1.0 if not measured.size or (measured.min() >= 0 and measured.max() <= 1) else math.inf
    settings = Settings(alpha, margin, bound)
    differences = _differences(order, values, measured, tested, largest, sums, settings, means_of_seeds or {})
    different = [(one.first, one.second) for one in differences if one.is_significant]
    ranks = rank_intervals(order, values, seed, means_of_seeds or {})
    return MultipleComparison(len(values), alpha, margin, order, differences, letter_display(order, different), ranks)


def _jackknife_values(measured: Floats, influence: Floats) -> Floats:
    return np.column_stack([with_influence(*columns) for columns in zip(measured.T, influence.T, strict=True)])


def _require_settings(alpha: float, rounds: int) -> None:
    if not 0 < alpha < 1 or rounds < 1:
        raise OptionError(f"alpha is between 0 and 1, and rounds at least 1; got alpha={alpha}, rounds={rounds}")


def _positions(pairs: Sequence[tuple[str, str]], order: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of pairs of spaces, the better one first."""
    position = {name: at for at, name in enumerate(order)}
    both = np.sort([[position[name] for name in pair] for pair in pairs], axis=1)
    return both[:, 0], both[:, 1]


def _differences(
    order: list[str],
    values: Floats,
    measured: Floats,
    pairs: tuple[np.ndarray, np.ndarray],
    largest: Floats,
    sums: Sums,
    settings: Settings,
    seeds: Mapping[str, ArrayLike],
) -> list[Difference]:
    """Return the difference of every pair; `values` are those of the test, `measured` those of the queries."""
    n_queries = len(values)
    ascending = np.sort(largest)
    critical = t_of(critical_cosine(largest, settings.alpha), n_queries, settings.alpha)
    cosines = cosines_of(sums.total, sums.squares, n_queries)
    differences = []
    for at, (first, second) in enumerate(zip(*(side.tolist() for side in pairs), strict=True)):
        pair = PairedGaps.of(gaps_of(values, first, second), [seeds.get(order[one], ()) for one in (first, second)])
        cosine = cosines[at] if pair.without_seeds else cosine_of(pair.statistic, n_queries)
        # rounding must not decide between sign assignments that are equal to the observed one
        below = np.searchsorted(ascending, cosine - SAME, side="left")
        p_value = float((len(largest) - below + 1) / (len(largest) + 1))
        of_queries = gaps_of(measured, first, second)
        differences.append(difference_of((order[first], order[second]), pair, of_queries, p_value, critical, settings))
    return differences
