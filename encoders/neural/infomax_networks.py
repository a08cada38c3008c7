"""The networks of Deep InfoMax: encoders that return their layers, and discriminators of pairs and of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from encoders.neural.networks import with_colours


@dataclass(frozen=True)
class Layers:
    """The layers of an encoder for a batch.

    Attributes
    ----------
    positions : Tensor (n, positions, channels)
        The feature map whose positions are compared with the code.
    conv : Tensor (n, numbers)
        The last convolution, or the first hidden layer of `RowEncoder`.
    hidden : Tensor (n, width)
    code : Tensor (n, k)
    """

    positions: Tensor
    conv: Tensor
    hidden: Tensor
    code: Tensor


class PictureEncoder(nn.Module):
    """An encoder of pictures: 4x4 convolutions with stride 2, a hidden layer, a linear code.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width[, colours])``.
    channels : sequence of int
        Channels of each convolution.
    hidden, k : int
        Widths of the hidden layer and of the code.

    References
    ----------
    Hjelm et al. 2019, appendix A (the encoder for CIFAR-10, that of DCGAN).
    """

    def __init__(self, shape: Sequence[int], channels: Sequence[int], hidden: int, k: int) -> None:
        super().__init__()
        self.shape = with_colours(shape)
        widths = [self.shape[2], *channels]
        self.convolutions = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())
            for before, after in pairwise(widths)
        )
        sides = [self.shape[0], self.shape[1]]
        for _ in channels:
            sides = [side // 2 for side in sides]
        self.numbers = channels[-1] * sides[0] * sides[1]
        self.hidden = nn.Sequential(nn.Linear(self.numbers, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU())
        self.code = nn.Linear(hidden, k)
        self.local_width = channels[-2] if len(channels) > 1 else channels[-1]

    def pictures(self, rows: Tensor) -> Tensor:
        """Return rows (n, height * width * colours) as pictures (n, colours, height, width)."""
        return rows.view(-1, *self.shape).permute(0, 3, 1, 2)

    def forward(self, pictures: Tensor) -> Layers:
        """Return the layers of pictures; `positions` is the second-to-last convolution."""
        maps = [pictures]
        for convolve in self.convolutions:
            maps.append(convolve(maps[-1]))
        local = maps[-2] if len(maps) > 2 else maps[-1]
        conv = maps[-1].flatten(1)
        hidden = self.hidden(conv)
        return Layers(local.flatten(2).transpose(1, 2), conv, hidden, self.code(hidden))


class RowEncoder(nn.Module):
    """An encoder of vectors: two hidden layers and a linear code; the first hidden layer is its only position.

    Parameters
    ----------
    width : int
        Number of components of a vector.
    hidden, k : int
        Widths of the hidden layers and of the code.
    """

    def __init__(self, width: int, hidden: int, k: int) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Sequential(nn.Linear(before, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU())
            for before in (width, hidden)
        )
        self.code = nn.Linear(hidden, k)
        self.numbers = self.local_width = hidden

    def pictures(self, rows: Tensor) -> Tensor:
        """Return the rows unchanged: they are vectors, not pictures."""
        return rows

    def forward(self, rows: Tensor) -> Layers:
        """Return the layers of rows."""
        first = self.first(rows)
        hidden = self.second(first)
        return Layers(first.unsqueeze(1), first, hidden, self.code(hidden))


class Projection(nn.Module):
    """A residual network that projects vectors for a discriminator, which compares them by their inner product.

    References
    ----------
    Hjelm et al. 2019, figure 4 ("encode and dot product").
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.deep = nn.Sequential(nn.Linear(before, after), nn.ReLU(), nn.Linear(after, after))
        self.short = nn.Linear(before, after)
        self.norm = nn.LayerNorm(after)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return vectors (..., before) as (..., after)."""
        projected: Tensor = self.norm(self.deep(vectors) + self.short(vectors))
        return projected


class Discriminator(nn.Module):
    """A discriminator φ(x, z): the inner product of the projected code and the projected features of an item."""

    def __init__(self, code: int, other: int, width: int) -> None:
        super().__init__()
        self.of_code, self.of_other = Projection(code, width), Projection(other, width)

    def forward(self, codes: Tensor, others: Tensor) -> Tensor:
        """Return the scores of codes (n, k) with others (n, positions, width): (n, n, positions)."""
        from encoders.neural.mutual_information import pair_scores

        projected = self.of_code(codes).float(), self.of_other(others).float()
        with torch.autocast("cpu", enabled=False):  # bf16 is too coarse for scores up to 20
            return pair_scores(*projected)


class PriorDiscriminator(nn.Module):
    """A discriminator between codes in [0, 1] and samples of the uniform prior: one logit per code."""

    def __init__(self, k: int, hidden: int = 256) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(k, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Return logits (n,), positive for samples of the prior."""
        logits: Tensor = self.layers(codes).squeeze(1)
        return logits

    def loss(self, codes: Tensor) -> Tensor:
        """Return the loss of the discriminator on codes and the same number of samples of the prior."""
        return (functional.softplus(self(codes)) + functional.softplus(-self(torch.rand_like(codes)))).mean() / 2

    def deceived(self, codes: Tensor) -> Tensor:
        """Return the loss of an encoder whose codes should look like samples of the prior."""
        loss: Any = functional.softplus(-self(codes)).mean()
        typed: Tensor = loss
        return typed
