"""The losses of disentanglement: reconstruction, the nuisance in its part, and none of it in the content."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from encoders.neural.disentangle_networks import SAVED, partners, reversed_gradient
from encoders.neural.encoder import MAIN
from encoders.neural.players import Game, Player
from encoders.neural.reconstruction_loss import ReconstructionLoss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DisentangleLoss:
    """The losses of encoders, decoder and adversary; see `Disentangle` for what its options mean.

    Attributes
    ----------
    output : ReconstructionLoss
    n_classes : int
        Number of values of the nuisance.
    adversary : str
        ``alternating``, ``reversal`` or ``none``.
    adversary_weight : float
    adversary_steps : int
        Updates of an alternating adversary per mini-batch.
    nuisance_weight : float
    bottleneck : float
    """

    output: ReconstructionLoss
    n_classes: int
    adversary: str
    adversary_weight: float
    adversary_steps: int
    nuisance_weight: float
    bottleneck: float

    def game(self) -> Game:
        """Return the players: encoders and decoder, and the adversary where it is trained in turn."""
        if self.adversary == "none":
            return Game((Player(MAIN, self.objective, (*SAVED, "reader")),))
        if self.adversary == "reversal":
            return Game((Player(MAIN, self.objective, (*SAVED, "reader", "adversary")),), keeps_best=False)
        adversary = Player(
            "adversary", self.adversary_loss, ("adversary",), self.adversary_steps, inputs=self.frozen_content
        )
        # the loss of the encoder is low while the adversary knows little: the best epoch would be an early one
        return Game((Player(MAIN, self.objective, (*SAVED, "reader")), adversary), keeps_best=False)

    def objective(self, network: Any, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the loss of encoders and decoder: reconstruction, nuisance in its part, none in the content."""
        import torch
        from torch.nn import functional

        rows, classes = batch
        content, information = self.noisy(network["content"](rows).float(), network.training)
        nuisance = network["nuisance"](rows)
        code = torch.cat([content, nuisance[partners(classes)].float()], dim=1)
        loss: Any = self.output.value(network["decoder"](code), rows).mean()
        loss = loss + self.bottleneck * information
        loss = loss + self.nuisance_weight * functional.cross_entropy(network["reader"](nuisance).float(), classes)
        if self.adversary == "reversal":
            guess = network["adversary"](reversed_gradient(content, self.adversary_weight)).float()
            loss = loss + functional.cross_entropy(guess, classes)
        elif self.adversary == "alternating":
            # towards a uniform guess, which is bounded; a confident wrong guess would say as much as a right one
            guess = network["adversary"](content).float().log_softmax(dim=1)
            loss = loss - self.adversary_weight * (guess.mean(dim=1).mean() + math.log(self.n_classes))
        typed: Tensor = loss
        return typed

    def noisy(self, content: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        """Return the content with unit noise, and KL(N(content, 1) || N(0, 1)) in nats."""
        import torch

        information = content.square().sum(dim=1).mean() / 2
        if not self.bottleneck or not training:
            return content, information
        return content + torch.randn_like(content), information

    @staticmethod
    def frozen_content(network: Any, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the content of a mini-batch, which is the same for every update of the adversary."""
        rows, classes = batch
        return network["content"](rows).float(), classes

    def adversary_loss(self, network: Any, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the loss of the adversary on frozen content, with the noise that the encoder adds to it."""
        from torch.nn import functional

        content, classes = batch
        noisy, _ = self.noisy(content, network.training)
        return functional.cross_entropy(network["adversary"](noisy).float(), classes)
