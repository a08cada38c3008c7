"""Loss attribution: which step between the judgements and the answers loses how much of a measure.

A chain of values of one measure, query by query: a perfect ranking, exact search in the space, exact search in the
quantised codes, the index as it is, the filter, the fusion. The loss of a step is the difference of neighbours in the
chain, so the losses of a query add up to its whole loss. A negative loss is a gain.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from encoders.errors import DimensionError, OptionError
from retrieval.evaluation.measures import Measure, parse_measures
from retrieval.evaluation.ranking_measures import Floats
from retrieval.evaluation.relevance import Relevance, Rows

#: The stages of a chain in their order -> the step that leads to it. Only the first must exist.
STEPS = {
    "ideal": "",
    "exact": "space",
    "codes": "quantisation",
    "index": "approximation",
    "filter": "filter",
    "fusion": "fusion",
}
#: Values are rounded to multiples of this power of two: differences and sums of them are then exact in float64.
GRID = 2.0**-40


@dataclass(frozen=True)
class Attribution:
    """The losses of one measure along a chain.

    Attributes
    ----------
    values : dict of str to ndarray float64 (n_queries,)
        Stage of the chain -> the measure of every query, in the order of `STEPS`; the first is ``ideal``.
    """

    values: dict[str, Floats]

    @property
    def losses(self) -> dict[str, Floats]:
        """Step -> what each query loses in it; negative for a gain. They add up to `total` exactly."""
        stages = list(self.values)
        return {STEPS[after]: self.values[before] - self.values[after] for before, after in itertools.pairwise(stages)}

    @property
    def total(self) -> Floats:
        """What each query loses between a perfect ranking and the last stage, float64 (n_queries,)."""
        first, *_, last = self.values.values()
        return first - last

    @property
    def means(self) -> dict[str, float]:
        """Stage -> mean over the queries."""
        return {stage: float(values.mean()) for stage, values in self.values.items()}


def attribute(values: Mapping[str, Floats]) -> Attribution:
    """The losses along a chain.

    Parameters
    ----------
    values : mapping of str to ndarray float64 (n_queries,)
        Stage, a key of `STEPS` -> the measure of every query. ``ideal`` and one other stage are needed; the loss of a
        stage that is left out is part of the next step.

    Raises
    ------
    OptionError
        When a stage is unknown, or ``ideal`` or every other stage is missing.
    DimensionError
        When the stages differ in their number of queries.

    Examples
    --------
    >>> attribution = attribute({"ideal": np.array([1.0]), "exact": np.array([0.75]), "index": np.array([0.25])})
    >>> {step: loss.tolist() for step, loss in attribution.losses.items()}, attribution.total.tolist()
    ({'space': [0.25], 'approximation': [0.5]}, [0.75])
    """
    unknown = [stage for stage in values if stage not in STEPS]
    if unknown or "ideal" not in values or len(values) < 2:
        others = ", ".join(list(STEPS)[1:])
        raise OptionError(f"a chain has 'ideal' and at least one of {others}; got {', '.join(values) or 'nothing'}")
    if len({np.shape(one) for one in values.values()}) > 1:
        counts = ", ".join(f"{stage} {np.shape(one)}" for stage, one in values.items())
        raise DimensionError(f"every stage of a chain needs a value for each query; got {counts}")
    return Attribution({stage: np.round(np.asarray(values[stage]) / GRID) * GRID for stage in STEPS if stage in values})


def ideal_values(relevance: Relevance, measures: Iterable[str | Measure]) -> dict[str, Floats]:
    """The measures of a perfect ranking: every relevant item first, in the order of descending grade.

    Parameters
    ----------
    relevance : Relevance
    measures : iterable of str or Measure

    Returns
    -------
    dict of str to ndarray float64 (n_queries,)
        1 where a measure can reach 1; P@k of a query with fewer than k relevant items cannot.
    """
    wanted = parse_measures(measures)
    queries: Rows = np.arange(len(relevance))
    depth = max([int(relevance.n_relevant.max(initial=1)), *(measure.cutoff or 1 for measure in wanted)])
    if wanted and all(measure.cutoff is not None for measure in wanted):
        depth = max(measure.cutoff or 1 for measure in wanted)
    grades = relevance.ideal(queries, depth)[:, :depth]
    padded = np.zeros((len(queries), depth), np.int32)
    padded[:, : grades.shape[1]] = grades
    judged = relevance.judged(queries, padded)
    return {str(measure): measure(judged) for measure in wanted}
