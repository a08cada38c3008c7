"""The measures of a run, with what their test needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from retrieval.evaluation.expected_measures import Expected
from retrieval.evaluation.ranking_measures import Floats


@dataclass(frozen=True)
class ScoredRun:
    """The measures of a run.

    Attributes
    ----------
    expected : Expected
    influence : dict of str to ndarray float64 (n_queries,)
        Measure -> what every query contributes to the values of the others; see `retrieval.evaluation.jackknife`.
    means_of_seeds : dict of str to list of float
        Measure -> its mean for every seed; empty for a space with one seed.
    """

    expected: Expected
    influence: dict[str, Floats]
    means_of_seeds: dict[str, list[float]] = field(default_factory=dict)
