"""Frequencies of the values of a pixel from the outputs of a decoder network, in integers."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.neural.beta_binomial import LEAST, MOST, WHITE
from retrieval.applications.compression.fixed_point import DIGITS, FRACTION, Table, rounded_shift, sigmoid
from retrieval.applications.compression.latent_grid import PRECISION


class BernoulliPixels:
    """Pixels that are 0 or 1, with the probability of 1 as a logit.

    Examples
    --------
    >>> BernoulliPixels().frequencies(np.array([0, 1 << 20])).tolist()
    [[8388607.0, 8388607.0], [0.0, 16777214.0]]
    """

    levels = 2

    @cached_property
    def _sigmoid(self) -> Table:
        return Table(sigmoid, -20, 20, 6, FRACTION, (1 << PRECISION) - self.levels)

    def frequencies(self, outputs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the frequencies of 0 and 1, less 1, whole numbers (dim, 2), for logits (dim,)."""
        ones = self._sigmoid(outputs)
        return np.stack([(1 << PRECISION) - self.levels - ones, ones], axis=1).astype(np.float32)

    def inputs(self, levels: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the input of the network for pixels."""
        return levels.astype(np.int64) << FRACTION

    def update(self, digest: Any) -> None:
        """Add all integers to a digest of hashlib."""
        digest.update(self._sigmoid.knots.astype("<i8").tobytes())


class BetaBinomialPixels:
    """Grey levels with a beta-binomial distribution (`encoders.neural.beta_binomial`).

    alpha and beta are rounded to 2^(i/8): there are 145 x 145 distributions, computed once. They need only sums,
    products and quotients of single numbers, which IEEE 754 defines to the last bit.
    """

    levels = WHITE + 1
    #: Grid points for each doubling of alpha and beta.
    PER_DOUBLING = 8

    @cached_property
    def _table(self) -> NDArray[np.float32]:
        """Frequencies less 1 of every pair of alpha and beta (pairs, 256), whole numbers that float32 represents."""
        with localcontext(Context(prec=DIGITS)):
            exponents = range(LEAST * self.PER_DOUBLING, MOST * self.PER_DOUBLING + 1)
            grid = np.array([float(Decimal(2) ** (Decimal(step) / self.PER_DOUBLING)) for step in exponents])
        alpha, beta = np.repeat(grid, len(grid)), np.tile(grid, len(grid))
        weights = np.empty((self.levels, len(alpha)))
        weights[0] = 1
        for level in range(WHITE):  # p(k + 1) / p(k)
            ratio = (WHITE - level) * (level + alpha) / ((level + 1) * (WHITE - level - 1 + beta))
            weights[level + 1] = weights[level] * ratio
        total = weights[0].copy()
        for level in range(1, self.levels):
            total += weights[level]
        whole = (1 << PRECISION) - self.levels
        table = np.floor(weights / total * whole).astype(np.int64)
        largest = table.argmax(axis=0)
        table[largest, np.arange(len(alpha))] += whole - table.sum(axis=0)
        return np.ascontiguousarray(table.T).astype(np.float32)

    def frequencies(self, outputs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the frequencies of the levels, less 1, whole numbers (dim, 256), for ln alpha, ln beta (2 dim,)."""
        steps = (MOST - LEAST) * self.PER_DOUBLING
        per_nat = 756388  # 8 / ln 2, with 16 bits after the point
        grid = rounded_shift(outputs * per_nat, FRACTION + 16) - LEAST * self.PER_DOUBLING
        alpha, beta = np.split(np.clip(grid, 0, steps), 2)
        rows: NDArray[np.float32] = self._table[alpha * (steps + 1) + beta]
        return rows

    def inputs(self, levels: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the input of the network for pixels."""
        return ((levels.astype(np.int64) << FRACTION) + WHITE // 2) // WHITE

    def update(self, digest: Any) -> None:
        """Add all integers to a digest of hashlib."""
        digest.update(self._table.astype("<i4").tobytes())
