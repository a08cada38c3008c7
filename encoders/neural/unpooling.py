"""Unpooling and deconvolution that are fast on CPUs, also for channels-last maps and bf16."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def unpool(x: Tensor, positions: Tensor, pooled: Tensor) -> Tensor:
    """Put each value where the maximum of its 2x2 square was, and 0 elsewhere.

    The backward pass of maximum pooling does the same with gradients, and torch has it for every memory format and for
    bf16. Its ``max_unpool2d`` first converts maps to another format and to fp32, which takes twice as long.

    Parameters
    ----------
    x : Tensor (n, c, ceil(h / 2), ceil(w / 2))
        One value per square.
    positions : Tensor int64, of the same shape
        Where the maxima were, as ``max_pool2d(..., return_indices=True)`` gives them.
    pooled : Tensor (n, c, h, w)
        The maps that were pooled: the result has their shape.
    """
    return _Unpool.apply(x, positions, pooled)  # type: ignore[no-any-return,no-untyped-call]


class _Unpool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, positions: Tensor, pooled: Tensor) -> Tensor:
        ctx.save_for_backward(positions)
        spread: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
            x, pooled, [2, 2], [2, 2], [0, 0], [1, 1], True, positions
        )
        return spread

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (positions,) = ctx.saved_tensors
        count, channels, height, width = positions.shape
        picked = _channels_last(gradients[0]).gather(1, _channels_last(positions))
        return picked.view(count, height, width, channels).permute(0, 3, 1, 2), None, None


class Deconvolution(nn.ConvTranspose2d):
    """The transposed convolution of kernel 2 and stride 2, as a product of matrices.

    Its windows do not overlap, so each value gives one 2x2 square. The backward pass of torch takes several times as
    long on CPUs.
    """

    def forward(self, x: Tensor, output_size: Any = None) -> Tensor:
        """Return maps of twice the sides."""
        bias: Any = self.bias
        weight = self.weight.permute(2, 3, 1, 0).reshape(4 * self.out_channels, self.in_channels, 1, 1)
        squares = functional.conv2d(x, weight, bias.repeat(4)).permute(0, 2, 3, 1)
        count, height, width, _ = squares.shape
        # (n, h, w, 2, 2, c): the channels of a position stay together; `pixel_shuffle` would move single numbers
        squares = squares.view(count, height, width, 2, 2, self.out_channels).transpose(2, 3)
        return squares.reshape(count, 2 * height, 2 * width, self.out_channels).permute(0, 3, 1, 2)


def _channels_last(maps: Tensor) -> Tensor:
    """Return maps as (n, height * width, channels)."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)
