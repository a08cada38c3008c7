"""The convolutional encoder and decoder of pictures, with or without skip connections."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from encoders.neural.networks import with_colours
from encoders.neural.unpooling import Deconvolution, unpool

#: Largest height and width of a pyramid level that is a code; larger levels are averaged down to it.
GRID = 7


class ConvEncoderDecoder(nn.Module):
    """A convolutional network that encodes pictures as codes with `k` components and decodes them.

    Each level of the encoder is a 3x3 convolution, batch normalisation and SiLU, then max pooling by 2. Each level of
    the decoder is unpooling, then a convolution. Pictures can have any size: the encoder rounds odd sides up, the
    decoder crops them.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width[, colours])``.
    channels : sequence of int
        Channels of each level, from the picture to the code.
    k : int
        Number of components of the code.
    up : str
        Unpooling: ``deconv`` (transposed convolution), ``repeat`` (each value four times), ``index`` (each value at
        the position of the maximum, 0 elsewhere).
    paths : str
        Skip connections: ``none``; ``concat``, the features of each level (Ronneberger et al. 2015);
        ``pyramid``, their 1x1 convolutions are added (Lin et al. 2017); ``cut pyramid``, the same network without
        the additions.
    """

    def __init__(self, shape: Sequence[int], channels: Sequence[int], k: int, up: str, paths: str) -> None:
        super().__init__()
        self.shape, self.up, self.paths = with_colours(shape), up, paths
        self.sides: list[tuple[int, int]] = [(shape[0], shape[1])]
        for _ in channels:
            self.sides.append(((self.sides[-1][0] + 1) // 2, (self.sides[-1][1] + 1) // 2))
        widths = [self.shape[2], *channels]
        self.down = nn.ModuleList(_convolution(widths[i], widths[i + 1]) for i in range(len(channels)))
        self.bottom = (channels[-1], *self.sides[-1])
        numbers = channels[-1] * self.sides[-1][0] * self.sides[-1][1]
        self.narrow, self.widen = nn.Linear(numbers, k), nn.Linear(k, numbers)
        entering, leaving = list(channels), [channels[0], *channels[:-1]]
        self.pyramid = paths in ("pyramid", "cut pyramid")
        if self.pyramid:  # one width for all levels, so that they can be added and compared
            entering = leaving = [channels[0]] * len(channels)
            self.lateral = nn.ModuleList(nn.Conv2d(c, channels[0], 1) for c in (*channels, channels[-1]))
        if up == "deconv":
            self.grow = nn.ModuleList(Deconvolution(c, c, 2, stride=2) for c in entering)
        joined = [2 * c if paths == "concat" else c for c in entering]
        self.smooth = nn.ModuleList(_convolution(c, d) for c, d in zip(joined, leaving, strict=True))
        self.paint = nn.Conv2d(channels[0], self.shape[2], 3, padding=1)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return codes (n, k) and outputs (n, height * width * colours) before the last activation."""
        features, positions, code = self.descend(rows)
        return code, self.ascend(code, features, positions)

    def descend(self, rows: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Return the features of each level, the positions of their maxima (``up=index``), and the codes."""
        height, width, colours = self.shape
        x = rows.view(-1, height, width, colours).permute(0, 3, 1, 2)
        features: list[Tensor] = []
        positions: list[Tensor] = []
        for convolve in self.down:
            x = convolve(x)
            features.append(x)
            if self.up == "index":
                x, where = functional.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
                positions.append(where)
            else:
                x = functional.max_pool2d(x, 2, ceil_mode=True)
        return features, positions, self.narrow(x.flatten(1))

    def ascend(self, code: Tensor, features: list[Tensor], positions: list[Tensor]) -> Tensor:
        """Return the output for codes, with the features and positions of the skip connections."""
        painted: Tensor = self.paint(self._levels(code, features, positions)[0])
        return painted.permute(0, 2, 3, 1).flatten(1)

    def _levels(self, code: Tensor, features: list[Tensor], positions: list[Tensor]) -> list[Tensor]:
        """Return the output of each level of the decoder, the finest first."""
        x = functional.silu(self.widen(code)).view(-1, *self.bottom)
        if self.pyramid:
            x = self.lateral[-1](x)
        levels: list[Tensor] = []
        for i in reversed(range(len(self.down))):
            height, width = self.sides[i]
            x = self._unpooled(x, i, features, positions)[:, :, :height, :width]
            if self.paths == "pyramid":
                x = x + self.lateral[i](features[i])
            elif self.paths == "concat":
                x = torch.cat([features[i], x], dim=1)
            x = self.smooth[i](x)
            levels.insert(0, x)
        return levels

    def _unpooled(self, x: Tensor, i: int, features: list[Tensor], positions: list[Tensor]) -> Tensor:
        if self.up == "deconv":
            grown: Tensor = self.grow[i](x)
            return grown
        if self.up == "index":
            return unpool(x, positions[i], features[i])
        return functional.interpolate(x, scale_factor=2, mode="nearest")

    def pyramid_code(self, rows: Tensor, kind: str) -> Tensor:
        """Return codes from the feature pyramid: ``pooled``, the mean of each level, or ``level-N``, 1 the finest.

        Levels are ``(n, channels, height, width)``, averaged to at most `GRID` x `GRID`.
        """
        features, positions, code = self.descend(rows)
        levels = self._levels(code, features, positions)
        if kind == "pooled":
            return torch.cat([level.mean(dim=(2, 3)) for level in levels], dim=1)
        level = levels[int(kind.removeprefix("level-")) - 1]
        return functional.adaptive_avg_pool2d(level, (min(level.shape[2], GRID), min(level.shape[3], GRID))).flatten(1)


def _convolution(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.SiLU())
