"""Frequencies of pixels are whole numbers that add up, close to the probabilities of the likelihoods."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import betabinom

from retrieval.applications.compression.fixed_point import FRACTION
from retrieval.applications.compression.latent_grid import PRECISION
from retrieval.applications.compression.pixel_models import BernoulliPixels, BetaBinomialPixels

ONE = 1 << FRACTION
BERNOULLI, GREY = BernoulliPixels(), BetaBinomialPixels()
FAR = np.array([0, 1, -1, 8, -8, 30, -30, 1024, -1024], dtype=np.int64) * ONE


@pytest.mark.parametrize("model", [BERNOULLI, GREY])
def test_frequencies_add_up_to_the_power_of_two_for_extreme_outputs(model):
    outputs = FAR if model is BERNOULLI else np.concatenate([np.repeat(FAR, 9), np.tile(FAR, 9)])
    found = model.frequencies(outputs)
    assert found.dtype == np.float32
    assert found.shape == (len(outputs) if model is BERNOULLI else 81, model.levels)
    assert found.min() >= 0  # and 1 is added to each: every level can be coded
    np.testing.assert_array_equal(found, np.rint(found))
    assert (found.astype(np.float64).sum(axis=1) + model.levels == 1 << PRECISION).all()


def test_all_distributions_of_grey_levels_add_up_and_are_the_integers_of_every_other_machine():
    table = GREY._table
    assert table.shape == (145**2, 256)
    assert (table.astype(np.float64).sum(axis=1) + 256 == 1 << PRECISION).all()
    assert table.min() >= 0
    assert hashlib.sha256(table.astype("<i4").tobytes()).hexdigest()[:16] == "6039ec4b8576d363"


def test_probabilities_of_black_and_white_pixels():
    logits = np.linspace(-12, 12, 200)
    found = BERNOULLI.frequencies((logits * ONE).astype(np.int64))[:, 1] / (1 << PRECISION)
    np.testing.assert_allclose(found, expit((logits * ONE).astype(int) / ONE), rtol=2e-3, atol=2e-7)


def test_rounded_parameters_cost_little():
    rng = np.random.default_rng(0)
    alpha, beta = rng.uniform(-4, 3, (2, 300))
    exact = betabinom.pmf(np.arange(256)[:, None], 255, np.exp(alpha), np.exp(beta)).T
    coded = (GREY.frequencies((np.concatenate([alpha, beta]) * ONE).astype(np.int64)) + 1.0) / (1 << PRECISION)
    lost = (exact * np.log2(np.maximum(exact, 1e-300) / coded)).sum(axis=1)
    assert lost.min() > -1e-6
    assert lost.mean() < 0.003
    assert lost.max() < 0.02  # bits per pixel


def test_inputs_of_the_network_are_the_pixels_in_fixed_point():
    assert BERNOULLI.inputs(np.array([[0, 1]], np.uint8)).tolist() == [[0, ONE]]
    levels = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_allclose(GREY.inputs(levels) / ONE, levels / 255, atol=0.5 / ONE)
