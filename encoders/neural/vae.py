"""The variational autoencoder: a code that is a distribution, and a prior that new items are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Items
from encoders.errors import BadItemError, OptionError
from encoders.neural.layers import forward
from encoders.neural.perceptron import PerceptronAutoencoder
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass
class VAE(PerceptronAutoencoder):
    """Encode to the mean and variance of a Gaussian, decode a draw from it, stay near the standard normal prior.

    The code is the mean. `beta` weighs the divergence from the prior (above 1: smoother, fewer components in use).
    With `samples` above 1 the importance-weighted bound is maximised, which is nearer to the likelihood.
    ``loss=auto`` takes ``cross-entropy`` (Bernoulli) for values in [0, 1], ``counts`` for word counts, otherwise
    ``squared`` (half of it: a Gaussian of variance 1).

    Examples
    --------
    >>> rows = np.random.default_rng(0).random((64, 8)).astype(np.float32)
    >>> encoder = VAE((16, 2), epochs=2).fit(rows)
    >>> encoder.encode(rows).shape, encoder.decode(np.zeros((3, 2), dtype=np.float32)).shape
    ((64, 2), (3, 8))

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes, ICLR 2014; Higgins et al., beta-VAE, ICLR 2017 (``beta``);
    Burda, Grosse & Salakhutdinov, Importance weighted autoencoders, ICLR 2016 (``samples``, `log_likelihood`).
    """

    name: ClassVar[str] = "vae"
    has_prior: ClassVar[bool] = True
    sizes: tuple[int, ...] = option((500, 500, 30), "widths from the input to the code", ge=1)
    beta: float = option(1.0, "weight of the divergence from the prior", ge=0)
    samples: int = option(1, "draws for each item; above 1 the importance-weighted bound", ge=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples > 1 and self.beta != 1:
            raise OptionError("vae: the importance-weighted bound (samples above 1) has no beta: leave one of them out")
        if self.pretrain != "none":
            raise OptionError("vae: its code is a distribution, which no layer below it pretrains: leave pretrain out")

    def _sizes(self) -> tuple[int, ...]:
        return self.sizes

    def _bounded_loss(self) -> str:
        return "cross-entropy"

    def _encoder(self, width: int) -> Any:
        from encoders.neural.networks import mlp

        return mlp((width, *self.sizes[:-1], 2 * self.sizes[-1]), self.activation, self.norm)

    def _objective(self) -> Any:
        """Return minus the evidence lower bound, in training and where it is measured."""
        import torch

        def objective(network: nn.Module, batch: Tensor) -> Tensor:
            mean, spread = network["encoder"](self._spoilt(batch, network.training)).float().chunk(2, dim=1)  # type: ignore[index]
            mean, spread = (part.repeat(self.samples, 1) for part in (mean, spread.clamp(-12, 12)))
            noise = torch.randn_like(mean)
            code = mean + noise * (spread / 2).exp()
            error = self._likelihood_loss(network["decoder"](code), batch.repeat(self.samples, 1))  # type: ignore[index]
            if self.samples == 1:
                terms: Tensor = error + self.beta * divergence(mean, spread)
                return terms.mean()
            # log p(z) - log q(z | x): the constants of the two Gaussians cancel
            odds = (noise.square() + spread - code.square()).sum(dim=1) / 2
            weights = (odds - error).view(self.samples, -1)
            bound: Tensor = weights.logsumexp(dim=0) - math.log(self.samples)
            return -bound.mean()

        return objective

    def _likelihood_loss(self, logits: Tensor, target: Tensor) -> Tensor:
        value: Tensor = self._visible.value(logits, target)
        return value / 2 if self._visible.loss == "squared" else value

    def _encode(self, items: Any) -> Codes:
        return np.ascontiguousarray(self.posterior(items)[0])

    def posterior(self, items: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean and log variance of each item's code (n, k)."""
        both = forward(self.encoder, self._scaled(items))
        return both[:, : self.sizes[-1]], np.clip(both[:, self.sizes[-1] :], -12, 12)

    def log_likelihood(self, items: Items, draws: int = 5000, seed: int = 0) -> NDArray[np.float64]:
        """Estimate the log-likelihood of binary items in nats by importance sampling from the posterior.

        Parameters
        ----------
        items : array (n, dim)
            0 or 1 each: the estimate is one of a Bernoulli decoder.
        draws : int
            Codes drawn for each item.
        seed : int

        Returns
        -------
        numpy.ndarray (n,)

        Raises
        ------
        OptionError
            When the decoder is not a Bernoulli one.
        BadItemError
            When items are not binary.

        References
        ----------
        Rezende, Mohamed & Wierstra, Stochastic backpropagation, ICML 2014, appendix E; Burda et al. 2016, section 5.
        """
        _ = self.space
        rows = self.checked(items)
        if self._visible.loss != "cross-entropy":
            raise OptionError(
                f"vae: the likelihood is that of loss=cross-entropy, this one learnt {self._visible.loss}"
            )
        if not np.isin(rows, (0, 1)).all():
            raise BadItemError("the likelihood is one of binary items: each number 0 or 1")
        generator = np.random.default_rng(seed)
        mean, spread = self.posterior(rows)
        decoder = [*self.decoder[:-1], replace(self.decoder[-1], activation="linear")]  # to logits
        found = np.empty(len(rows))
        for row in range(len(rows)):
            noise = generator.standard_normal((draws, mean.shape[1]), dtype=np.float32)
            code = mean[row] + noise * np.exp(spread[row] / 2)
            odds = (np.square(noise) + spread[row] - np.square(code)).sum(axis=1) / 2
            logits = forward(decoder, code)
            # the likelihood of 0 or 1 is a sigmoid of the logit or of minus it
            weights = odds - np.logaddexp(0, np.where(rows[row] > 0.5, -logits, logits)).sum(axis=1)
            most = weights.max()
            found[row] = most + math.log(np.exp(weights - most).mean())
        return found


def divergence(mean: Tensor, spread: Tensor) -> Tensor:
    """Return KL(N(mean, exp(spread)) || N(0, 1)) of each row in nats (Kingma & Welling 2014, appendix B).

    Examples
    --------
    >>> import torch
    >>> divergence(torch.zeros(2, 3), torch.zeros(2, 3)).tolist()
    [0.0, 0.0]
    """
    by_component: Tensor = mean.square() + spread.exp() - 1 - spread
    return by_component.sum(dim=1) / 2
