"""All differences between several spaces at once: which are real, how large they may be, and what queries can show.

The best of several spaces is chosen after looking at all of them, so the probability of ANY wrong "different" (the
family-wise error) is what must stay below alpha. Every pair is tested by its t statistic against the largest t of all
pairs under random signs: one random sign per query, the same for all spaces, keeps how spaces depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoders.errors import OptionError
from retrieval.evaluation.difference import Difference, PairedGaps, Settings, difference_of
from retrieval.evaluation.jackknife import with_influence
from retrieval.evaluation.letter_display import letter_display
from retrieval.evaluation.significance import ROUNDS, Floats, block_sizes, order_of_queries, stacked

#: Two spaces are equivalent when the interval of their difference is within plus and minus this.
MARGIN = 0.01
#: Bootstrap samples for the interval of a rank.
_RANK_ROUNDS = 2_000
#: What rounding may change of a value, relative to it, and of the statistic.
_ROUNDING, _SAME = 1e-12, 1e-9


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
        95 % interval of the rank of each space (paired bootstrap over queries, and over seeds where there are several).
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


class _Sums(NamedTuple):
    """What the statistics of all pairs need: the sum and the sum of squares of their differences."""

    total: Floats
    squares: Floats


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
    sums = _sums(values, tested)
    largest = _largest_cosines(values, tested, sums.squares, rounds, seed)
    bound = 1.0 if not measured.size or (measured.min() >= 0 and measured.max() <= 1) else math.inf
    settings = Settings(alpha, margin, bound)
    differences = _differences(order, values, measured, tested, largest, sums, settings, means_of_seeds or {})
    different = [(one.first, one.second) for one in differences if one.is_significant]
    ranks = _rank_intervals(order, values, seed, means_of_seeds or {})
    return MultipleComparison(len(values), alpha, margin, order, differences, letter_display(order, different), ranks)


def by_content(values: Floats, repeats: NDArray[np.int64]) -> Floats:
    """Return one row for each different query: the sum of its repeats, scaled so that the mean of all rows stays.

    Parameters
    ----------
    values : ndarray float64 (n_queries, n_spaces)
    repeats : ndarray int64 (n_queries,)
        Queries of the same content have one number.

    Returns
    -------
    ndarray float64 (number of different queries, n_spaces)

    Examples
    --------
    >>> sorted(by_content(np.array([[0.25], [0.25], [0.5], [0.5]]), np.array([0, 0, 1, 1])).ravel().tolist())
    [0.25, 0.5]
    """
    _, group = np.unique(repeats, return_inverse=True)
    count = int(group.max(initial=-1)) + 1
    totals: Floats = np.zeros((count, values.shape[1]))
    np.add.at(totals, group, values)
    scaled: Floats = totals * (count / max(1, len(values)))
    return scaled[order_of_queries(scaled)]


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


def _gaps(values: Floats, first: int, second: int) -> Floats:
    """Return the differences of two columns; what rounding may have made is 0."""
    gaps = values[:, first] - values[:, second]
    gaps[np.abs(gaps) <= _ROUNDING * np.maximum(np.abs(values[:, first]), np.abs(values[:, second]))] = 0
    return gaps


def _sums(values: Floats, pairs: tuple[np.ndarray, np.ndarray]) -> _Sums:
    """Return sums and sums of squares of the differences of pairs of columns, pair by pair: n x pairs may be large."""
    total, squares = np.zeros((2, len(pairs[0])))
    for at, (first, second) in enumerate(zip(*pairs, strict=True)):
        difference = _gaps(values, first, second)
        total[at], squares[at] = difference.sum(), difference @ difference
    return _Sums(total, squares)


def _cosines(total: Floats, squares: Floats, n_queries: int) -> Floats:
    """Return the squared cosine of differences with a constant; it orders pairs as the size of t does.

    t^2 = (n - 1) c / (1 - c). Unlike t, it is finite when all queries have the same difference.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(squares > 0, total**2 / (n_queries * squares), 0.0)


