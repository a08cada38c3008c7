"""The deep autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from encoders.neural.perceptron import PerceptronAutoencoder
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor

#: Sparsity -> the last activation of the encoder, with which codes can be sparse.
CODE_ACTIVATIONS = {"none": "linear", "kl": "sigmoid", "l1": "relu"}


@dataclass
class DeepAutoencoder(PerceptronAutoencoder):
    """Deep autoencoder: a symmetric multilayer perceptron whose narrow middle layer is the code.

    Use it when a short dense code must preserve more than ``pca`` of the same width, and minutes of training are fine.

    The encoder has ever narrower layers, the decoder the same widths in reverse; the network learns to reproduce its
    input. `sparsity` makes codes sparse: ``kl`` ends the encoder with a sigmoid and penalises the KL divergence of each
    component's mean from `target`; ``l1`` ends it with a rectifier and penalises the mean of each component divided by
    its root mean square (without the division, a wider decoder could make any penalty small). `contractive` penalises
    the squared Frobenius norm of the encoder's Jacobian, estimated from one random direction.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).random((64, 8)).astype(np.float32)
    >>> encoder = DeepAutoencoder((6, 2), epochs=2).fit(rows)
    >>> encoder.encode(rows).shape, encoder.decode(encoder.encode(rows)).shape
    ((64, 2), (64, 8))

    References
    ----------
    Hinton & Salakhutdinov, Reducing the dimensionality of data with neural networks, Science 313, 2006.
    Vincent, Larochelle, Bengio & Manzagol, Extracting and composing robust features with denoising autoencoders,
    ICML 2008 (``dropout``).
    Ng, Sparse autoencoder, CS294A lecture notes, 2011 (``sparsity=kl``); Rifai, Vincent, Muller, Glorot & Bengio,
    Contractive auto-encoders, ICML 2011 (``contractive``).
    """

    name: ClassVar[str] = "deep-ae"
    sizes: tuple[int, ...] = option(
        (1000, 500, 250, 30), "Widths of the layers from the first hidden layer to the code.", ge=1
    )
    noise: float = option(0.0, "Standard deviation of Gaussian noise added to the code in training.", ge=0)
    tied: bool = option(False, "Use the encoder's transposed weights in the decoder.")
    sparsity: str = option("none", "Penalty that makes codes sparse.", choices=tuple(CODE_ACTIVATIONS))
    sparsity_weight: float = option(1.0, "Weight of the sparsity penalty in the loss.", ge=0)
    target: float = option(0.05, "Mean activation of each component that sparsity=kl aims at.", gt=0, lt=1)
    contractive: float = option(0.0, "Weight of the contractive penalty in the loss; 0: no penalty.", ge=0)

    @property
    def _code_activation(self) -> str:
        return CODE_ACTIVATIONS[self.sparsity]

    def _sizes(self) -> tuple[int, ...]:
        return self.sizes

    def _decoder(self, width: int, encoder: Any) -> Any:
        from encoders.neural.networks import mlp

        return mlp((width, *self.sizes)[::-1], self.activation, self.norm, encoder if self.tied else None)

    def _corrupted(self, batch: Tensor, training: bool) -> Tensor:
        seen = super()._corrupted(batch, training)
        return seen.detach().requires_grad_() if self.contractive and training else seen

    def _reconstructed(self, network: Any, seen: Tensor) -> tuple[Tensor, Tensor]:
        import torch

        code = network["encoder"](seen)
        if self.sparsity != "none":
            code = code.sigmoid() if self.sparsity == "kl" else code.relu()
        noisy = code + self.noise * torch.randn_like(code) if self.noise and network.training else code
        return code, network["decoder"](noisy)

    def _penalty(self, network: Any, seen: Tensor, code: Tensor) -> Tensor | float:
        total: Tensor | float = 0.0
        if self.sparsity == "kl":
            total = total + self.sparsity_weight * kl_sparsity(code.float().mean(dim=0), self.target)
        elif self.sparsity == "l1":
            total = total + self.sparsity_weight * relative_l1(code.float())
        if self.contractive:
            total = total + self.contractive * jacobian_norm(seen, code)
        return total


def kl_sparsity(means: Tensor, target: float) -> Tensor:
    """Return the sum over components of KL(target || mean) between two Bernoulli distributions (Ng 2011)."""
    safe = means.clamp(1e-6, 1 - 1e-6)
    by_component: Tensor = target * (target / safe).log() + (1 - target) * ((1 - target) / (1 - safe)).log()
    return by_component.sum()


def relative_l1(code: Tensor) -> Tensor:
    """Return the sum over components of mean absolute value / root mean square: each 0 to 1, small if sparse."""
    by_component: Tensor = code.abs().mean(dim=0) / code.square().mean(dim=0).add(1e-8).sqrt()
    return by_component.sum()


def jacobian_norm(seen: Tensor, code: Tensor) -> Tensor:
    """Estimate the squared Frobenius norm of d code / d seen, averaged over the rows.

    For a direction v of independent standard normal numbers, E |J^T v|^2 = |J|_F^2 (Hutchinson). With batch
    normalisation the rows of a batch influence each other; the estimate includes this influence, a share of about
    (width of the code) / (rows in the batch).
    """
    import torch

    direction = torch.randn_like(code)
    (pulled,) = torch.autograd.grad(code, seen, direction, create_graph=True)
    return pulled.float().square().sum(dim=1).mean()
