"""How small, or how good, a compressed file is to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import OptionError
from retrieval.applications.compression.bit_allocation import (
    candidates,
    component_weights,
    for_error,
    for_rate,
    quantizer_of,
)
from retrieval.applications.compression.item_levels import decoded_levels, smooth_levels
from retrieval.applications.compression.nby_file import ENTRY_BYTES
from retrieval.applications.compression.quantizer import Quantizer
from retrieval.evaluation.picture_quality import squared_error

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


class QuantizerTraining:
    """Training items by an encoder, from which quantisers for any number of targets are made.

    Parameters
    ----------
    encoder : Encoder
    codes : ndarray float32 (n, dim)
    levels : ndarray float32 (m, values)
        The first m of the same items, as `levels_of` returns them.
    """

    def __init__(self, encoder: Encoder, codes: NDArray[np.float32], levels: NDArray[np.float32]) -> None:
        self.encoder, self.codes, self.levels = encoder, codes, levels
        self._candidates = candidates(codes, _weights(encoder, codes))
        self.own_error = self._error(codes[: len(levels)])

    def train(self, target: CompressionTarget, items_per_chunk: int) -> Trained:
        """Choose the steps of a quantiser.

        Raises
        ------
        OptionError
            When the error cannot be so small.
        """
        quantizer = quantizer_of(
            self.codes, self._candidates, self._chosen(target, min(items_per_chunk, len(self.codes)))
        )
        reached = self._error_with(quantizer)
        if target.error is not None and reached > target.error:
            raise OptionError(
                f"'{self.encoder}' does not come below a squared error of {max(self.own_error, reached):.4g} per item "
                f"on training items, so --error {target.error:g} cannot be kept: raise it, or take a space that keeps "
                "more"
            )
        return Trained(quantizer, self.own_error, reached)

    def _chosen(self, target: CompressionTarget, items_per_chunk: int) -> NDArray[np.int64]:
        if target.bytes is not None:
            table = ENTRY_BYTES / items_per_chunk
            if target.bytes < table:
                raise OptionError(
                    f"--bytes {target.bytes:g} is less than the checksums alone, {table:.3g} bytes per item: raise it, "
                    "or store more items together with --chunk"
                )
            overhead = (ENTRY_BYTES + _STATE_BYTES) / items_per_chunk  # of each item
            return for_rate(self._candidates, 8 * max(target.bytes - overhead, 0))
        if target.bits is not None:
            return for_rate(self._candidates, target.bits * self.codes.shape[1])
        if target.error is not None:
            return for_error(self._candidates, target.error, self._error_of)
        variance = float(self.levels.var(axis=0, dtype=np.float64).sum())
        added = max(ADDED * self.own_error, ADDED_OF_VARIANCE * variance)
        return for_error(self._candidates, self.own_error + added, self._error_of)

    def _error_of(self, chosen: NDArray[np.int64]) -> float:
        return self._error_with(quantizer_of(self.codes, self._candidates, chosen))

    def _error_with(self, quantizer: Quantizer) -> float:
        return self._error(quantizer.dequantize(quantizer.quantize(self.codes[: len(self.levels)])))

    def _error(self, codes: NDArray[np.float32]) -> float:
        return float(squared_error(self.levels, decoded_levels(self.encoder, codes)).mean())


def _weights(encoder: Encoder, codes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how much a squared change of each component changes a decoded item: 1 where decoding is a rotation."""
    stages = encoder.parts if encoder.reads is Modality.VECTOR else encoder.parts[1:]
    if all(stage.keeps_distances for stage in stages):
        return np.ones(codes.shape[1])
    return component_weights(lambda rows: smooth_levels(encoder, rows), codes)
