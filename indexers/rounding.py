"""How far scores by a product of float32 matrices can be from scores by the definition of the metric."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Metric

_EPSILON = float(np.finfo(np.float32).eps)


class Lengths(NamedTuple):
    """What is known of the lengths of the items that are compared."""

    items: int
    median: float
    longest: float

    @classmethod
    def of(cls, squares: NDArray[Any]) -> Lengths:
        """Describe items by their squared lengths.

        Examples
        --------
        >>> Lengths.of(np.array([1, 4, 25]))
        Lengths(items=3, median=2.0, longest=5.0)
        """
        return cls(len(squares), float(np.sqrt(np.median(squares))), float(np.sqrt(np.max(squares))))

    def slack(self, queries: NDArray[np.float32], metric: Metric, k: int) -> NDArray[np.float32]:
        """Return, for each query (n, dim), how much worse than the k-th best score one of the `k` best can look.

        Rounding errors are relative to the terms of a product. For cosine, items count as if of unit length. By inner
        product, the longest item can be one of the best. By distance, a much longer item than the k-th shortest cannot.
        """
        lengths: NDArray[np.float32] = np.linalg.norm(queries, axis=1)
        if metric is Metric.EUCLIDEAN:
            magnitude = (lengths + (self.median if 2 * k <= self.items else self.longest)) ** 2
        else:
            magnitude = lengths * (self.longest if metric is Metric.DOT else 1)
        return np.asarray(2 * _EPSILON * queries.shape[1] * magnitude)
