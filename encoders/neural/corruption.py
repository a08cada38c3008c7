"""Corruption of items in training: noise that the network learns to remove, and shifts of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from encoders.neural.networks import with_colours

if TYPE_CHECKING:
    from torch import Tensor

    from encoders.neural.training import Augment

#: Kinds of corruption.
CORRUPTIONS = ("none", "gaussian", "masking", "salt-and-pepper")


def corrupted(batch: Tensor, corruption: str, level: float) -> Tensor:
    """Return a corrupted copy of a batch, with random numbers from torch's global generator.

    Parameters
    ----------
    batch : Tensor (n, ...)
    corruption : str
        ``gaussian``: noise of standard deviation `level` is added; ``masking``: the share `level` of the components is
        set to 0; ``salt-and-pepper``: the share `level` is set to 0 or 1 at random; ``none``: a batch is unchanged.
    level : float

    References
    ----------
    Vincent, Larochelle, Lajoie, Bengio & Manzagol, Stacked denoising autoencoders, JMLR 11, 2010, section 4.1.
    """
    import torch

    if corruption == "none" or level == 0:
        return batch
    if corruption == "gaussian":
        return batch + level * torch.randn_like(batch)
    draws = torch.rand_like(batch)
    if corruption == "masking":
        return batch * (draws >= level)
    return torch.where(draws < level, (draws < level / 2).to(batch.dtype), batch)


def shifting(shape: tuple[int, ...], max_shift: int) -> Augment:
    """Return a function that moves each picture of a batch by up to `max_shift` pixels per axis, filled with 0."""
    import torch

    height, width, channels = with_colours(shape)
    padded_width = width + 2 * max_shift
    corners = (torch.arange(height)[:, None] * padded_width + torch.arange(width)).flatten()
    positions = (corners[:, None] * channels + torch.arange(channels)).reshape(1, -1)

    def augment(batch: Tensor, generator: Any) -> Tensor:
        pictures = torch.nn.functional.pad(
            batch.view(-1, height, width, channels), (0, 0, max_shift, max_shift, max_shift, max_shift)
        )
        down, right = torch.randint(0, 2 * max_shift + 1, (2, len(batch), 1), generator=generator)
        return pictures.flatten(1).gather(1, positions + (down * padded_width + right) * channels)

    return augment
