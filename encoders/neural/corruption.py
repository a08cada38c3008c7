"""Ways to spoil an item in training: noise that is to be undone, moves that are to be borne."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from encoders.neural.training import Augment

#: How an item can be spoilt.
CORRUPTIONS = ("none", "gaussian", "masking", "salt-and-pepper")


def corrupted(batch: Tensor, corruption: str, level: float) -> Tensor:
    """Return a spoilt copy of a batch, by torch's global generator.

    Parameters
    ----------
    batch : Tensor (n, ...)
    corruption : str
        ``gaussian``: noise of standard deviation `level` is added; ``masking``: the share `level` of the components is
        set to 0; ``salt-and-pepper``: the share `level` is set to 0 or 1, by chance; ``none``.
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
    chance = torch.rand_like(batch)
    if corruption == "masking":
        return batch * (chance >= level)
    return torch.where(chance < level, (chance < level / 2).to(batch.dtype), batch)


def shifting(shape: tuple[int, ...], most: int) -> Augment:
    """Return a function that moves each picture of a batch by up to `most` pixels each way, edges filled with 0."""
    import torch

    height, width = shape[:2]
    channels = shape[2] if len(shape) == 3 else 1
    wide = width + 2 * most
    corner = (torch.arange(height)[:, None] * wide + torch.arange(width)).flatten()
    places = (corner[:, None] * channels + torch.arange(channels)).reshape(1, -1)

    def augment(batch: Tensor, generator: Any) -> Tensor:
        pictures = torch.nn.functional.pad(batch.view(-1, height, width, channels), (0, 0, most, most, most, most))
        down, right = torch.randint(0, 2 * most + 1, (2, len(batch), 1), generator=generator)
        return pictures.flatten(1).gather(1, places + (down * wide + right) * channels)

    return augment
