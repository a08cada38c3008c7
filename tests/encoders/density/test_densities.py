"""Facts about densities: log-likelihoods against scikit-learn, SciPy and the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity as TheirKernels

from encoders.codes import Batch, Metric
from encoders.density import gaussian, mixture
from encoders.density.gaussian import Gaussian
from encoders.density.kernel import KernelDensity
from encoders.density.knn import NearestDensity
from encoders.density.mixture import Mixture
from encoders.errors import BadItemError, OptionError

RNG = np.random.default_rng(0)
#: Three clouds of different shape, not at the origin.
ROWS = np.concatenate([RNG.normal(size=(80, 3)) @ RNG.normal(size=(3, 3)) + centre for centre in (3, 9, -5)]).astype(
    np.float32
)
NEW = RNG.normal(scale=8, size=(50, 3)).astype(np.float32)
DENSITIES = {
    "gaussian": Gaussian(),
    "mixture": Mixture(3),
    "kernel-density": KernelDensity(),
    "nearest-density": NearestDensity(5),
}


def test_a_gaussian_has_scipys_log_likelihood():
    rows = ROWS.astype(np.float64)
    theirs = multivariate_normal(rows.mean(axis=0), np.cov(rows.T, bias=True) + 1e-6 * np.eye(3))
    np.testing.assert_allclose(Gaussian().fit(ROWS).log_likelihood(NEW), theirs.logpdf(NEW), rtol=1e-5)


def test_a_gaussian_of_batches_is_that_of_all_rows():
    far = ROWS + 1000  # nothing cancels
    parts = [Batch(part) for part in np.array_split(far, 7)]
    found = Gaussian().fit(parts).log_likelihood(NEW + 1000)
    rows = far.astype(np.float64)
    theirs = multivariate_normal(rows.mean(axis=0), np.cov(rows.T, bias=True) + 1e-6 * np.eye(3))
    np.testing.assert_allclose(found, theirs.logpdf(NEW + 1000), rtol=1e-3)


def test_covariances_that_would_fill_the_memory_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(gaussian, "MAX_WIDTH", 2)
    with pytest.raises(OptionError, match="vectors may have up to 2 numbers, got 3: put pca before it"):
        Gaussian().fit(ROWS)
    monkeypatch.setattr(mixture, "LARGEST", 20)
    with pytest.raises(OptionError, match="covariance=full needs 3 x 3 x 3 numbers, more than 20: use covariance=diag"):
        Mixture(3).fit(ROWS)
    for covariance in ("diag", "spherical", "tied"):
        Mixture(3, covariance=covariance).fit(ROWS)


def test_a_ridge_gives_constant_components_a_density():
    flat = np.column_stack([ROWS[:, 0], np.ones(len(ROWS))])
    with pytest.raises(BadItemError, match="raise ridge, or put pca before it"):
        Gaussian(ridge=0.0).fit(flat)
    found = Gaussian(ridge=0.5).fit(flat).log_likelihood(flat[:4])
    theirs = multivariate_normal([ROWS[:, 0].mean(), 1], np.diag([ROWS[:, 0].var() + 0.5, 0.5]))
    np.testing.assert_allclose(found, theirs.logpdf(flat[:4]), rtol=1e-4)


@pytest.mark.parametrize("covariance", ["full", "diag", "spherical", "tied"])
def test_a_mixture_has_scikit_learns_log_likelihood_and_responsibilities(covariance):
    theirs = GaussianMixture(3, covariance_type=covariance, random_state=0).fit(ROWS.astype(np.float64))
    ours = Mixture(3, covariance=covariance).fit(ROWS)
    np.testing.assert_allclose(ours.log_likelihood(NEW), theirs.score_samples(NEW), rtol=1e-5)
    soft = Mixture(3, covariance=covariance, codes="responsibilities").fit_encode(ROWS)
    np.testing.assert_allclose(soft, theirs.predict_proba(ROWS), atol=1e-4)


@pytest.mark.parametrize("scale", [1, 1000])
def test_responsibilities_are_probabilities(scale):
    encoder = Mixture(3, codes="responsibilities").fit(ROWS)
    codes = encoder.encode(scale * NEW)  # far away, every density is 0 in floating point
    np.testing.assert_allclose(codes.sum(axis=1), 1, atol=1e-5)
    assert codes.min() >= 0
    assert (encoder.space.dim, encoder.space.metric) == (3, Metric.COSINE)


def test_a_mixture_of_one_is_a_gaussian():
    np.testing.assert_allclose(Mixture(1).fit(ROWS).log_likelihood(NEW), Gaussian().fit(ROWS).log_likelihood(NEW), rtol=1e-5)  # fmt: skip


def test_a_mixture_fits_better_than_one_gaussian():
    assert Mixture(3).fit(ROWS).log_likelihood(ROWS).mean() > Gaussian().fit(ROWS).log_likelihood(ROWS).mean() + 0.5


@pytest.mark.parametrize("bandwidth", [0.3, 2.0])
def test_kernels_have_scikit_learns_log_likelihood(bandwidth):
    theirs = TheirKernels(bandwidth=bandwidth).fit(ROWS)
    ours = KernelDensity(bandwidth=bandwidth).fit(ROWS)
    near = ROWS + np.float32(0.1)
    np.testing.assert_allclose(ours.log_likelihood(near), theirs.score_samples(near), rtol=1e-4, atol=1e-4)


def test_kernels_far_away_still_have_the_log_likelihood_of_the_formula():
    # where scikit-learn's tree loses it: every kernel is below the smallest number
    squares = cdist(10 * NEW, ROWS, "sqeuclidean")
    expected = logsumexp(-squares / (2 * 0.3**2), axis=1) - np.log(len(ROWS)) - 3 * np.log(0.3 * math.sqrt(2 * math.pi))
    assert expected.max() < -745
    np.testing.assert_allclose(KernelDensity(bandwidth=0.3).fit(ROWS).log_likelihood(10 * NEW), expected, rtol=1e-6)


def test_without_a_bandwidth_it_is_scotts():
    width = ROWS.std(axis=0).mean() * len(ROWS) ** (-1 / 7)
    assert KernelDensity().fit(ROWS).width[0] == pytest.approx(width, rel=1e-5)
    with pytest.raises(BadItemError, match="set bandwidth"):
        KernelDensity().fit(np.ones((5, 2)))


@pytest.mark.parametrize("k", [1, 7])
@pytest.mark.parametrize(("dim", "ball"), [(1, 2), (2, math.pi), (3, 4 / 3 * math.pi)])
def test_nearest_neighbours_give_the_density_of_the_formula(k, dim, ball):
    radius = np.sort(cdist(NEW[:, :dim], ROWS[:, :dim]), axis=1)[:, k - 1]
    expected = np.log(k / (len(ROWS) * ball * radius**dim))
    np.testing.assert_allclose(NearestDensity(k).fit(ROWS[:, :dim]).log_likelihood(NEW[:, :dim]), expected, rtol=1e-4)


def test_an_item_on_its_neighbours_has_a_finite_density():
    assert np.isfinite(NearestDensity(2).fit(np.repeat(ROWS[:5], 3, axis=0)).log_likelihood(ROWS[:5])).all()


@pytest.mark.parametrize("encoder", [Gaussian(), Mixture(2), KernelDensity()], ids=str)
def test_densities_integrate_to_one(encoder):
    grid, step = np.linspace(-40, 40, 8001, retstep=True)
    encoder.fit(ROWS[:, :1])
    assert np.exp(encoder.log_likelihood(grid[:, None])).sum() * step == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", DENSITIES)
def test_the_code_is_the_log_likelihood_and_outliers_have_less_of_it(name):
    encoder = DENSITIES[name].fit(ROWS)
    codes = encoder.encode(ROWS)
    np.testing.assert_allclose(codes[:, 0], encoder.log_likelihood(ROWS), rtol=1e-6)
    assert encoder.log_likelihood([[200.0, -200.0, 200.0]])[0] < codes.min()


@pytest.mark.parametrize("name", DENSITIES)
def test_many_batches_teach_the_same_as_one(name):
    parts = [Batch(ROWS[:50]), Batch(ROWS[50:])]
    whole = DENSITIES[name].fit(ROWS).log_likelihood(NEW)
    np.testing.assert_allclose(DENSITIES[name].fit(parts).log_likelihood(NEW), whole, rtol=1e-6)


@pytest.mark.parametrize("encoder", [KernelDensity(bandwidth=2.0, points=20), NearestDensity(3, points=20)], ids=str)
def test_a_sample_is_kept_of_many_items(encoder):
    stored = encoder.fit(ROWS).stored
    assert stored.shape == (20, 3)
    assert len(np.unique(stored, axis=0)) == 20
    assert all((row == ROWS).all(axis=1).any() for row in stored)


def test_more_components_or_neighbours_than_items_are_refused():
    with pytest.raises(OptionError, match="n-components=6 Gaussians cannot be fitted to 5 items"):
        Mixture(6).fit(ROWS[:5])
    with pytest.raises(OptionError, match="k=6 is more than the 5 training items"):
        NearestDensity(6).fit(ROWS[:5])
