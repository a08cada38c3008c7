"""The beta-binomial distribution of grey levels: the likelihood of a decoder that gives two numbers for each pixel.

The last map of the decoder gives ln alpha of every pixel, then ln beta of every pixel. Level k of 0 to 255 has the
probability C(255, k) B(k + alpha, 255 - k + beta) / B(alpha, beta), with the beta function B. It can have its peaks at
black and at white at the same time, as the pixels of drawings do.

References
----------
Skellam, A probability distribution derived from the binomial distribution by regarding the probability of success as
variable between the sets of trials, Journal of the Royal Statistical Society B 10, 1948; Townsend, Bird & Barber,
Practical lossless compression with latent variables using bits back coding, ICLR 2019, section 3.2 (as the likelihood
of grey pictures).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.errors import OptionError

if TYPE_CHECKING:
    from torch import Tensor

#: The largest grey level.
WHITE = 255
#: Range of the binary logarithm of alpha and beta. Below, black or white is certain; above, the distribution is nearly
#: a binomial one.
LEAST, MOST = -10, 8
BOUNDS = (LEAST * math.log(2), MOST * math.log(2))


def require_levels(name: str, matrix: Any) -> None:
    """Raise an error for values that are not grey levels 0 to 255, divided by 255.

    Raises
    ------
    OptionError
    """
    values = None if issparse(matrix) else np.asarray(matrix, dtype=np.float64) * WHITE
    if values is None or values.min() < 0 or values.max() > WHITE or np.abs(values - np.rint(values)).max() > 0.01:
        raise OptionError(
            f"{name}: loss=beta-binomial needs grey levels, multiples of 1/255 from 0 to 1, and the rows hold other "
            "values: put pixels directly before it, or leave loss out"
        )


def log_probability(outputs: Tensor, target: Tensor) -> Tensor:
    """Return ln p of each value of `target`, a grey level divided by 255 (n, dim), for outputs (n, 2 dim)."""
    import torch

    alpha, beta = (part.clamp(*BOUNDS).exp() for part in outputs.float().chunk(2, dim=1))
    level = (target.float() * WHITE).round()
    chosen = torch.from_numpy(ln_choices().astype(np.float32)).to(level.device)[level.long()]
    gain: Tensor = torch.lgamma(level + alpha) + torch.lgamma(WHITE - level + beta) - torch.lgamma(WHITE + alpha + beta)
    return chosen + gain - torch.lgamma(alpha) - torch.lgamma(beta) + torch.lgamma(alpha + beta)


def log_density(outputs: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
    """Return what `log_probability` returns, in float64.

    Examples
    --------
    >>> level = np.arange(256)[None] / 255
    >>> round(float(np.exp(log_density(np.repeat([[0.3, -1.2]], 256, axis=1), level)).sum()), 9)
    1.0
    """
    from scipy.special import betaln

    alpha, beta = np.exp(np.clip(np.split(np.asarray(outputs, dtype=np.float64), 2, axis=1), *BOUNDS))
    level = np.rint(np.asarray(target, dtype=np.float64) * WHITE)
    gain = betaln(level + alpha, WHITE - level + beta) - betaln(alpha, beta)
    return np.asarray(ln_choices()[level.astype(np.int64)] + gain)


def mean(outputs: Tensor) -> Tensor:
    """Return the mean grey level divided by 255, alpha / (alpha + beta), (n, dim) for outputs (n, 2 dim)."""
    alpha, beta = outputs.clamp(*BOUNDS).chunk(2, dim=1)
    return (alpha - beta).sigmoid()


def ln_choices() -> NDArray[np.float64]:
    """Return the logarithms of the binomial coefficients C(255, k), float64 (256,)."""
    return np.array([math.log(math.comb(WHITE, level)) for level in range(WHITE + 1)])
