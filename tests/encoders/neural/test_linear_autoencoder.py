"""Facts about the linear autoencoder: Baldi & Hornik, Bourlard & Kamp."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import subspace_angles

from encoders.codes import Metric
from encoders.errors import OptionError
from encoders.neural.linear_autoencoder import LinearAutoencoder
from encoders.projection.pca import PCA

RNG = np.random.default_rng(0)
TURN = np.linalg.qr(RNG.normal(size=(10, 10)))[0]
#: Three directions of large variance, not along the axes, far from the origin.
ROWS = (RNG.normal(size=(512, 10)) * [9, 7, 5, 1, 1, 1, 0.8, 0.8, 0.5, 0.5] @ TURN + 20).astype(np.float32)
OPTIONS = {"epochs": 60, "batch_size": 64, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def fitted() -> LinearAutoencoder:
    return LinearAutoencoder(3, **OPTIONS).fit(ROWS)


def error(encoder) -> float:
    return float(np.square(encoder.decode(encoder.encode(ROWS)) - ROWS, dtype=np.float64).sum(axis=1).mean())


def test_it_spans_the_space_of_the_principal_components(fitted):
    pca = PCA(3).fit(ROWS)
    assert subspace_angles(fitted.components.T, pca.components.T).max() < 0.05
    other = np.linalg.qr(RNG.normal(size=(10, 3)))[0]
    assert subspace_angles(other, pca.components.T).max() > 0.5


@pytest.mark.parametrize("epochs", [1, 10])
def test_it_is_never_better_than_pca(fitted, epochs):
    least = error(PCA(3).fit(ROWS)) * (1 - 1e-5)
    sooner = LinearAutoencoder(3, **{**OPTIONS, "epochs": epochs}).fit(ROWS)
    assert error(sooner) > error(fitted) >= least


def test_at_the_end_it_is_nearly_as_good(fitted):
    assert error(fitted) < 1.1 * error(PCA(3).fit(ROWS))
    assert error(fitted) < 0.1 * np.square(ROWS - ROWS.mean(axis=0)).sum(axis=1).mean()


def test_components_need_not_be_orthogonal(fitted):
    unit = fitted.components / np.linalg.norm(fitted.components, axis=1, keepdims=True)
    assert np.abs(unit @ unit.T - np.eye(3)).max() > 0.01


def test_encoding_and_decoding_are_affine(fitted):
    codes = fitted.encode(ROWS[:2])
    np.testing.assert_allclose(fitted.encode(ROWS[:2].mean(axis=0)[None])[0], codes.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(fitted.encode(ROWS.mean(axis=0)[None]), 0, atol=1e-3)  # the mean has the code 0
    np.testing.assert_allclose(fitted.decode(np.zeros((1, 3), np.float32))[0], ROWS.mean(axis=0), atol=1e-4)
    slope = fitted.decode(np.eye(3, dtype=np.float32)) - fitted.decode(np.zeros((1, 3), np.float32))
    np.testing.assert_allclose(slope, fitted.components, atol=1e-3)


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(OptionError, match="n-components=11 is more than the 10 numbers of an item"):
        LinearAutoencoder(11).fit(ROWS)


def test_the_metric_is_that_of_the_option():
    assert LinearAutoencoder(2, metric="cosine", epochs=1).fit(ROWS).space.metric is Metric.COSINE
