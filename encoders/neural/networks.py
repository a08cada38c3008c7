"""Multilayer perceptrons in torch, and their conversion to NumPy layers."""

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
        A network of the reverse widths with which this one shares its weights, transposed.
    """
    from torch import nn

    shared = [] if tied_to is None else [module for module in tied_to if isinstance(module, nn.Linear)][::-1]
    modules: list[Any] = []
    for number, (before, after) in enumerate(pairwise(widths)):
        modules.append(transposed(shared[number]) if shared else nn.Linear(before, after))
        if number < len(widths) - 2:
            if norm == "batch":
                modules.append(nn.BatchNorm1d(after))
            modules.append(getattr(nn, ACTIVATIONS[activation])())
    return nn.Sequential(*modules)


def with_colours(shape: Sequence[int]) -> tuple[int, int, int]:
    """Return the shape of pictures as height, width and number of colours; grey pictures have one.

    Examples
    --------
    >>> with_colours((28, 28)), with_colours((32, 32, 3))
    ((28, 28, 1), (32, 32, 3))
    """
    return shape[0], shape[1], shape[2] if len(shape) == 3 else 1


def transposed(shared: nn.Linear) -> nn.Module:
    """Return a linear map with the transposed weight of another one and a separate bias."""
    import torch

    class Transposed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared = [shared]  # in a list, so that the weight is not registered, trained and stored twice
            self.bias = torch.nn.Parameter(torch.zeros(shared.in_features))

        @property
        def weight(self) -> torch.Tensor:
            return self.shared[0].weight.T

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.linear(rows, self.weight, self.bias)

    return Transposed()


def blocks(network: nn.Sequential) -> list[nn.Sequential]:
    """Return the layers of an `mlp`, each a linear map with its normalisation and activation; not copies."""
    from torch import nn

    groups: list[list[Any]] = []
    for module in network:
        if hasattr(module, "bias") and not isinstance(module, nn.BatchNorm1d):
            groups.append([])
        groups[-1].append(module)
    return [nn.Sequential(*modules) for modules in groups]


def folded(network: Iterable[Any], last: str = "linear") -> list[Layer]:
    """Return a network as NumPy layers, with batch normalisation folded into the linear map before it.

    Parameters
    ----------
    network : iterable of torch.nn.Module
        An `mlp`, or some of its modules.
    last : str
        The activation after the last map.
    """
    from torch import nn

    names = {kind: name for name, kind in ACTIVATIONS.items()}
    layers: list[Layer] = []
    for module in network:
        if isinstance(module, nn.BatchNorm1d):
            scale = _array(module.weight) / np.sqrt(_array(module.running_var) + module.eps)
            before = layers.pop()
            shifted = (before.bias - _array(module.running_mean)) * scale + _array(module.bias)
            layers.append(Layer(before.weight * scale[:, None], shifted.astype(np.float32), last))
        elif hasattr(module, "weight"):
            weight = np.ascontiguousarray(_array(module.weight))
            bias = np.zeros(len(weight), np.float32) if module.bias is None else _array(module.bias)
            layers.append(Layer(weight, bias, last))
        else:
            layers[-1] = replace(layers[-1], activation=names[type(module).__name__])
    return layers


def _array(tensor: Any) -> Any:
    return tensor.detach().to("cpu").float().numpy().copy()