def _largest_cosines(
    values: Floats, pairs: tuple[np.ndarray, np.ndarray], squares: Floats, rounds: int, seed: int
) -> Floats:
    """Return the largest statistic of all pairs for every random sign assignment (rounds,)."""
    n_queries = len(values)
    if not n_queries or not len(squares):
        return np.zeros(rounds)
    rng, parts, width = np.random.default_rng(seed), [], -(-n_queries // 8)
    total = values.sum(axis=0)
    for size in block_sizes(rounds, max(n_queries, len(squares))):
        raw = np.frombuffer(rng.bytes(size * width), np.uint8).reshape(size, width)
        negative = np.unpackbits(raw, axis=1, count=n_queries).astype(np.float64)
        sums = total - 2 * (negative @ values)
        parts.append(_cosines(sums[:, pairs[0]] - sums[:, pairs[1]], squares, n_queries).max(axis=1))
    return np.concatenate(parts)


def _differences(
    order: list[str],
    values: Floats,
    measured: Floats,
    pairs: tuple[np.ndarray, np.ndarray],
    largest: Floats,
    sums: _Sums,
    settings: Settings,
    seeds: Mapping[str, ArrayLike],
) -> list[Difference]:
    """Return the difference of every pair; `values` are those of the test, `measured` those of the queries."""
    n_queries = len(values)
    ascending = np.sort(largest)
    critical = _t_of(_critical(largest, settings.alpha), n_queries, settings.alpha)
    cosines = _cosines(sums.total, sums.squares, n_queries)
    differences = []
    for at, (first, second) in enumerate(zip(*(side.tolist() for side in pairs), strict=True)):
        pair = PairedGaps.of(_gaps(values, first, second), [seeds.get(order[one], ()) for one in (first, second)])
        cosine = cosines[at] if pair.without_seeds else _cosine_of(pair.statistic, n_queries)
        # rounding must not decide between sign assignments that are equal to the observed one
        below = np.searchsorted(ascending, cosine - _SAME, side="left")
        p_value = float((len(largest) - below + 1) / (len(largest) + 1))
        of_queries = _gaps(measured, first, second)
        differences.append(difference_of((order[first], order[second]), pair, of_queries, p_value, critical, settings))
    return differences


def _cosine_of(statistic: float, n_queries: int) -> float:
    """Return the squared cosine of a t statistic; the inverse of `_t_of`."""
    return 1.0 if math.isinf(statistic) else statistic**2 / (n_queries - 1 + statistic**2)


def _critical(largest: Floats, alpha: float) -> float:
    """Return the statistic above which the p-value is below alpha: p = (count at or above it + 1) / (rounds + 1)."""
    allowed = math.ceil(alpha * (len(largest) + 1)) - 2
    return float(np.sort(largest)[::-1][allowed]) + _SAME if 0 <= allowed < len(largest) else 1.0


def _t_of(cosine: float, n_queries: int, alpha: float) -> float:
    """Return the t statistic of a squared cosine; infinite if no p-value can be below alpha."""
    if 2.0 ** (1 - n_queries) >= alpha or cosine >= 1 - _SAME:  # so few queries that any difference may be chance
        return math.inf
    return math.sqrt((n_queries - 1) * cosine / (1 - cosine))


def _rank_intervals(
    order: list[str], values: Floats, seed: int, means_of_seeds: Mapping[str, ArrayLike]
) -> dict[str, tuple[int, int]]:
    """Return the 95 % interval of the rank of each space.

    Queries are drawn with replacement, for all spaces alike; the seeds of a space, for it alone.
    """
    n_queries = len(values)
    if not n_queries:
        return dict.fromkeys(order, (1, len(order)))
    rng, parts = np.random.default_rng(seed), []
    for size in block_sizes(_RANK_ROUNDS, max(n_queries, len(order) ** 2)):
        # seven times as fast as drawing from a multinomial distribution
        drawn = (np.bincount(rng.integers(0, n_queries, n_queries), minlength=n_queries) for _ in range(size))
        weights = np.stack(list(drawn)).astype(np.float64)
        means = weights @ values / n_queries
        for at, name in enumerate(order):
            means[:, at] += _drawn_seeds(rng, means_of_seeds.get(name, ()), size)
        parts.append(1 + (means[:, None, :] > means[:, :, None] + _ROUNDING).sum(axis=2))
    low, high = np.quantile(np.concatenate(parts), [0.025, 0.975], axis=0, method="nearest")
    return {name: (int(low[at]), int(high[at])) for at, name in enumerate(order)}


def _drawn_seeds(rng: np.random.Generator, means_of_seeds: ArrayLike, rounds: int) -> Floats:
    """Return by how much the mean over seeds differs when they are drawn with replacement (rounds,); 0 for one seed.

    The deviations of n drawn seeds are too small by the factor (n - 1) / n on average, which is corrected.
    """
    means = np.asarray(means_of_seeds, np.float64)
    count = len(means)
    if count < 2:
        return np.zeros(rounds)
    drawn: Floats = means[rng.integers(0, count, (rounds, count))].mean(axis=1) - means.mean()
    return drawn * math.sqrt(count / (count - 1))
