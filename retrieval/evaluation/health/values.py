"""The health values of one set of vectors: of a space, of its shuffled codes, and of what a remedy makes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Metric
from retrieval.evaluation.health import checks
from retrieval.evaluation.health.chance import shuffled
from retrieval.evaluation.health.distances import relative_contrast
from retrieval.evaluation.health.duplicates import distinct_rows
from retrieval.evaluation.health.hubness import hubness, k_occurrence
from retrieval.evaluation.health.intrinsic_dimension import (
    MIN_ITEMS,
    NEIGHBOURS,
    levina_bickel,
    nearest_distances,
    two_nn,
)
from retrieval.evaluation.health.similarity import distance_matrix, mask_query_rows, score_matrix
from retrieval.evaluation.health.spectrum import (
    constant_components,
    effective_rank,
    mean_cosine,
    singular_values,
)

Floats = NDArray[np.float64]
#: Name of a check -> its value.
Values = dict[str, float]
#: Shuffles whose mean is the chance level; one by itself may be far from it.
SHUFFLES = 5


@dataclass(frozen=True, eq=False)
class Vectors:
    """Some items in a space.

    Attributes
    ----------
    rows : array or csr_array float64 (n, dim)
        See `retrieval.evaluation.health.similarity.rows_of`.
    asking : array or csr_array float64 (n, dim)
        The same items as queries; the same as `rows` unless the encoder is asymmetric.
    metric : Metric
    positive_only : bool
        Whether only items with a score above 0 are answers, as in a sparse index.
    """

    rows: Any
    asking: Any
    metric: Metric
    positive_only: bool = False

    @property
    def query_rows(self) -> NDArray[np.int64]:
        """The row of each query itself."""
        return np.arange(self.rows.shape[0])

    @cached_property
    def plain(self) -> Floats:
        """The scores of all items for each item, as they are, (n, n)."""
        return score_matrix(self.asking, self.rows, self.metric)

    @cached_property
    def scores(self) -> Floats:
        """The same, -inf for the item itself and where an item is no answer."""
        return mask_query_rows(answered(self.plain, self.positive_only), self.query_rows)

    @cached_property
    def distances(self) -> Floats:
        """The distances of all pairs of items, (n, n)."""
        if self.asking is not self.rows or self.metric is Metric.DOT:
            return distance_matrix(self.rows, self.rows, self.metric)
        if self.metric is Metric.COSINE:
            lengths = np.diag(self.plain)  # 1, or 0 for a code of zeros
            return np.sqrt(np.maximum(lengths[:, None] + lengths - 2 * self.plain, 0))
        return -self.plain if self.metric is Metric.HAMMING else np.sqrt(-self.plain)

    @property
    def alike(self) -> bool:
        """Whether all items have the same code."""
        return not (self.distances > 0).any()

    def by_chance(self, seed: int = 0) -> Vectors:
        """The same numbers shuffled within every component; see `shuffled`."""
        rows = shuffled(self.rows, seed)
        return replace(self, rows=rows, asking=rows)


class ChanceLevel(NamedTuple):
    """The mean of a value over several shuffles, the lowest and the highest."""

    mean: float
    low: float
    high: float


def chance_levels(vectors: Vectors, seed: int = 0, shuffles: int = SHUFFLES) -> dict[str, ChanceLevel]:
    """Return the level of each of `vector_values` by chance; see `Vectors.by_chance`.

    Parameters
    ----------
    vectors : Vectors
    seed : int
        Of the first shuffle.
    shuffles : int
        They are measured one after the other, so that their number takes no memory.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(100, 5))
    >>> level = chance_levels(Vectors(rows, rows, Metric.EUCLIDEAN))["hubness"]
    >>> level.low < level.mean < level.high
    True
    """
    values_by_name: dict[str, list[float]] = {}
    for number in range(shuffles):
        for name, value in vector_values(vectors.by_chance(seed + number)).items():
            values_by_name.setdefault(name, []).append(value)
    return {
        name: ChanceLevel(float(np.mean(values)), min(values), max(values)) for name, values in values_by_name.items()
    }


def answered(scores: Floats, positive_only: bool) -> Floats:
    """Return scores with -inf where an item is no answer."""
    return np.where(scores > 0, scores, -np.inf) if positive_only else scores


def vector_values(vectors: Vectors) -> Values:
    """Return the values that any vectors have: hubness, dimension, rank, anisotropy, contrast.

    What cannot be computed is left out: the intrinsic dimension of fewer than 50 different codes or of bits, the
    anisotropy in a Euclidean space, the contrast where every item has another at distance 0.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(200, 3))
    >>> values = vector_values(Vectors(rows, rows, Metric.EUCLIDEAN))
    >>> 2.5 < values["dimension, TwoNN"] < 3.5, "anisotropy" in values
    (True, False)
    """
    values = score_values(vectors.scores)
    if vectors.metric is not Metric.HAMMING:
        values |= _dimensions(vectors.distances)
    values[checks.EFFECTIVE_RANK.name] = effective_rank(singular_values(vectors.rows))
    if vectors.metric in (Metric.COSINE, Metric.DOT):
        values[checks.ANISOTROPY.name] = mean_cosine(vectors.rows)
    values[checks.CONTRAST.name] = relative_contrast(vectors.distances)
    return {name: value for name, value in values.items() if math.isfinite(value)}


def score_values(scores: Floats) -> Values:
    """Return the values that scores have: hubness and anti-hubs."""
    statistics = hubness(k_occurrence(scores))
    return {checks.HUBNESS.name: statistics.skewness, checks.ANTIHUBS.name: statistics.antihubs}


def component_values(vectors: Vectors) -> Values:
    """Return the shares of components that are constant, or vary hardly."""
    constant, hardly = constant_components(vectors.rows)
    return {checks.CONSTANT.name: constant, checks.NEAR_CONSTANT.name: hardly}


def _dimensions(distances: Floats) -> Values:
    distinct = distinct_rows(distances)
    if len(distinct) < MIN_ITEMS:
        return {}
    nearest = nearest_distances(distances[np.ix_(distinct, distinct)], NEIGHBOURS)
    return {checks.TWO_NN.name: two_nn(nearest), checks.MLE.name: levina_bickel(nearest)}
