"""A trained multilayer perceptron in NumPy, which encodes without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import State
from encoders.neural.beta_binomial import BOUNDS
from encoders.products import Product


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: ``activation(x @ weight.T + bias)``; weight (out, in), bias (out,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    activation: str

    @cached_property
    def product(self) -> Product:
        """The prepared matrix product with the weight."""
        return Product(self.weight)


def sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 / (1 + exp(-x)) in place, without overflow."""
    np.tanh(np.multiply(x, np.float32(0.5), out=x), out=x)
    return np.multiply(np.add(x, np.float32(1), out=x), np.float32(0.5), out=x)


def softmax(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return exp(x) scaled to sum 1 in each row, in place."""
    np.exp(np.subtract(x, x.max(axis=1, keepdims=True), out=x), out=x)
    scaled: NDArray[np.float32] = np.divide(x, x.sum(axis=1, keepdims=True), out=x)
    return scaled


def beta_mean(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of beta-binomial distributions (n, dim) from the logarithms of their parameters (n, 2 dim)."""
    alpha, beta = np.split(np.clip(x, *BOUNDS), 2, axis=1)
    return sigmoid(alpha - beta)


#: Activations by name, as in `networks.ACTIVATIONS`; each may change its argument in place.
ACTIVATIONS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0, out=x),
    "silu": lambda x: x * sigmoid(x.copy()),
    "tanh": lambda x: np.tanh(x, out=x),
    "sigmoid": sigmoid,
    "softmax": softmax,
    "beta-mean": beta_mean,
}


def forward(layers: Sequence[Layer], rows: Any) -> NDArray[np.float32]:
    """Send rows (n, in), dense or sparse, through the layers.

    Examples
    --------
    >>> double = Layer(np.array([[2.0]], dtype=np.float32), np.zeros(1, dtype=np.float32), "relu")
    >>> forward([double], np.array([[1.5], [-1.0]], dtype=np.float32)).tolist()
    [[3.0], [0.0]]
    """
    for layer in layers:
        rows = ACTIVATIONS[layer.activation](layer.product(rows, layer.bias))
    return np.asarray(rows.toarray() if issparse(rows) else rows, dtype=np.float32)


def to_state(prefix: str, layers: Sequence[Layer]) -> State:
    """Return the arrays of the layers under ``prefix.0.weight``, ``prefix.0.bias``, ..."""
    state: State = {}
    for number, layer in enumerate(layers):
        state[f"{prefix}.{number}.weight"], state[f"{prefix}.{number}.bias"] = layer.weight, layer.bias
    return state


def from_state(prefix: str, state: State, activations: Sequence[str]) -> list[Layer]:
    """Return the layers from the arrays of `to_state`; activations are options, not arrays."""
    return [
        Layer(state[f"{prefix}.{number}.weight"], state[f"{prefix}.{number}.bias"], activation)
        for number, activation in enumerate(activations)
    ]
