"""Distance to the k-th nearest normal item, in any space."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Metric
from indexers.base import Index
from indexers.validation import LARGEST as LARGEST_CODE
from retrieval.applications.anomaly.score import Score
from retrieval.applications.anomaly.stages import Stages

#: Rank of the neighbour whose distance is the score.
K = 5


class Neighbours(Score):
    """Distance to the k-th nearest of the stored training items; minus the score in a space of inner products.

    Parameters
    ----------
    stages : Stages
    k : int
    index : Index, optional
        Codes of training items; needed before `score`.

    References
    ----------
    Ramaswamy, Rastogi & Shim, Efficient algorithms for mining outliers from large data sets, SIGMOD 2000.
    """

    name: ClassVar[str] = "neighbours"
    meaning: ClassVar[str] = "distance to the k-th nearest normal item"

    def __init__(self, stages: Stages, k: int = K, index: Index | None = None) -> None:
        super().__init__(stages)
        self.k, self.index = k, index

    @classmethod
    def why_not(cls, stages: Stages) -> str:
        """Return an empty text: every space has neighbours."""
        return ""

    def _score(self, rows: Codes) -> Any:
        if self.index is None:
            raise ValueError("neighbours need an index")
        codes = self.stages.encode(rows)
        if self.stages.encoder.space.kind is Kind.DENSE:  # an index refuses larger numbers, which are strange enough
            codes = np.clip(np.nan_to_num(codes, nan=LARGEST_CODE), -LARGEST_CODE, LARGEST_CODE)
        nearest = self.index.search_rows(codes, min(self.k, len(self.index)))
        return distances(nearest.scores[:, -1], self.stages.encoder.space.metric)

    def options(self) -> dict[str, Any]:
        """Return the rank of the neighbour."""
        return {"k": self.k}


def distances(scores: NDArray[Any], metric: Metric) -> NDArray[np.float64]:
    """Return the distances that belong to scores of an index; for an inner product, minus the score.

    Examples
    --------
    >>> distances(np.array([-25.0, 0.0]), Metric.EUCLIDEAN).tolist()
    [5.0, 0.0]
    >>> distances(np.array([0.75]), Metric.COSINE).tolist()
    [0.25]
    """
    values = np.asarray(scores, dtype=np.float64)
    if metric is Metric.DOT:  # a row without any known word has no neighbour: stranger than every other
        return np.where(np.isfinite(values), -values, np.inf)
    if metric is Metric.COSINE:
        return np.maximum(1 - values, 0)
    nearest = np.maximum(-values, 0)
    return np.asarray(np.sqrt(nearest) if metric is Metric.EUCLIDEAN else nearest)
