"""A moving average of the weights of a network, as a module that is saved in the checkpoint with it."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Average(nn.Module):
    """A copy of a network whose weights are the exponential moving average of the weights of the original.

    Parameters
    ----------
    network : torch.nn.Module
    decay : float
        Share of the average that an update keeps; early updates keep less, so that the first weights are forgotten.

    References
    ----------
    Yazici et al., The unusual effectiveness of averaging in GAN training, ICLR 2019.
    """

    updates: torch.Tensor

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the average towards the weights of `network`; means and variances of normalisations are copied."""
        self.updates += 1
        done = int(self.updates)
        kept = min(self.decay, done / (done + 9))
        for average, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            average.lerp_(weight, 1 - kept)
        for copied, value in zip(self.network.buffers(), network.buffers(), strict=True):
            copied.copy_(value)
