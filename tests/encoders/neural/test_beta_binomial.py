"""Facts about the beta-binomial likelihood of grey levels, and the autoencoder that has it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from scipy.stats import betabinom
from sklearn.datasets import load_digits

from encoders.base import Encoder
from encoders.errors import OptionError
from encoders.neural import beta_binomial
from encoders.neural.layers import beta_mean
from encoders.neural.reconstruction_loss import ReconstructionLoss, chosen
from encoders.neural.training_rows import Rows
from encoders.neural.vae import VAE
from encoders.registry import create

PICTURES = np.rint(load_digits().images[:400] * 255 / 16).astype(np.uint8)
ROWS = (PICTURES.reshape(-1, 64) / 255).astype(np.float32)
OUTPUTS = np.random.default_rng(0).uniform(-6, 5.5, (7, 128)).astype(np.float32)


@pytest.fixture(scope="module")
def fitted() -> VAE:
    return VAE((32, 4), loss="beta-binomial", epochs=10, batch_size=40, learning_rate=0.01).fit(ROWS)


def test_the_density_is_that_of_scipy_in_numpy_and_in_torch():
    alpha, beta = np.exp(np.split(OUTPUTS.astype(np.float64), 2, axis=1))
    expected = betabinom.logpmf(np.rint(ROWS[:7] * 255), 255, alpha, beta)
    np.testing.assert_allclose(beta_binomial.log_density(OUTPUTS, ROWS[:7]), expected, rtol=1e-9, atol=1e-9)
    found = beta_binomial.log_probability(torch.from_numpy(OUTPUTS), torch.from_numpy(ROWS[:7]))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=2e-3)
    loss = ReconstructionLoss("beta-binomial", "beta-mean")
    whole = loss.value(torch.from_numpy(OUTPUTS), torch.from_numpy(ROWS[:7]))
    np.testing.assert_allclose(whole.numpy(), -expected.sum(axis=1), rtol=1e-4)


def test_far_outputs_keep_every_level_possible_and_every_gradient_finite():
    outputs = torch.tensor([[-1e4, 1e4, 1e4, -1e4, 0.0, 0.0]], requires_grad=True)
    found = beta_binomial.log_probability(outputs, torch.tensor([[1.0, 0.0, 0.5]]))
    assert found.isfinite().all()
    found.sum().backward()
    assert outputs.grad.isfinite().all()


def test_what_is_decoded_is_the_mean():
    alpha, beta = np.exp(np.split(OUTPUTS.astype(np.float64), 2, axis=1))
    expected = betabinom.mean(255, alpha, beta) / 255
    np.testing.assert_allclose(beta_mean(OUTPUTS.copy()), expected, atol=1e-5)
    np.testing.assert_allclose(beta_binomial.mean(torch.from_numpy(OUTPUTS)).numpy(), expected, atol=1e-5)


def test_the_output_starts_at_the_mean_of_the_data():
    loss = ReconstructionLoss("beta-binomial", "beta-mean")
    first = loss.output_of(torch.from_numpy(loss.start(Rows(ROWS)))[None])
    np.testing.assert_allclose(first[0].numpy(), ROWS.mean(axis=0), atol=2e-3)


def test_training_reports_the_bound_and_beats_a_distribution_for_each_pixel(fitted):
    bound = fitted.elbo(ROWS, draws=20).mean()
    assert fitted.loss_unit == "nats per item, minus the ELBO"
    assert bound == pytest.approx(-min(fitted.history.validation_loss), rel=0.1)
    levels, counts = np.unique(ROWS, return_inverse=True)
    counts = (counts.reshape(ROWS.shape)[:, :, None] == np.arange(len(levels))).sum(axis=0)  # (pixels, levels)
    grid = np.stack(np.meshgrid(*[np.arange(-4, 4, 0.5)] * 2), axis=-1).reshape(-1, 2)
    outputs = np.repeat(grid, len(levels), axis=0)
    density = beta_binomial.log_density(outputs, np.tile(levels, len(grid))[:, None]).reshape(len(grid), -1)
    alone = (counts @ density.T).max(axis=1).sum() / len(ROWS)  # the best distribution for each pixel, without a code
    assert bound > alone + 10
    assert fitted.likelihood == "beta-binomial"


def test_a_saved_one_decodes_the_same_pictures_of_the_right_shape(fitted, tmp_path):
    loaded = Encoder.load(fitted.save(tmp_path / "encoder"))
    codes = fitted.encode(ROWS)
    np.testing.assert_array_equal(loaded.decode(codes), fitted.decode(codes))
    np.testing.assert_allclose(loaded.elbo(ROWS[:50], draws=2), fitted.elbo(ROWS[:50], draws=2), rtol=1e-6)
    assert fitted.decode(codes).shape == ROWS.shape
    assert 0 <= fitted.decode(codes).min() < fitted.decode(codes).max() <= 1
    pipeline = create("pixels+vae:16-2,loss=beta-binomial,epochs=2").fit(PICTURES)
    drawn = pipeline.decode(np.zeros((3, 2), dtype=np.float32))
    assert (drawn.dtype, drawn.shape) == (np.uint8, (3, 8, 8))


@pytest.mark.parametrize("rows", [ROWS * 2, -ROWS, ROWS + 0.001, csr_array(ROWS)])
def test_values_that_are_no_grey_levels_are_refused(rows):
    with pytest.raises(OptionError, match="loss=beta-binomial needs grey levels"):
        VAE((8, 2), loss="beta-binomial", epochs=1).fit(rows)


def test_only_a_density_has_the_loss():
    with pytest.raises(OptionError, match="loss"):
        create("deep-ae:8-3,loss=beta-binomial")
    assert chosen("vae", "beta-binomial", "auto", Rows(ROWS)).output == "beta-mean"
