"""The variational autoencoder: each code is a distribution, and new items are sampled from a prior."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes, Items, n_rows
from encoders.errors import BadItemError, OptionError
from encoders.neural.beta_binomial import log_density
from encoders.neural.layers import forward
from encoders.neural.perceptron import PerceptronAutoencoder
from encoders.neural.reconstruction_loss import OUTPUT_OF_LIKELIHOOD, as_scaled, roots
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Items per block when bounds are computed.
ROWS = 1024


@dataclass
class VAE(PerceptronAutoencoder):
    """Variational autoencoder: the code is the mean of a Gaussian, close to a standard normal prior.

    Use it when you want to generate new items or interpolate between items.

    The loss, in training and validation, is the negative evidence lower bound (ELBO) of an item in nats: minus the
    log-likelihood of the whole item plus the KL divergence from the prior. ``loss=auto`` is ``cross-entropy``
    (Bernoulli) for values in [0, 1], ``counts`` for word counts, and ``squared`` (a Gaussian with the given `variance`)
    otherwise. ``counts`` is the likelihood of every word of the document under a multinomial distribution, without the
    number of possible word orders. It needs raw counts (``bow``): the weights of ``tfidf`` would count as a document of
    a few words. ``beta-binomial`` is a distribution over the 256 grey levels of every pixel: use it for grey pictures
    when the likelihood itself matters, as in lossless compression; what is decoded is its mean.

    Two options, off by default, change the ELBO: `beta` multiplies the KL divergence (above 1: smoother, fewer
    components in use); `samples` above 1 maximises the importance-weighted bound, which is closer to the likelihood.

    Examples
    --------
    >>> rows = np.random.default_rng(0).random((64, 8)).astype(np.float32)
    >>> encoder = VAE((16, 2), epochs=2).fit(rows)
    >>> encoder.encode(rows).shape, encoder.decode(np.zeros((3, 2), dtype=np.float32)).shape
    ((64, 2), (3, 8))

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes, ICLR 2014; Higgins et al., beta-VAE, ICLR 2017 (``beta``);
    Burda, Grosse & Salakhutdinov, Importance weighted autoencoders, ICLR 2016 (``samples``, `log_likelihood`); Miao, Yu
    & Blunsom, Neural variational inference for text processing, ICML 2016, §3.1, and Liang et al., Variational
    autoencoders for collaborative filtering, WWW 2018, §2.1 (``counts``); Townsend, Bird & Barber, ICLR 2019, §3.2
    (``beta-binomial``).
    """

    name: ClassVar[str] = "vae"
    has_prior: ClassVar[bool] = True
    sizes: tuple[int, ...] = option(
        (500, 500, 30), "Widths of the layers from the first hidden layer to the code.", ge=1
    )
    beta: float = option(1.0, "Weight of the KL divergence from the prior.", ge=0)
    variance: float = option(1.0, "Variance of the Gaussian decoder with the squared loss.", gt=0)
    loss: str = option(
        "auto", "Likelihood of an item given its code.", choices=("auto", *OUTPUT_OF_LIKELIHOOD), kw_only=True
    )
    samples: int = option(1, "Codes sampled for each item in training; above 1: the importance-weighted bound.", ge=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples > 1 and self.beta != 1:
            raise OptionError("vae: the importance-weighted bound (samples above 1) has no beta: leave one of them out")
        if self.pretrain != "none":
            raise OptionError("vae: pretrain does not apply, because the code is a distribution: leave pretrain out")

    @property
    def loss_unit(self) -> str:
        """The unit of the loss: nats of minus the ELBO, or of the bound that the options choose."""
        if self.beta != 1:
            return f"nats per item, minus the ELBO with {self.beta:g} times the KL divergence"
        return "nats per item, minus the " + ("ELBO" if self.samples == 1 else "importance-weighted bound")

    @property
    def likelihood(self) -> str:
        """The loss of the fitted encoder, also where ``loss=auto`` chose it."""
        return self._reconstruction_loss.loss

    def _sizes(self) -> tuple[int, ...]:
        return self.sizes

    def _bounded_loss(self) -> str:
        return "cross-entropy"

    def _encoder(self, width: int) -> Any:
        from encoders.neural.networks import mlp

        return mlp((width, *self.sizes[:-1], 2 * self.sizes[-1]), self.activation, self.norm)

    def _decoder(self, width: int, encoder: Any) -> Any:
        from encoders.neural.networks import mlp

        outputs = 2 * width if self._reconstruction_loss.loss == "beta-binomial" else width
        return mlp((outputs, *self.sizes)[::-1], self.activation, self.norm)

    def _objective(self) -> Any:
        """Return the loss in training and validation: minus the evidence lower bound."""
        import torch

        def objective(network: nn.Module, batch: Tensor) -> Tensor:
            seen = as_scaled(batch) if self._reconstruction_loss.loss == "counts" else batch
            mean, log_variance = network["encoder"](self._corrupted(seen, network.training)).float().chunk(2, dim=1)  # type: ignore[index]
            mean, log_variance = (values.repeat(self.samples, 1) for values in (mean, log_variance.clamp(-12, 12)))
            noise = torch.randn_like(mean)
            code = mean + noise * (log_variance / 2).exp()
            error = self._likelihood_loss(network["decoder"](code), batch.repeat(self.samples, 1))  # type: ignore[index]
            if self.samples == 1:
                terms: Tensor = error + self.beta * kl_divergence(mean, log_variance)
                return terms.mean()
            # log p(z) - log q(z | x): the constants of the two Gaussians cancel
            log_ratio = (noise.square() + log_variance - code.square()).sum(dim=1) / 2
            weights = (log_ratio - error).view(self.samples, -1)
            bound: Tensor = weights.logsumexp(dim=0) - math.log(self.samples)
            return -bound.mean()

        return objective

    def _target(self, items: Any) -> Codes:
        counts = issparse(items) or self.loss == "counts"
        return roots(items) if counts else super()._target(items)

    def _likelihood_loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return minus the log-likelihood of each whole item in nats (n,); for counts, `target` contains the roots."""
        value: Tensor = self._reconstruction_loss.value(logits, target)
        if self._reconstruction_loss.loss == "counts":
            return value * target.square().sum(dim=1)  # nats per word, times the number of words
        if self._reconstruction_loss.loss == "squared":
            return value / (2 * self.variance) + target.shape[1] / 2 * math.log(2 * math.pi * self.variance)
        return value

    def _encode(self, items: Any) -> Codes:
        return np.ascontiguousarray(self.posterior(items)[0])

    def posterior(self, items: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean and log variance of each item's code, float32 (n, dim) each."""
        both = forward(self.encoder, self._scaled(items))
        return both[:, : self.sizes[-1]], np.clip(both[:, self.sizes[-1] :], -12, 12)

    def elbo(self, items: Items, draws: int = 100, seed: int = 0, same_draws: bool = False) -> NDArray[np.float64]:
        """Return the evidence lower bound of each item in nats: E log p(x | z) - KL(q(z | x) || p(z)).

        `beta`, `samples` and noise on the input do not change it.

        Parameters
        ----------
        items : array or csr_array (n, dim)
        draws : int
            Codes sampled for each item: the first term is their mean, the second is exact.
        seed : int
        same_draws : bool
            Use the same random numbers for every item: the bound of an item then does not depend on the other items.

        Returns
        -------
        numpy.ndarray float64 (n,)

        References
        ----------
        Kingma & Welling 2014, equation 3 and appendix B.
        """
        _ = self.space
        rows: Any = self.checked(items)
        generator = np.random.default_rng(seed)
        bounds = np.empty(n_rows(rows))
        for start in range(0, len(bounds), ROWS):
            block = rows[start : start + ROWS]
            mean, log_variance = self.posterior(block)
            target = self._target(block)
            target = np.asarray(target.toarray() if issparse(target) else target, dtype=np.float64)
            total = np.zeros(len(mean))
            if same_draws:
                generator = np.random.default_rng(seed)
            for _ in range(draws):
                noise = generator.standard_normal(mean.shape[1:] if same_draws else mean.shape, dtype=np.float32)
                total += self._log_density(self._logits(mean + noise * np.exp(log_variance / 2)), target)
            twice_kl = np.square(mean) + np.exp(log_variance) - 1 - log_variance
            bounds[start : start + ROWS] = total / draws - twice_kl.sum(axis=1, dtype=np.float64) / 2
        return bounds

    def _logits(self, codes: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the output of the decoder for codes, before its last activation."""
        last = self.decoder[-1]
        return (forward(self.decoder[:-1], codes) @ last.weight.T + last.bias).astype(np.float64)

    def _log_density(self, logits: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ln p(x | z) of each item; `_likelihood_loss` is the same for tensors."""
        if self._reconstruction_loss.loss == "counts":
            largest = logits.max(axis=1, keepdims=True)
            shares = logits - largest - np.log(np.exp(logits - largest).sum(axis=1, keepdims=True))
            return np.asarray((np.square(target) * shares).sum(axis=1))
        if self._reconstruction_loss.loss == "beta-binomial":
            return np.asarray(log_density(logits, target).sum(axis=1))
        if self._reconstruction_loss.loss == "cross-entropy":
            return np.asarray((target * logits - np.logaddexp(0, logits)).sum(axis=1))
        output = logits if self._reconstruction_loss.output == "linear" else 1 / (1 + np.exp(-logits))
        squares = np.square(output - target).sum(axis=1) / self.variance
        return np.asarray(-(squares + target.shape[1] * math.log(2 * math.pi * self.variance)) / 2)

    def log_likelihood(self, items: Items, draws: int = 5000, seed: int = 0) -> NDArray[np.float64]:
        """Estimate the log-likelihood of binary items in nats by importance sampling from the posterior.

        Parameters
        ----------
        items : array (n, dim)
            Each number is 0 or 1: the estimate holds for a Bernoulli decoder.
        draws : int
            Codes sampled for each item.
        seed : int

        Returns
        -------
        numpy.ndarray (n,)

        Raises
        ------
        OptionError
            When the decoder is not a Bernoulli decoder.
        BadItemError
            When items are not binary.

        References
        ----------
        Rezende, Mohamed & Wierstra, Stochastic backpropagation, ICML 2014, appendix E; Burda et al. 2016, section 5.
        """
        _ = self.space
        rows = self.checked(items)
        if self._reconstruction_loss.loss != "cross-entropy":
            raise OptionError(
                "vae: the likelihood needs loss=cross-entropy; "
                f"this encoder was trained with {self._reconstruction_loss.loss}"
            )
        if not np.isin(rows, (0, 1)).all():
            raise BadItemError("the likelihood needs binary items: each number 0 or 1")
        generator = np.random.default_rng(seed)
        mean, log_variance = self.posterior(rows)
        decoder = [*self.decoder[:-1], replace(self.decoder[-1], activation="linear")]  # to logits
        likelihoods = np.empty(len(rows))
        for row in range(len(rows)):
            noise = generator.standard_normal((draws, mean.shape[1]), dtype=np.float32)
            code = mean[row] + noise * np.exp(log_variance[row] / 2)
            log_ratio = (np.square(noise) + log_variance[row] - np.square(code)).sum(axis=1) / 2
            logits = forward(decoder, code)
            # the likelihood of 1 is the sigmoid of the logit, of 0 the sigmoid of minus the logit
            weights = log_ratio - np.logaddexp(0, np.where(rows[row] > 0.5, -logits, logits)).sum(axis=1)
            largest = weights.max()
            likelihoods[row] = largest + math.log(np.exp(weights - largest).mean())
        return likelihoods


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, exp(log_variance)) || N(0, 1)) of each row in nats (Kingma & Welling 2014, appendix B).

    Examples
    --------
    >>> import torch
    >>> kl_divergence(torch.zeros(2, 3), torch.zeros(2, 3)).tolist()
    [0.0, 0.0]
    """
    by_component: Tensor = mean.square() + log_variance.exp() - 1 - log_variance
    return by_component.sum(dim=1) / 2
