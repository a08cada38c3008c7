"""A multilayer perceptron in integers, which gives the same outputs on every machine.

References
----------
Ballé, Johnston & Minnen, Integer networks for data compression with latent-variable models, ICLR 2019.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError
from encoders.neural.layers import Layer
from retrieval.applications.compression.fixed_point import FRACTION, activation, rounded_shift

#: Bits of a weight relative to the largest weight of its unit, without the sign.
WEIGHT_BITS = 15
#: Values between layers are clipped to +-2^RANGE.
RANGE = 10
#: Inputs of a unit: the sum of so many products of a weight and a value stays below 2^53, so float64 adds without
#: rounding, in any order and with any number of threads. `encoders.products` uses the same fact.
MAX_INPUTS = 2 ** (53 - WEIGHT_BITS - RANGE - FRACTION - 1)


class IntegerNetwork:
    """NumPy layers with weights of 16 bits and values in fixed point.

    The weights of every unit are rounded to integers with a power of two of their own; so a unit costs no precision
    to another.

    Examples
    --------
    >>> layer = Layer(np.array([[0.5, -2.0]], dtype=np.float32), np.array([1.0], dtype=np.float32), "relu")
    >>> (IntegerNetwork([layer])(np.array([[3 << FRACTION, 1 << FRACTION]])) / 2**FRACTION).tolist()
    [[0.5]]
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = [_IntegerLayer(layer) for layer in layers]
        widths = [layer.weight.shape for layer in self._layers]
        if any(before[0] != after[1] for before, after in pairwise(widths)):
            raise ArtifactError("the widths of the layers of a network do not fit each other: the encoder is damaged")

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return int(self._layers[0].weight.shape[1])

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return int(self._layers[-1].weight.shape[0])

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the outputs int64 (n, out) of rows int64 (n, in), both with `FRACTION` bits after the point."""
        for layer in self._layers:
            rows = layer(rows)
        return rows

    def update(self, digest: Any) -> None:
        """Add all integers to a digest of hashlib."""
        for layer in self._layers:
            for array in (layer.weight.astype(np.int64), layer.bias, layer.shift):
                digest.update(array.astype("<i8").tobytes())


class _IntegerLayer:
    def __init__(self, layer: Layer) -> None:
        weight, bias = layer.weight.astype(np.float64), layer.bias.astype(np.float64)
        if weight.shape[1] > MAX_INPUTS:
            raise ArtifactError(
                f"a layer has {weight.shape[1]:,} inputs, integers allow {MAX_INPUTS:,}: train a smaller network"
            )
        largest = np.abs(weight).max(axis=1)
        if not (largest.max() <= 2**RANGE and np.abs(bias).max() <= 2**RANGE):  # nor NaN
            raise ArtifactError(
                "the network holds weights that are not numbers or are above 1,024, so its outputs cannot be computed "
                "in integers: train it again"
            )
        # multiplying by a power of two and rint are exact on every machine
        exponent = np.maximum(np.frexp(largest)[1], -20).astype(np.int64)
        self.shift = WEIGHT_BITS - exponent
        self.weight = np.rint(np.ldexp(weight, self.shift[:, None]))
        self.bias = np.rint(np.ldexp(bias, self.shift + FRACTION)).astype(np.int64)
        self._activation = activation(layer.activation)

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        sums = (rows.astype(np.float64) @ self.weight.T).astype(np.int64) + self.bias
        limit = 1 << (RANGE + FRACTION)
        return self._activation(np.clip(rounded_shift(sums, self.shift), -limit, limit))


def fingerprint(*parts: Any) -> str:
    """Return a SHA-256 of everything that has an ``update(digest)``, such as an `IntegerNetwork`."""
    digest = hashlib.sha256()
    for part in parts:
        part.update(digest)
    return digest.hexdigest()
