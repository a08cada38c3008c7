"""Facts about noise on the input: as much of it as asked, of the sort asked, and undone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from encoders.errors import OptionError
from encoders.neural.corruption import CORRUPTIONS, corrupted
from encoders.neural.denoising_autoencoder import DenoisingAutoencoder
from encoders.neural.reconstruction_loss import reconstruction_error

DIGITS = (load_digits().data / 16).astype(np.float32)
GREY = torch.full((400, 100), 0.5)


def corrupted_grey(corruption: str, level: float) -> torch.Tensor:
    torch.manual_seed(0)
    return corrupted(GREY, corruption, level)


def test_gaussian_noise_has_the_level_as_its_standard_deviation():
    noise = corrupted_grey("gaussian", 0.25) - GREY
    assert float(noise.std()) == pytest.approx(0.25, rel=0.02)
    assert float(noise.mean()) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("level", [0.1, 0.5, 1.0])
def test_masking_sets_the_share_to_nothing_and_leaves_the_rest(level):
    seen = corrupted_grey("masking", level)
    assert float((seen == 0).float().mean()) == pytest.approx(level, abs=0.01)
    assert set(seen.unique().tolist()) <= {0.0, 0.5}


@pytest.mark.parametrize("level", [0.1, 0.5, 1.0])
def test_salt_and_pepper_sets_half_of_the_share_to_each(level):
    seen = corrupted_grey("salt-and-pepper", level)
    for value in (0, 1):
        assert float((seen == value).float().mean()) == pytest.approx(level / 2, abs=0.01)
    assert set(seen.unique().tolist()) <= {0.0, 0.5, 1.0}


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_no_level_no_noise_and_the_clean_items_stay_clean(corruption):
    assert torch.equal(corrupted_grey(corruption, 0), GREY)
    before = GREY.clone()
    corrupted_grey(corruption, 0.5)
    assert torch.equal(GREY, before)


@pytest.mark.parametrize("corruption", ["masking", "salt-and-pepper"])
def test_more_than_everything_cannot_be_spoilt(corruption):
    with pytest.raises(OptionError, match=f"level is the share that {corruption} corrupts, 0 to 1; got 1.5"):
        DenoisingAutoencoder((8, 3), corruption=corruption, level=1.5)
    with pytest.raises(OptionError, match="0 to 1; got 3"):
        DenoisingAutoencoder((8, 3), corruption=corruption).set_params(level=3)
    assert DenoisingAutoencoder((8, 3), corruption="gaussian", level=1.5)


@pytest.mark.parametrize("pretrain", ["none", "layerwise"])
def test_reconstruction_cleans_items_that_were_not_learnt_from(pretrain):
    encoder = DenoisingAutoencoder((64, 16), level=0.3, epochs=15, batch_size=32, pretrain=pretrain, pretrain_epochs=3)
    encoder.fit(DIGITS[:1500])
    clean = DIGITS[1500:]
    noisy = (clean + np.random.default_rng(0).normal(0, 0.3, clean.shape)).astype(np.float32)
    assert reconstruction_error(clean, encoder.reconstruct(noisy)) < 0.5 * reconstruction_error(clean, noisy)


def test_the_loss_is_measured_against_the_clean_item():
    encoder = DenoisingAutoencoder((8, 3), epochs=2, corruption="masking", level=1.0, precision="fp32").fit(DIGITS)
    mean = reconstruction_error(DIGITS, DIGITS.mean(axis=0))  # nothing is seen: the mean is the best that can be said
    assert encoder.history.validation_loss[-1] == pytest.approx(mean, rel=0.1)
