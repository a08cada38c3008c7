"""Measures of generated items, beside plain loops and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from encoders.errors import BadItemError
from retrieval.evaluation.sample_quality import frechet_distance, sample_quality

RNG = np.random.default_rng(0)
REAL, GENERATED = RNG.normal(size=(90, 3)), RNG.normal(0.5, 1.3, size=(70, 3))


def plainly(real, generated, k):
    """Return precision, recall, density and coverage by the definitions, one distance at a time."""

    def radius(rows, one):
        return sorted(float(np.linalg.norm(rows[one] - other)) for other in rows)[k]

    real_radii = [radius(real, one) for one in range(len(real))]
    own_radii = [radius(generated, one) for one in range(len(generated))]
    near = [[float(np.linalg.norm(x - y)) for y in generated] for x in real]
    counts = [sum(near[x][y] < real_radii[x] for x in range(len(real))) for y in range(len(generated))]
    return (
        np.mean([count > 0 for count in counts]),
        np.mean([any(near[x][y] < own_radii[y] for y in range(len(generated))) for x in range(len(real))]),
        np.mean(counts) / k,
        np.mean([min(near[x]) < real_radii[x] for x in range(len(real))]),
    )


@pytest.mark.parametrize("k", [1, 5])
def test_the_measures_are_those_of_the_definitions(k, monkeypatch):
    monkeypatch.setattr("retrieval.evaluation.sample_quality.BLOCK", 16)
    found = sample_quality(REAL, GENERATED, k)
    np.testing.assert_allclose(
        (found.precision, found.recall, found.density, found.coverage), plainly(REAL, GENERATED, k)
    )


def test_the_frechet_distance_is_that_of_the_matrix_root():
    means = REAL.mean(axis=0) - GENERATED.mean(axis=0)
    one, other = np.cov(REAL, rowvar=False), np.cov(GENERATED, rowvar=False)
    expected = means @ means + np.trace(one + other - 2 * np.real(sqrtm(one @ other)))
    assert frechet_distance(REAL, GENERATED) == pytest.approx(expected)


def test_samples_of_one_group_cover_half_and_far_samples_are_not_precise():
    groups = np.concatenate([RNG.normal(size=(200, 2)), 50 + RNG.normal(size=(200, 2))])
    one = sample_quality(groups, RNG.normal(size=(400, 2)))
    far = sample_quality(groups, RNG.normal(-90, 1, size=(400, 2)))
    assert one.precision > 0.8
    assert 0.4 < one.coverage < 0.55
    assert far.precision == far.density == far.coverage == 0


def test_the_order_of_the_items_does_not_matter():
    assert sample_quality(REAL[::-1], GENERATED[::-1]).coverage == sample_quality(REAL, GENERATED).coverage


def test_too_few_items_are_refused():
    with pytest.raises(BadItemError, match="needs more than 5 of each"):
        sample_quality(REAL[:5], GENERATED)


@pytest.mark.parametrize(("width", "k", "value"), [(3, 5, 0.0), (2, 0, 0.0), (2, 5, np.nan), (2, 5, np.inf)])
def test_what_cannot_be_measured_is_refused(width, k, value):
    real, generated = np.ones((9, 2)), np.ones((9, width))
    generated[0, 0] = value
    with pytest.raises(BadItemError):
        sample_quality(real, generated, k)
