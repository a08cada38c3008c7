"""RaBitQ: a random rotation, and a few bits per component with an unbiased estimate of the product."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, slices
from encoders.errors import OptionError
from encoders.options import LARGEST_SEED, option
from encoders.packing import Part
from encoders.unreduced import metric_before, unreduced

#: Widest codes that are rotated: the rotation has as many numbers as the square of the width.
MAX_WIDTH = 4096
#: Rows per block.
ROWS = 4096
#: Shares of the largest entry at which the grid may end, tried for every row with more than one bit.
ENDS = np.linspace(0.3, 1.0, 36)
#: Significant bits of a stored scale: its product with a level of 8 bits is exact in float32.
SCALE_BITS = 16


@dataclass
class RaBitQ(Encoder):
    """RaBitQ: a random rotation, then 1 to 8 bits per component, whose product with a query is unbiased.

    Use it when you want one to four bits per component and as little loss as such codes allow.

    A row is centred, rotated and replaced by the nearest direction of a grid: signs for one bit, odd numbers from
    ``1 - 2**bits`` to ``2**bits - 1`` for more. Two numbers of the item take 8 bytes: the scale, with which its product
    with any query is right on average, and its exact length, or for cosine and dot its exact product with the centre.
    Queries are rotated, not reduced. Codes are compared by dot product, which gives the order of the metric before. For
    Euclidean distance d, the score is (the squared distance of the query to the centre - d^2) / 2. Cosine quantises
    rows of unit length. Decoding rotates back; it scales to the least error on average.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((200, 64)).astype(np.float32)
    >>> encoder = RaBitQ(1).fit(rows)
    >>> encoder.space.bytes_per_item  # 64 bits, and two numbers
    16
    >>> scores = encoder.encode_queries(rows[:1]) @ encoder.encode(rows).T
    >>> int(scores.argmax())
    0

    References
    ----------
    Gao & Long, RaBitQ: quantizing high-dimensional vectors with a theoretical error bound for approximate nearest
    neighbor search, SIGMOD 2024, §3; Gao, Gou, Xu, Yang, Long & Wong, Practical and asymptotically optimal quantization
    of high-dimensional vectors in Euclidean space for approximate nearest neighbor search, SIGMOD 2025 (more bits).
    """

    name: ClassVar[str] = "rabitq"
    reads_sparse: ClassVar[bool] = False
    bits: int = option(1, "Bits per component.", ge=1, le=8)
    seed: int = option(0, "Random seed of the rotation.", ge=0, le=LARGEST_SEED)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        rows = unreduced(self, collect(batches))
        dim = rows.shape[1]
        if dim > MAX_WIDTH:
            raise OptionError(f"rabitq rotates at most {MAX_WIDTH:,} components; got {dim:,}: put pca before it")
        self.centre = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.rotation = random_rotation(dim, self.seed)
        lengths, shares = [], []
        for block in slices(rows, ROWS):
            rotated = self._products.of(self.rotation, self.centre)(block)
            grid, share = nearest_on_grid(rotated, self.bits)
            lengths.append(_length(rotated))
            shares.append(share[_length(grid) > 0])
        mean_square = float(np.mean(np.concatenate(lengths) ** 2))
        #: Power of two near the typical length: its half square is stored in this unit, which float32 can hold.
        self.unit = np.float32(2.0 ** np.rint(0.5 * np.log2(mean_square)) if mean_square > 0 else 1.0)
        known = np.concatenate(shares)
        #: Mean squared cosine of a row and its grid direction, by which decoding shortens.
        self.shrinkage = np.float32((known**2).mean() if len(known) else 1.0)
        # the last component is always the unit, and takes no byte: what a query adds to all its scores
        packing = (Part(dim, bits=self.bits, scaled=True), Part(1), Part(1, bits=0))
        return Space(dim + 2, Kind.DENSE, Metric.DOT, packing=packing)

    def _encode(self, items: Any) -> Codes:
        rows = unreduced(self, items)
        codes = np.empty((len(rows), self.space.dim), dtype=np.float32)
        for block, code_block in zip(slices(rows, ROWS), slices(codes, ROWS), strict=True):
            rotated = self._products.of(self.rotation, self.centre)(block)
            grid, share = nearest_on_grid(rotated, self.bits)
            length = _length(rotated)
            # <row, query> is estimated by <grid, query> |row| / (|grid| cos(row, grid)), which is unbiased
            divisor = _length(grid) * share
            scale = np.divide(length, divisor, out=np.zeros_like(length), where=divisor > 0)
            code_block[:, :-2] = grid * _few_bits(scale)[:, None]
            if metric_before(self) is Metric.EUCLIDEAN:
                code_block[:, -2] = -0.5 * length * (length / float(self.unit))
            else:
                code_block[:, -2] = (self._with_centre(block) - self._centre_square) / float(self.unit)
        codes[:, -1] = self.unit
        return codes

    def _encode_queries(self, items: Any) -> Codes:
        rows = unreduced(self, items)
        queries = np.empty((len(rows), self.space.dim), dtype=np.float32)
        queries[:, :-2] = self._products.of(self.rotation, self.centre)(rows)
        queries[:, -2] = self.unit
        # <row, query> = <row - centre, query - centre> + <row - centre, centre> + <query, centre>
        euclidean = metric_before(self) is Metric.EUCLIDEAN
        queries[:, -1] = 0 if euclidean else self._with_centre(rows) / float(self.unit)
        return queries

    def _decode(self, codes: Codes) -> Items:
        shortened = np.asarray(codes[:, :-2], dtype=np.float64) * float(self.shrinkage)
        return np.asarray(shortened @ self.rotation + self.centre, dtype=np.float32)

    def _with_centre(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        return self._products.of(self.centre[None]).exactly(rows)[:, 0]

    @property
    def _centre_square(self) -> float:
        return float(np.square(self.centre, dtype=np.float64).sum())

    def state(self) -> State:
        """Return rotation (dim, dim), centre (dim,), the unit of squared lengths and the factor of decoding."""
        return {
            "rotation": self.rotation,
            "centre": self.centre,
            "scalars": np.array([self.unit, self.shrinkage], dtype=np.float32),
        }

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.rotation, self.centre = state["rotation"], state["centre"]
        self.unit, self.shrinkage = state["scalars"]


def random_rotation(dim: int, seed: int) -> NDArray[np.float32]:
    """Return a random orthogonal matrix, uniformly distributed, float32 (dim, dim) (Stewart 1980: QR with signs)."""
    gaussian = np.random.default_rng(seed).standard_normal((dim, dim))
    orthogonal, triangle = np.linalg.qr(gaussian)
    return np.asarray(orthogonal * np.sign(np.diag(triangle)), dtype=np.float32)


def nearest_on_grid(rows: NDArray[np.float32], bits: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the grid direction of every row, odd numbers, float64 (n, dim), and its cosine with the row (n,).

    For more than one bit, the end of the grid is tried at several shares of the largest entry of a row, and the
    direction with the largest cosine is kept.

    Examples
    --------
    >>> grid, cosine = nearest_on_grid(np.array([[0.2, -0.2]], dtype=np.float32), 1)
    >>> grid.tolist(), round(float(cosine[0]), 6)
    ([[1.0, -1.0]], 1.0)
    """
    exact, last = rows.astype(np.float64), 2**bits - 1
    largest = np.abs(exact).max(axis=1)
    exact = np.divide(exact, largest[:, None], out=np.zeros_like(exact), where=largest[:, None] > 0)
    lengths = _length(exact)
    if bits == 1:
        best = np.where(exact >= 0, 1.0, -1.0)
        return best, _cosine(exact, best, lengths)
    best, cosine = np.ones_like(exact), np.full(len(exact), -np.inf)
    for end in ENDS:
        # from -end to end in 2**bits cells, whose middles are odd multiples of end / 2**bits
        tried = 2 * np.clip(np.floor(exact * (2 ** (bits - 1) / end)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) + 1
        tried_cosine = _cosine(exact, tried, lengths)
        better = tried_cosine > cosine + 1e-12
        best[better], cosine[better] = tried[better], tried_cosine[better]
    return np.clip(best, -last, last), cosine


def _cosine(rows: NDArray[np.float64], grid: NDArray[np.float64], lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    products = np.einsum("nd,nd->n", rows, grid)
    divisor = lengths * _length(grid)
    return np.asarray(np.divide(products, divisor, out=np.zeros_like(products), where=divisor > 0))


def _length(rows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    exact = np.asarray(rows, dtype=np.float64)
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", exact, exact)))


def _few_bits(scales: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to 16 significant bits."""
    mantissa, exponent = np.frexp(scales)
    return np.asarray(np.ldexp(np.rint(mantissa * 2**SCALE_BITS) / 2**SCALE_BITS, exponent), np.float32)
