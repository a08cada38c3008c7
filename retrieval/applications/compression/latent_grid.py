"""Buckets of equal probability for the components of a latent code.

A code is coded as a bucket for each component. The buckets have equal probability under the standard normal prior, so
the prior is uniform over them; the posterior gives each bucket the probability between its edges.

References
----------
Townsend, Bird & Barber, Practical lossless compression with latent variables using bits back coding, ICLR 2019, §2.5.1
and appendix B (maximum entropy discretisation).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.compression.fixed_point import FRACTION, Table, normal_cdf

#: Frequencies of one distribution sum to 2^PRECISION; constriction's coders have this precision.
PRECISION = 24
#: Bits after the binary point of an edge.
EDGE = 16
#: Unit of probability when the edges are computed.
FINE = 40


class LatentGrid:
    """2^bits buckets for each component of a code.

    Examples
    --------
    >>> grid = LatentGrid(3)
    >>> (grid.edges / 2**EDGE).round(2).tolist()
    [-1.15, -0.67, -0.32, 0.0, 0.32, 0.67, 1.15]
    >>> grid.nearest(np.array([0, 9000])).tolist()
    [4, 7]
    """

    def __init__(self, bits: int = 10) -> None:
        self.bits, self.size = bits, 1 << bits
        cdf = Table(normal_cdf, -8, 8, 8, EDGE, 1 << FINE).knots[:-1].tolist()
        quantiles = [_quantile(cdf, (half << FINE) // (2 * self.size)) for half in range(1, 2 * self.size)]
        #: Upper edge of every bucket except the last one, int64 (size - 1,), with `EDGE` bits after the point.
        self.edges: NDArray[np.int64] = np.array(quantiles[1::2], dtype=np.int64)
        #: The median of every bucket, which stands for its numbers, int64 (size,), with `FRACTION` bits.
        self.medians: NDArray[np.int64] = np.array(quantiles[::2], dtype=np.int64) >> (EDGE - FRACTION)
        # below one unit more for each bucket, so that every bucket can be coded
        self._cdf = Table(normal_cdf, -8, 8, 8, EDGE, (1 << PRECISION) - self.size)

    @cached_property
    def _inverse_deviation(self) -> Table:
        return Table(lambda log_variance: (-log_variance / 2).exp(), -12, 12, 6, FRACTION, 1 << EDGE)

    def nearest(self, mean: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the bucket of each number, int32, as `mean`, with `FRACTION` bits after the point."""
        return np.searchsorted(self.edges, mean << (EDGE - FRACTION), side="right").astype(np.int32)

    def frequencies(self, mean: NDArray[np.int64], log_variance: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the frequency of every bucket under a normal distribution, less 1, whole numbers (n, size).

        Parameters
        ----------
        mean, log_variance : ndarray int64 (n,)
            With `FRACTION` bits after the binary point.
        """
        distances = self.edges - (mean << (EDGE - FRACTION))[:, None]
        below = self._cdf((distances * self._inverse_deviation(log_variance)[:, None]) >> EDGE)
        whole = (1 << PRECISION) - self.size
        return np.diff(below, axis=1, prepend=0, append=whole).astype(np.float32)

    def update(self, digest: Any) -> None:
        """Add all integers to a digest of hashlib."""
        for array in (self.edges, self.medians, self._cdf.knots, self._inverse_deviation.knots):
            digest.update(array.astype("<i8").tobytes())


def _quantile(cdf: list[int], probability: int) -> int:
    """Return where the interpolated distribution function reaches a probability, with `EDGE` bits after the point."""
    above = int(np.searchsorted(cdf, probability, side="right"))
    low, high = cdf[above - 1], cdf[above]
    spacing = 1 << (EDGE - 8)
    return (above - 1) * spacing + (probability - low) * spacing // (high - low) - (8 << EDGE)
