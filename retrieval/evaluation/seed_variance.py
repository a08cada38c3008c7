"""The uncertainty that the seed of a training adds to that of the queries.

A network that is trained again with another seed has another mean. Where spaces are fitted with several seeds, the
error of a difference has two parts: that of the queries, and that of the few seeds of either space. The sum of the two
variances has the degrees of freedom of Satterthwaite; few seeds weigh heavily, as they should.

References
----------
Satterthwaite, An approximate distribution of estimates of variance components, Biometrics Bulletin 2, 1946; Bouthillier
et al., Accounting for variance in machine learning benchmarks, MLSys 2021 (seeds must be part of the test).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class StandardError(NamedTuple):
    """The standard error of a difference of means, and its degrees of freedom."""

    value: float
    freedom: float

    def as_of(self, freedom: float, statistic: float) -> float:
        """Return the t statistic with other degrees of freedom that has the same p-value.

        Examples
        --------
        >>> error = StandardError(1.0, 2.0)
        >>> round(error.as_of(39, 4.303), 2)  # p = .05 in both
        2.02
        """
        if freedom == self.freedom or not math.isfinite(statistic):
            return statistic
        from scipy.stats import t

        # the logarithm: a p-value may be smaller than the smallest float
        return float(-t.ppf(math.exp(max(-700.0, t.logsf(abs(statistic), self.freedom))), freedom))

    def from_of(self, freedom: float, statistic: float) -> float:
        """Return the t statistic with these degrees of freedom that has the p-value of one with others."""
        return StandardError(self.value, freedom).as_of(self.freedom, statistic)


def with_seeds(error: float, n_queries: int, *means_of_seeds: ArrayLike) -> StandardError:
    """Return the standard error of a difference of spaces of which some were fitted with several seeds.

    Parameters
    ----------
    error : float
        Standard error over the queries, of the differences of the means over the seeds.
    n_queries : int
    *means_of_seeds : array-like float (n_seeds,)
        One for each space: its mean for every seed. A space with one seed adds nothing: how it varies is unknown.

    Examples
    --------
    >>> with_seeds(0.01, 100, [0.5])
    StandardError(value=0.01, freedom=99.0)
    >>> error = with_seeds(0.01, 100, [0.5, 0.56, 0.53], [0.4])
    >>> round(error.value, 4), round(error.freedom, 1)
    (0.02, 3.5)
    """
    parts = [(error**2, max(1.0, n_queries - 1.0))]
    for means in means_of_seeds:
        values = np.asarray(means, np.float64)
        if len(values) > 1:
            parts.append((float(values.var(ddof=1)) / len(values), len(values) - 1.0))
    variance = sum(part for part, _ in parts)
    if len(parts) == 1 or variance == parts[0][0] or not math.isfinite(variance):
        return StandardError(error, parts[0][1])
    return StandardError(math.sqrt(variance), _satterthwaite(variance, parts))


def _satterthwaite(variance: float, parts: Sequence[tuple[float, float]]) -> float:
    return variance**2 / sum(part**2 / freedom for part, freedom in parts)
