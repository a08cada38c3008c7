"""Facts about independent component analysis."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import kurtosis
from sklearn.datasets import load_digits

from encoders.projection.ica import ICA
from encoders.projection.pca import PCA

RNG = np.random.default_rng(0)
#: A square wave, a saw tooth and noise with heavy tails: independent, and none of them Gaussian.
TIME = np.linspace(0, 8, 3000)
SOURCES = np.column_stack([np.sign(np.sin(3 * TIME)), TIME % 1, RNG.laplace(size=3000)])
MIXED = (SOURCES @ RNG.normal(size=(3, 5)) + 10).astype(np.float32)
DIGITS = load_digits().data[:500].astype(np.float32)


def agreement(found) -> np.ndarray:
    """Return the largest absolute correlation of every source with a component."""
    return np.abs(np.corrcoef(SOURCES.T, found.T)[:3, 3:]).max(axis=1)


@pytest.mark.parametrize("contrast", ["logcosh", "exp", "cube"])
def test_it_unmixes_what_pca_does_not(contrast):
    assert agreement(ICA(3, contrast=contrast).fit_encode(MIXED)).min() > 0.97
    assert agreement(PCA(3).fit_encode(MIXED)).min() < 0.9


@pytest.mark.parametrize("k", [3, 10])
def test_components_are_uncorrelated_and_of_variance_one(k):
    codes = ICA(k, iterations=30).fit_encode(DIGITS)
    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(codes.T, bias=True), np.eye(k), atol=5e-3)


def test_components_are_less_gaussian_than_those_of_pca():
    found, whitened = ICA(8).fit_encode(DIGITS), PCA(8, whiten=True).fit_encode(DIGITS)
    assert np.abs(kurtosis(found)).mean() > 1.2 * np.abs(kurtosis(whitened)).mean()


def test_it_spans_the_space_of_pca_and_decodes_as_it_does():
    ica, pca = ICA(8).fit(DIGITS), PCA(8).fit(DIGITS)
    np.testing.assert_allclose(ica.decode(ica.encode(DIGITS)), pca.decode(pca.encode(DIGITS)), atol=5e-3)


def test_mixing_and_unmixing_undo_each_other():
    encoder = ICA(3).fit(MIXED)
    np.testing.assert_allclose(encoder.components @ encoder.mixing, np.eye(3), atol=1e-3)


def test_sparse_rows_have_the_codes_of_dense_rows():
    sparse, dense = (ICA(4, iterations=20).fit(form(DIGITS)).encode(form(DIGITS)) for form in (csr_array, np.asarray))
    np.testing.assert_allclose(sparse, dense, atol=1e-2)


def test_rounds_that_were_not_enough_are_told():
    assert ICA(10, iterations=2).fit(DIGITS).iterations_used == 2
    assert ICA(3).fit(MIXED).iterations_used < 400
