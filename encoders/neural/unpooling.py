"""Up again after pooling, by what torch does fast on processors: maps whose channels lie together, in bf16 too."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def unpool(x: Tensor, places: Tensor, pooled: Tensor) -> Tensor:
    """Put each value where the maximum of its 2x2 square was, and 0 elsewhere.

    That is what maximum pooling does with gradients on its way back, and torch has that step for every order of
    memory and for bf16; its ``max_unpool2d`` turns maps into planes and fp32 first, which takes twice as long.

    Parameters
    ----------
    x : Tensor (n, c, ceil(h / 2), ceil(w / 2))
        One value a square.
    places : Tensor int64, of the same shape
        Where the maxima were, as ``max_pool2d(..., return_indices=True)`` gives them.
    pooled : Tensor (n, c, h, w)
        The maps that were pooled: the result has their shape.
    """
    return _Unpool.apply(x, places, pooled)  # type: ignore[no-any-return,no-untyped-call]


class _Unpool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, places: Tensor, pooled: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        spread: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
            x, pooled, [2, 2], [2, 2], [0, 0], [1, 1], True, places
        )
        return spread

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (places,) = ctx.saved_tensors
        count, channels, height, width = places.shape
        picked = _channels_last(gradients[0]).gather(1, _channels_last(places))
        return picked.view(count, height, width, channels).permute(0, 3, 1, 2), None, None


class Deconvolution(nn.ConvTranspose2d):
    """The transposed convolution of kernel 2 and stride 2, as a product of matrices.

    Its windows do not overlap, so that each value makes its own 2x2 square; torch's own backward pass takes several
    times as long on processors.
    """

    def forward(self, x: Tensor, output_size: Any = None) -> Tensor:
        """Return maps of twice the sides."""
        bias: Any = self.bias
        weight = self.weight.permute(2, 3, 1, 0).reshape(4 * self.out_channels, self.in_channels, 1, 1)
        squares = functional.conv2d(x, weight, bias.repeat(4)).permute(0, 2, 3, 1)
        count, height, width, _ = squares.shape
        # (n, h, w, 2, 2, c): the channels of a place stay together, where `pixel_shuffle` moves number by number
        squares = squares.view(count, height, width, 2, 2, self.out_channels).transpose(2, 3)
        return squares.reshape(count, 2 * height, 2 * width, self.out_channels).permute(0, 3, 1, 2)


def _channels_last(maps: Tensor) -> Tensor:
    """Return maps as (n, height * width, channels)."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)
