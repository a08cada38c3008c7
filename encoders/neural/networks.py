"""The networks that methods are built of, in torch, and their folding into plain layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from encoders.neural.layers import Layer

if TYPE_CHECKING:
    from torch import nn

ACTIVATIONS = {"relu": "ReLU", "silu": "SiLU", "tanh": "Tanh", "sigmoid": "Sigmoid"}


def mlp(widths: Sequence[int], activation: str, norm: str) -> nn.Sequential:
    """Return linear maps between `widths`, each but the last followed by its normalisation and activation.

    Parameters
    ----------
    widths : sequence of int
        Input first, output last.
    activation : str
        ``relu``, ``silu``, ``tanh`` or ``sigmoid``.
    norm : str
        ``batch`` (Ioffe & Szegedy 2015) or ``none``.
    """
    from torch import nn

    parts: list[Any] = []
    for place, (before, after) in enumerate(pairwise(widths)):
        parts.append(nn.Linear(before, after))
        if place < len(widths) - 2:
            if norm == "batch":
                parts.append(nn.BatchNorm1d(after))
            parts.append(getattr(nn, ACTIVATIONS[activation])())
    return nn.Sequential(*parts)


def folded(network: nn.Sequential, last: str = "linear") -> list[Layer]:
    """Return the network as plain layers, batch normalisation folded into the map before it.

    Parameters
    ----------
    network : torch.nn.Sequential
        As `mlp` makes it.
    last : str
        The activation behind the last map.
    """
    from torch import nn

    names = {kind: name for name, kind in ACTIVATIONS.items()}
    layers: list[Layer] = []
    for part in network:
        if isinstance(part, nn.Linear):
            bias = np.zeros(part.out_features, np.float32) if part.bias is None else _array(part.bias)
            layers.append(Layer(_array(part.weight), bias, last))
        elif isinstance(part, nn.BatchNorm1d):
            scale = _array(part.weight) / np.sqrt(_array(part.running_var) + part.eps)
            weight, bias, _ = layers.pop()
            shifted = (bias - _array(part.running_mean)) * scale + _array(part.bias)
            layers.append(Layer(weight * scale[:, None], shifted.astype(np.float32), last))
        else:
            layers[-1] = layers[-1]._replace(activation=names[type(part).__name__])
    return layers


def _array(tensor: Any) -> Any:
    return tensor.detach().to("cpu").float().numpy().copy()
