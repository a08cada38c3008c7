"""Quality of generated items: how much they look like real items, and how many real items they cover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.distances import squared_distances
from encoders.errors import BadItemError

#: Rows of the distance matrix that are computed at a time.
BLOCK = 1024


@dataclass(frozen=True)
class SampleQuality:
    """Measures of a set of generated items against a set of real ones.

    Attributes
    ----------
    precision : float
        Share of the generated items that are nearer to some real item than its k-th real neighbour.
    recall : float
        Share of the real items that are nearer to some generated item than its k-th generated neighbour.
    density : float
        Number of real items whose k-th real neighbour is farther than a generated item, divided by k; mean over the
        generated items. Real items have about 1.
    coverage : float
        Share of the real items with a generated item nearer than their k-th real neighbour.
    frechet : float
        Squared Fréchet distance between the Gaussians fitted to both sets; 0 if means and covariances are equal.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    frechet: float


def sample_quality(real: NDArray[Any], generated: NDArray[Any], k: int = 5) -> SampleQuality:
    """Measure generated items against real ones, both as features.

    Parameters
    ----------
    real : array (n, d)
        Features of real items that the generator was not fitted on.
    generated : array (m, d)
        Features of generated items.
    k : int
        Number of neighbours that set the radius around an item.

    Raises
    ------
    BadItemError
        When a set has k or fewer items, or a feature is NaN or infinite.

    References
    ----------
    Naeem, Oh, Uh, Choi & Yoo, Reliable fidelity and diversity metrics for generative models, ICML 2020, section 3
    (density, coverage); Kynkäänniemi et al., Improved precision and recall metric for assessing generative models,
    NeurIPS 2019 (precision, recall); Heusel et al., GANs trained by a two time-scale update rule, NIPS 2017 (Fréchet).

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(200, 2))
    >>> same = sample_quality(points, points)
    >>> same.precision, same.recall, same.coverage, round(same.frechet, 6)
    (1.0, 1.0, 1.0, 0.0)
    """
    real, generated = (np.asarray(rows, dtype=np.float64) for rows in (real, generated))
    if k < 1 or real.ndim != 2 or generated.ndim != 2 or real.shape[1] != generated.shape[1]:
        raise BadItemError(
            f"real and generated items are rows of equally many features, and k is at least 1; got the shapes "
            f"{real.shape} and {generated.shape}, and k={k}"
        )
    if min(len(real), len(generated)) <= k:
        raise BadItemError(
            f"the radius around an item is the distance to its {k}th neighbour: got {len(real)} real and "
            f"{len(generated)} generated items, needs more than {k} of each"
        )
    if not (np.isfinite(real).all() and np.isfinite(generated).all()):
        raise BadItemError("the features of the real or the generated items hold NaN or infinite values")
    real_radii, generated_radii = _radii(real, k), _radii(generated, k)
    inside = np.zeros(len(generated), dtype=np.int64)
    recalled, covered = np.zeros(len(real), dtype=bool), np.zeros(len(real), dtype=bool)
    for start in range(0, len(real), BLOCK):
        block = slice(start, start + BLOCK)
        distances = squared_distances(real[block], generated)
        within = distances < real_radii[block, None]
        inside += within.sum(axis=0)
        covered[block] = within.any(axis=1)
        recalled[block] = (distances < generated_radii[None]).any(axis=1)
    return SampleQuality(
        precision=float((inside > 0).mean()),
        recall=float(recalled.mean()),
        density=float(inside.mean() / k),
        coverage=float(covered.mean()),
        frechet=frechet_distance(real, generated),
    )


def frechet_distance(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Return the squared Fréchet distance between the Gaussians fitted to two sets of rows (n, d) and (m, d).

    References
    ----------
    Dowson & Landau, The Fréchet distance between multivariate normal distributions, 1982.
    """
    means = first.mean(axis=0) - second.mean(axis=0)
    one, other = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (first, second))
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    # the trace of the root of one @ other is that of this symmetric matrix, whose eigenvalues are real
    shared = np.sqrt(np.linalg.eigvalsh(root @ other @ root).clip(0)).sum()
    return max(0.0, float(means @ means + np.trace(one) + np.trace(other) - 2 * shared))


def _radii(rows: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return the squared distance of each row to its k-th neighbour among the others."""
    radii = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        distances = squared_distances(rows[block], rows)
        radii[block] = np.partition(distances, k, axis=1)[:, k]  # the nearest is the row itself
    return radii
