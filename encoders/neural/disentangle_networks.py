"""The networks of disentanglement: encoders with instance normalisation, decoder, and classifiers of the nuisance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from encoders.errors import OptionError
from encoders.neural.networks import mlp, with_colours

#: What is normalised within each item: nothing, each feature map, or also each row of the input (a frequency band).
NORMALIZATIONS = ("none", "maps", "bands")
#: Names of the modules of the trained network that are saved.
SAVED = ("content", "nuisance", "decoder")


class ItemEncoder(nn.Module):
    """An encoder of one part of the code: convolutions for items with a shape, two hidden layers for vectors.

    Parameters
    ----------
    width : int
        Numbers of an item.
    shape : tuple of int, optional
        ``(height, width[, colours])`` of pictures and spectrograms.
    channels : sequence of int
        Channels of each convolution, 3x3 with stride 2.
    hidden, k : int
        Widths of the hidden layer and of the code.
    normalize : str
        One of `NORMALIZATIONS`. Instance normalisation removes mean and variance of a feature map, which carry the
        style of a picture and much of the voice of a speaker.

    References
    ----------
    Ulyanov, Vedaldi & Lempitsky, Instance normalization, 2016; Chou, Yeh & Lee, One-shot voice conversion by
    separating speaker and content representations with instance normalization, Interspeech 2019.
    """

    def __init__(
        self, width: int, shape: Sequence[int] | None, channels: Sequence[int], hidden: int, k: int, normalize: str
    ) -> None:
        super().__init__()
        self.bands = normalize == "bands"
        self.shape = None if shape is None else with_colours(shape)
        features: list[nn.Module] = []
        if self.shape is not None:
            sides = list(self.shape[:2])
            for before, after in pairwise((self.shape[2], *channels)):
                norm = nn.BatchNorm2d(after) if normalize == "none" else nn.InstanceNorm2d(after)
                features += [nn.Conv2d(before, after, 3, 2, 1), norm, nn.ReLU()]
                sides = [-(-side // 2) for side in sides]
            features.append(nn.Flatten())
            numbers = channels[-1] * sides[0] * sides[1]
        else:
            features += [nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU()]
            numbers = hidden
        self.features = nn.Sequential(*features)
        self.code = nn.Sequential(nn.Linear(numbers, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, k))

    def forward(self, rows: Tensor) -> Tensor:
        """Return the codes (n, k) of rows (n, width)."""
        items = rows
        if self.shape is not None:
            items = rows.view(-1, *self.shape).permute(0, 3, 1, 2)
            if self.bands:  # each row of a picture is a frequency band over time
                items = functional.instance_norm(items.flatten(1, 2)).view_as(items)
        code: Tensor = self.code(self.features(items))
        return code


def require_room(name: str, shape: Sequence[int] | None, channels: Sequence[int], normalize: str) -> None:
    """Raise if what is normalised is a single number, which would always become 0.

    Parameters
    ----------
    name : str
        Of the encoder, for the error.
    shape, channels, normalize
        As in `ItemEncoder`.

    Raises
    ------
    OptionError
    """
    if shape is None or normalize == "none":
        return
    height, width = shape[:2]
    if max(height, width) <= 2 ** len(channels):
        raise OptionError(
            f"{name}: after {len(channels)} convolutions with stride 2, each feature map of these items "
            f"of {width}x{height} is a single number, which normalize={normalize} cannot normalise: take "
            "fewer channels, or leave normalize out"
        )
    if normalize == "bands" and width < 2:
        raise OptionError(
            f"{name}: the rows of these items have a single number, which normalize=bands cannot normalise: "
            "take normalize=maps, or leave normalize out"
        )


def decoder(k: int, hidden: int, width: int) -> nn.Sequential:
    """Return a decoder of whole codes (n, k): two hidden layers, before the last activation."""
    return mlp((k, hidden, hidden, width), "relu", "batch")


def classifier(k: int, hidden: int, classes: int) -> nn.Sequential:
    """Return a classifier of codes (n, k) with two hidden layers, without normalisation."""
    return mlp((k, hidden, hidden, classes), "relu", "none")


class _Reversal(torch.autograd.Function):
    """The identity, whose gradient is multiplied by a negative number."""

    @staticmethod
    def forward(context: Any, values: Tensor, factor: float) -> Tensor:
        context.factor = factor
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Any:
        return -context.factor * gradients[0], None


def reversed_gradient(values: Tensor, factor: float) -> Tensor:
    """Return the same values; gradients that flow back through them are multiplied by ``-factor``.

    References
    ----------
    Ganin & Lempitsky, Unsupervised domain adaptation by backpropagation, ICML 2015.

    Examples
    --------
    >>> x = torch.ones(2, requires_grad=True)
    >>> reversed_gradient(x, 0.5).sum().backward()
    >>> x.grad
    tensor([-0.5000, -0.5000])
    """
    apply: Any = _Reversal.apply
    unchanged: Tensor = apply(values, factor)
    return unchanged


def partners(classes: Tensor) -> Tensor:
    """Return for each item the position of another random item of its class, or its own if it is the only one.

    Examples
    --------
    >>> partners(torch.tensor([0, 1, 0, 2])).tolist()
    [2, 1, 0, 3]
    """
    count = len(classes)
    shuffled = torch.randperm(count)
    order = shuffled[torch.argsort(classes[shuffled], stable=True)]
    sorted_classes = classes[order].contiguous()
    first = torch.searchsorted(sorted_classes, sorted_classes)
    last = torch.searchsorted(sorted_classes, sorted_classes, right=True) - 1
    here = torch.arange(count)
    chosen = torch.empty_like(order)
    chosen[order] = order[torch.where(here == last, first, here + 1)]
    return chosen
