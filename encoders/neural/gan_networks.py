"""The networks of the GAN: generator, inference network, and discriminator of pairs of an item and a code."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from encoders.neural.networks import mlp, with_colours

#: Slope of the discriminator's activation below 0.
SLOPE = 0.2


class RowGenerator(nn.Module):
    """A generator of vectors: two hidden layers with batch normalisation."""

    def __init__(self, k: int, hidden: int, width: int) -> None:
        super().__init__()
        self.layers = mlp((k, hidden, hidden, width), "relu", "batch")

    def forward(self, codes: Tensor) -> Tensor:
        """Return the outputs (n, width) for codes (n, k), before the last activation."""
        output: Tensor = self.layers(codes)
        return output


class PictureGenerator(nn.Module):
    """A generator of pictures: a linear map, then 4x4 transposed convolutions with stride 2.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width[, colours])``.
    channels : sequence of int
        Channels of each feature map, the finest first.
    k : int
        Number of components of a code.

    References
    ----------
    Radford, Metz & Chintala, Unsupervised representation learning with deep convolutional GANs, ICLR 2016.
    """

    def __init__(self, shape: Sequence[int], channels: Sequence[int], k: int) -> None:
        super().__init__()
        self.shape = with_colours(shape)
        self.bottom = (channels[-1], *(-(-side // 2 ** len(channels)) for side in shape[:2]))
        numbers = self.bottom[0] * self.bottom[1] * self.bottom[2]
        self.widen = nn.Sequential(nn.Linear(k, numbers, bias=False), nn.BatchNorm1d(numbers), nn.ReLU())
        modules: list[nn.Module] = []
        for before, after in pairwise(reversed(channels)):
            modules += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.grow = nn.Sequential(*modules, nn.ConvTranspose2d(channels[0], self.shape[2], 4, 2, 1))

    def forward(self, codes: Tensor) -> Tensor:
        """Return the outputs (n, height * width * colours) for codes (n, k), before the last activation."""
        pictures: Tensor = self.grow(self.widen(codes).view(-1, *self.bottom))
        height, width, _ = self.shape
        return pictures[:, :, :height, :width].permute(0, 2, 3, 1).flatten(1)


class PairDiscriminator(nn.Module):
    """A discriminator of pairs (item, code): one logit, positive for an item with the code that is inferred from it.

    Parameters
    ----------
    width : int
        Numbers of an item.
    shape : tuple of int, optional
        Shape of the items if they are pictures, which it reads by convolutions.
    channels : sequence of int
        Channels of the convolutions.
    hidden, k : int
        Width of the hidden layers; number of components of a code.
    spectral : bool
        Whether the largest singular value of each map is 1.

    References
    ----------
    Donahue, Krähenbühl & Darrell, Adversarial feature learning, ICLR 2017; Dumoulin et al., Adversarially learned
    inference, ICLR 2017; Miyato et al., Spectral normalization for generative adversarial networks, ICLR 2018.
    """

    def __init__(
        self, width: int, shape: Sequence[int] | None, channels: Sequence[int], hidden: int, k: int, spectral: bool
    ) -> None:
        super().__init__()

        def bound(module: Any) -> Any:
            return spectral_norm(module) if spectral else module

        self.shape = None if shape is None else with_colours(shape)
        features: list[nn.Module] = []
        numbers = width
        if self.shape is not None:
            sides = list(self.shape[:2])
            for before, after in pairwise((self.shape[2], *channels)):
                features += [bound(nn.Conv2d(before, after, 4, 2, 1)), nn.LeakyReLU(SLOPE)]
                sides = [side // 2 for side in sides]
            features.append(nn.Flatten())
            numbers = channels[-1] * sides[0] * sides[1]
        self.item = nn.Sequential(*features, bound(nn.Linear(numbers, hidden)), nn.LeakyReLU(SLOPE))
        self.code = nn.Sequential(bound(nn.Linear(k, hidden)), nn.LeakyReLU(SLOPE))
        self.pair = nn.Sequential(
            bound(nn.Linear(2 * hidden, hidden)), nn.LeakyReLU(SLOPE), bound(nn.Linear(hidden, 1))
        )

    def forward(self, items: Tensor, codes: Tensor) -> Tensor:
        """Return the logits (n,) of pairs."""
        if self.shape is not None:
            items = items.view(-1, *self.shape).permute(0, 3, 1, 2)
        logits: Tensor = self.pair(torch.cat([self.item(items), self.code(codes)], dim=1))
        return logits.squeeze(1)
