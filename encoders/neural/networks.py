"""The networks that methods are built of, in torch, and their folding into plain layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from encoders.neural.layers import Layer

if TYPE_CHECKING:
    from torch import nn

ACTIVATIONS = {"relu": "ReLU", "silu": "SiLU", "tanh": "Tanh", "sigmoid": "Sigmoid"}


def mlp(widths: Sequence[int], activation: str, norm: str, tied_to: nn.Sequential | None = None) -> nn.Sequential:
    """Return linear maps between `widths`, each but the last followed by its normalisation and activation.

    Parameters
    ----------
    widths : sequence of int
        Input first, output last.
    activation : str
        ``relu``, ``silu``, ``tanh`` or ``sigmoid``.
    norm : str
        ``batch`` (Ioffe & Szegedy 2015) or ``none``.
    tied_to : torch.nn.Sequential, optional
        A network of the reverse widths, whose weights, transposed, are this one's too.
    """
    from torch import nn

    shared = [] if tied_to is None else [part for part in tied_to if isinstance(part, nn.Linear)][::-1]
    parts: list[Any] = []
    for place, (before, after) in enumerate(pairwise(widths)):
        parts.append(transposed(shared[place]) if shared else nn.Linear(before, after))
        if place < len(widths) - 2:
            if norm == "batch":
                parts.append(nn.BatchNorm1d(after))
            parts.append(getattr(nn, ACTIVATIONS[activation])())
    return nn.Sequential(*parts)


def transposed(shared: nn.Linear) -> nn.Module:
    """Return the linear map by the transpose of another's weight, with a bias of its own."""
    import torch

    class Transposed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared = [shared]  # in a list, lest the weight be registered, trained and stored twice
            self.bias = torch.nn.Parameter(torch.zeros(shared.in_features))

        @property
        def weight(self) -> torch.Tensor:
            return self.shared[0].weight.T

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.linear(rows, self.weight, self.bias)

    return Transposed()


def blocks(network: nn.Sequential) -> list[nn.Sequential]:
    """Return the layers of an `mlp`, each a linear map with what follows it; the same modules, not copies."""
    from torch import nn

    found: list[list[Any]] = []
    for part in network:
        if hasattr(part, "bias") and not isinstance(part, nn.BatchNorm1d):
            found.append([])
        found[-1].append(part)
    return [nn.Sequential(*parts) for parts in found]


def folded(network: Iterable[Any], last: str = "linear") -> list[Layer]:
    """Return the network as plain layers, batch normalisation folded into the map before it.

    Parameters
    ----------
    network : torch.nn.Sequential, or its parts
        As `mlp` makes it.
    last : str
        The activation behind the last map.
    """
    from torch import nn

    names = {kind: name for name, kind in ACTIVATIONS.items()}
    layers: list[Layer] = []
    for part in network:
        if isinstance(part, nn.BatchNorm1d):
            scale = _array(part.weight) / np.sqrt(_array(part.running_var) + part.eps)
            before = layers.pop()
            shifted = (before.bias - _array(part.running_mean)) * scale + _array(part.bias)
            layers.append(Layer(before.weight * scale[:, None], shifted.astype(np.float32), last))
        elif hasattr(part, "weight"):
            weight = np.ascontiguousarray(_array(part.weight))
            bias = np.zeros(len(weight), np.float32) if part.bias is None else _array(part.bias)
            layers.append(Layer(weight, bias, last))
        else:
            layers[-1] = replace(layers[-1], activation=names[type(part).__name__])
    return layers


def _array(tensor: Any) -> Any:
    return tensor.detach().to("cpu").float().numpy().copy()
