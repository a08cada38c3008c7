"""The aggregate posterior of a variational autoencoder, compared with its prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.errors import NotInvertibleError
from retrieval.applications.reconstruction import decoded_codes
from retrieval.applications.reconstruction_table import is_picture

#: A component is in use where the means of the items vary by more (Burda et al. 2016, section 5).
ACTIVE = 0.01
#: Largest number of components whose density is drawn.
MAX_DRAWN = 12
#: Pictures along a side of the grid of codes, and the pixels that such a side should not exceed.
SIDE, PIXELS = 15, 640
#: Cells of a drawn density; a density is drawn from -REACH to REACH at least.
CELLS, REACH = 120, 4
#: Where the prior has all but a billionth of its mass, in cells finer than a posterior that is worth its bits.
_PRIOR_CELLS = np.linspace(-6, 6, 241)


@dataclass(frozen=True)
class AggregatePosterior:
    """The mixture of the items' posteriors N(mean, variance), beside the prior N(0, 1), component by component.

    Attributes
    ----------
    means : ndarray (n, k)
        Means of the items' posteriors.
    kl_divergence : ndarray (k,)
        KL(posterior || prior) in nats, averaged over the items: the information of a component about an item.
    variance_of_means : ndarray (k,)
    coverage : ndarray (k,)
        The share of the prior that the mixture covers: the integral of the smaller of the two densities. It is also 1
        when a component carries no information and every posterior equals the prior.
    order : list of int
        The components, largest KL divergence first.
    edges : ndarray (cells + 1,)
        The cells of the drawn densities.
    density : ndarray (min(k, `MAX_DRAWN`), cells)
        The mixture's mean density in every cell, in that order.
    decoded : list of ndarray uint8
        For codes of two numbers: pictures at the prior's quantiles, row by row from the upper left; else empty.
    """

    means: NDArray[np.float64]
    kl_divergence: NDArray[np.float64]
    variance_of_means: NDArray[np.float64]
    coverage: NDArray[np.float64]
    order: list[int]
    edges: NDArray[np.float64]
    density: NDArray[np.float64]
    decoded: list[NDArray[np.uint8]]

    @property
    def in_use(self) -> NDArray[np.bool_]:
        """Whether each component is in use."""
        return self.variance_of_means > ACTIVE

    @property
    def answer(self) -> str:
        """The number of components in use and the share of the prior that they cover, as a sentence."""
        used, count = int(self.in_use.sum()), len(self.variance_of_means)
        if not used:
            return f"None of {count} components is in use: the code carries no information about the items"
        low, high = (round(100 * float(edge(self.coverage[self.in_use]))) for edge in (np.min, np.max))
        share = f"{low}%" if low == high else f"{low} to {high}%"
        every = "Both" if count == 2 else f"All {count}"
        which = every if used == count > 1 else f"{used} of {count}"
        if used == 1:
            return f"{which} components is in use; its aggregate posterior covers {share} of the prior"
        return f"{which} components are in use; the aggregate posterior of each covers {share} of the prior"

    def within(self, radius: float) -> float:
        """Return the share of the items whose mean is at most `radius` standard deviations from the prior's centre."""
        return float((np.linalg.norm(self.means, axis=1) <= radius).mean())


def posterior_of(encoder: Encoder, contents: Sequence[Any]) -> AggregatePosterior | None:
    """Return the aggregate posterior of items, or None if the space does not end in a variational autoencoder.

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes, ICLR 2014, appendix B (the divergence) and figure 4 (the grid);
    Burda, Grosse & Salakhutdinov, Importance weighted autoencoders, ICLR 2016, section 5 (active units); Hoffman &
    Johnson, ELBO surgery, NIPS workshop on advances in approximate Bayesian inference, 2016 (the aggregate posterior).
    """
    posterior = getattr(encoder.parts[-1], "posterior", None)
    if posterior is None or not encoder.has_prior:
        return None
    last, rows = encoder.up_to_last(list(contents))
    mean, log_variance = (part.astype(np.float64) for part in posterior(last.checked(rows)))
    return aggregate(mean, log_variance, _decoded_grid(encoder))


def aggregate(
    mean: NDArray[np.float64], log_variance: NDArray[np.float64], decoded: Sequence[NDArray[np.uint8]] = ()
) -> AggregatePosterior:
    """Return the aggregate of the posteriors of items.

    Examples
    --------
    >>> posterior = aggregate(np.array([[-1.0, 0], [1, 0]]), np.array([[-2.0, 0], [-2, 0]]))
    >>> posterior.in_use.tolist(), posterior.kl_divergence.round(2).tolist(), posterior.coverage.round(2).tolist()
    ([True, False], [1.07, 0.0], [0.63, 1.0])
    """
    deviation = np.exp(log_variance / 2)
    kl_divergence = (np.square(mean) + np.exp(log_variance) - 1 - log_variance).mean(axis=0) / 2
    order = np.argsort(-kl_divergence, kind="stable").tolist()
    shown = order[:MAX_DRAWN]
    reach = max(REACH, int(np.ceil(np.percentile(np.abs(mean[:, shown]) + 2 * deviation[:, shown], 99.5))))
    edges = np.linspace(-reach, reach, CELLS + 1)
    density = [_mass(mean[:, component], deviation[:, component], edges) / np.diff(edges) for component in shown]
    prior = np.diff(_normal(_PRIOR_CELLS))
    coverage = [
        float(np.minimum(_mass(mean[:, component], deviation[:, component], _PRIOR_CELLS), prior).sum())
        for component in range(mean.shape[1])
    ]
    return AggregatePosterior(
        mean, kl_divergence, mean.var(axis=0), np.array(coverage), order, edges, np.array(density), list(decoded)
    )


def prior_density(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the prior's mean density in every cell."""
    return np.asarray(np.diff(_normal(edges)) / np.diff(edges))


def _mass(mean: NDArray[np.float64], deviation: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the exact mass of the mixture in every cell; densities at grid points would miss narrow peaks."""
    below = _normal((edges[:, None] - mean) / deviation).mean(axis=1)
    return np.asarray(np.diff(below))


def _normal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import ndtr

    return np.asarray(ndtr(values))


def _decoded_grid(encoder: Encoder) -> list[NDArray[np.uint8]]:
    """Decode codes of two numbers at the prior's quantiles: the first grows to the right, the second upwards."""
    from scipy.special import ndtri

    first = encoder.parts[0].space.shape
    if encoder.space.dim != 2 or first is None:
        return []
    side = int(np.clip(PIXELS // max(first[:2]), 5, SIDE))
    quantiles = ndtri((np.arange(side) + 0.5) / side)
    across, upward = np.meshgrid(quantiles, quantiles[::-1])
    try:
        pictures = decoded_codes(encoder, np.stack([across.ravel(), upward.ravel()], axis=1).astype(np.float32))
    except NotInvertibleError:
        return []
    return pictures if all(map(is_picture, pictures)) else []
