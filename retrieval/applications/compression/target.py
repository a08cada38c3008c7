"""How small, or how good, a compressed file is to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.errors import OptionError
from retrieval.applications.compression.bit_allocation import (
    Candidates,
    candidates,
    component_weights,
    for_error,
    for_rate,
    quantizer_of,
)
from retrieval.applications.compression.item_levels import decoded_levels, smooth_levels, squared_error
from retrieval.applications.compression.nby_file import ENTRY_BYTES
from retrieval.applications.compression.quantizer import Quantizer

#: Without a target, quantising may add this part of the error, or of the variance where there is hardly any error.
ADDED, ADDED_OF_VARIANCE = 0.05, 0.001
#: Training codes for steps and models; and decoded ones, to measure errors.
TRAINING_ITEMS, MEASURED_ITEMS = 4096, 512
#: Numbers of all training codes together.
_MAX_NUMBERS = 1 << 22
#: A chunk of the coder ends with a state, of which about this is no content.
_STATE_BYTES = 3


@dataclass(frozen=True)
class CompressionTarget:
    """At most one of three.

    Attributes
    ----------
    bytes : float, optional
        Mean bytes of an item, with its part of the chunk table; without the encoder, the tables and ids.
    error : float, optional
        Mean squared error of an item, summed over its values.
    bits : float, optional
        Mean bits of each component.
    """

    bytes: float | None = None
    error: float | None = None
    bits: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) > 1:
            raise OptionError(f"--{' and --'.join(given)} are two targets: leave one out")
        for name, value in given.items():
            if not (np.isfinite(value) and value > 0):
                raise OptionError(f"--{name} should be a number above 0, got {value:g}")


@dataclass(frozen=True)
class Trained:
    """A quantiser, and what it was measured to do to the training items.

    Attributes
    ----------
    quantizer : Quantizer
    own_error : float
        Mean squared error of the encoder alone.
    error : float
        The same with quantising.
    """

    quantizer: Quantizer
    own_error: float
    error: float


def training_rows(dim: int) -> int:
    """Return how many items a quantiser is trained on.

    Examples
    --------
    >>> training_rows(30), training_rows(100_000)
    (4096, 256)
    """
    return max(256, min(TRAINING_ITEMS, _MAX_NUMBERS // max(dim, 1)))


def train_quantizer(
    encoder: Encoder,
    codes: NDArray[np.float32],
    levels: NDArray[np.float32],
    target: CompressionTarget,
    items_per_chunk: int,
) -> Trained:
    """Choose the steps of a quantiser for a target, on training items.

    Parameters
    ----------
    encoder : Encoder
    codes : ndarray float32 (n, dim)
    levels : ndarray float32 (m, values)
        The first m of the same items, as `levels_of` returns them.
    target : CompressionTarget
    items_per_chunk : int

    Raises
    ------
    OptionError
        When the error cannot be so small.
    """
    some = codes[: len(levels)]
    found = candidates(codes, component_weights(lambda rows: smooth_levels(encoder, rows), codes))

    def made(chosen: NDArray[np.int64]) -> Quantizer:
        return quantizer_of(codes, found, chosen)

    def error_of(chosen: NDArray[np.int64]) -> float:
        quantizer = made(chosen)
        return _error(encoder, quantizer.dequantize(quantizer.quantize(some)), levels)

    own_error = _error(encoder, some, levels)
    together = min(items_per_chunk, len(codes))
    chosen = _chosen(target, found, codes.shape[1], together, own_error, levels, error_of)
    if target.error is not None and (reached := error_of(chosen)) > target.error:
        raise OptionError(
            f"'{encoder}' does not come below a squared error of {max(own_error, reached):.4g} per item on training "
            f"items, so --error {target.error:g} cannot be kept: raise it, or take a space that keeps more"
        )
    return Trained(made(chosen), own_error, error_of(chosen))


def _chosen(
    target: CompressionTarget,
    found: Candidates,
    dim: int,
    items_per_chunk: int,
    own_error: float,
    levels: NDArray[np.float32],
    error_of: Callable[[NDArray[np.int64]], float],
) -> NDArray[np.int64]:
    overhead = (ENTRY_BYTES + _STATE_BYTES) / items_per_chunk  # of each item
    if target.bytes is not None:
        return for_rate(found, 8 * max(target.bytes - overhead, 0))
    if target.bits is not None:
        return for_rate(found, target.bits * dim)
    if target.error is not None:
        return for_error(found, target.error, error_of)
    variance = float(levels.var(axis=0, dtype=np.float64).sum())
    return for_error(found, own_error + max(ADDED * own_error, ADDED_OF_VARIANCE * variance), error_of)


def _error(encoder: Encoder, codes: NDArray[np.float32], levels: NDArray[np.float32]) -> float:
    return float(squared_error(levels, decoded_levels(encoder, codes)).mean())
