"""Buckets of equal probability and the frequencies of a posterior over them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from retrieval.applications.compression.fixed_point import FRACTION
from retrieval.applications.compression.latent_grid import EDGE, PRECISION, LatentGrid

ONE = 1 << FRACTION


@pytest.fixture(scope="module", params=[4, 10])
def grid(request) -> LatentGrid:
    return LatentGrid(request.param)


def test_buckets_have_equal_probability_and_their_medians_are_inside(grid):
    edges = grid.edges / (1 << EDGE)
    np.testing.assert_allclose(norm.cdf(edges), np.arange(1, grid.size) / grid.size, atol=2e-5)
    assert (np.diff(grid.edges) > 0).all()
    assert grid.nearest(grid.medians).tolist() == list(range(grid.size))
    np.testing.assert_allclose(grid.medians / ONE, -grid.medians[::-1] / ONE, atol=2 / ONE)


def test_frequencies_are_the_probabilities_of_the_posterior(grid):
    mean, log_variance = np.array([0.3, -1.7, 0.0, 2.9]), np.array([-1.0, -4.0, 0.0, -6.5])
    found = grid.frequencies((mean * ONE).astype(np.int64), (log_variance * ONE).astype(np.int64))
    edges = np.concatenate([[-np.inf], grid.edges / (1 << EDGE), [np.inf]])
    for row in range(4):
        below = norm.cdf(edges, (mean * ONE).astype(int)[row] / ONE, np.exp(log_variance[row] / 2))
        np.testing.assert_allclose(found[row] / (1 << PRECISION), np.diff(below), atol=3e-4)


def test_frequencies_add_up_for_the_most_extreme_posteriors(grid):
    far = np.array([0, 5, -5, 1024, -1024, 3, -3]) * ONE
    for log_variance in (-12, -11.99, 0, 12):
        found = grid.frequencies(far, np.full(7, int(log_variance * ONE)))
        assert found.min() >= 0
        np.testing.assert_array_equal(found, np.rint(found))
        assert (found.astype(np.float64).sum(axis=1) + grid.size == 1 << PRECISION).all()
        assert found.dtype == np.float32
    # log variances beyond the range of the autoencoder are cut as there
    np.testing.assert_array_equal(
        grid.frequencies(far, np.full(7, 99 * ONE)), grid.frequencies(far, np.full(7, 12 * ONE))
    )
