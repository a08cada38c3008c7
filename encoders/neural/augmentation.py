"""Random views of items: crops, mirror images and colours of pictures, masks of vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

#: Largest aspect ratio of a crop.
STRETCH = 4 / 3
#: Share of the pictures that become grey.
GREY = 0.2
#: Weights of red, green and blue in a grey level (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class PictureViews:
    """Random crops, mirror images and colours of pictures (n, channels, height, width), values in [0, 1].

    Attributes
    ----------
    crop : float
        Smallest share of the area that a crop shows, scaled to full size; 1: no crops.
    flip : bool
        Whether half of the pictures are mirrored, left to right.
    colour : float
        Largest relative change of brightness, contrast and saturation; 0: none.
    """

    crop: float
    flip: bool
    colour: float

    def __call__(self, pictures: Tensor) -> Tensor:
        """Return one view of each picture; random numbers come from torch's global generator."""
        moved = self._moved(pictures) if self.crop < 1 or self.flip else pictures
        return self._coloured(moved) if self.colour else moved

    def _moved(self, pictures: Tensor) -> Tensor:
        """Crop, scale and mirror in one resampling."""
        import torch
        from torch.nn import functional

        count = len(pictures)
        area = self.crop + (1 - self.crop) * torch.rand(count)
        stretch = STRETCH ** (torch.rand(count) - 0.5) if self.crop < 1 else torch.ones(count)
        wide, high = (area.sqrt() * stretch).clamp(max=1), (area.sqrt() / stretch).clamp(max=1)
        across = (2 * torch.rand(count) - 1) * (1 - wide)
        down = (2 * torch.rand(count) - 1) * (1 - high)
        if self.flip:
            wide = wide * (1 - 2 * torch.randint(0, 2, (count,)))
        maps = torch.zeros(count, 2, 3)
        maps[:, 0, 0], maps[:, 0, 2], maps[:, 1, 1], maps[:, 1, 2] = wide, across, high, down
        grid = functional.affine_grid(maps, list(pictures.shape), align_corners=False)
        return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)

    def _coloured(self, pictures: Tensor) -> Tensor:
        """Change brightness, contrast and saturation; make some pictures grey."""
        import torch

        def factor() -> Tensor:
            return 1 + self.colour * (2 * torch.rand(len(pictures), 1, 1, 1) - 1)

        changed = pictures * factor()
        mean = changed.mean(dim=(1, 2, 3), keepdim=True)
        changed = mean + (changed - mean) * factor()
        if pictures.shape[1] == 3:
            grey = (changed * torch.tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
            keep = factor() * (torch.rand(len(pictures), 1, 1, 1) >= GREY)
            changed = grey + (changed - grey) * keep
        return changed.clamp(0, 1)


@dataclass(frozen=True)
class MaskedViews:
    """Vectors (n, width) with a random share of their components set to 0; the others are scaled to keep the mean."""

    share: float

    def __call__(self, rows: Tensor) -> Tensor:
        """Return one view of each row; random numbers come from torch's global generator."""
        from torch.nn import functional

        return functional.dropout(rows, self.share)
