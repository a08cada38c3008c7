"""Facts about semantic hashing: bits learnt as such."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.datasets import load_digits

from encoders.base import Encoder
from encoders.codes import Kind, Metric
from encoders.errors import OptionError
from encoders.neural.reconstruction_loss import ReconstructionLoss, reconstruction_error
from encoders.neural.semantic_hash import SemanticHash
from encoders.registry import create

DATA = load_digits()
DIGITS = (DATA.data / 16).astype(np.float32)
TRAIN, TEST = DIGITS[:1400], DIGITS[1400:]


@pytest.fixture(scope="module", params=["noise", "straight-through"])
def fitted(request) -> SemanticHash:
    return SemanticHash(32, hidden=(64,), learn=request.param, epochs=15, batch_size=64).fit(TRAIN)


def bits(encoder: SemanticHash, items) -> np.ndarray:
    return np.unpackbits(encoder.encode(items), axis=1, count=encoder.bits)


def test_each_bit_is_one_for_about_half_of_the_items(fitted):
    shares = bits(fitted, TEST).mean(axis=0)
    assert shares.mean() == pytest.approx(0.5, abs=0.05)
    assert shares.min() > 0.2
    assert shares.max() < 0.8


def test_similar_items_lie_nearer_than_any(fitted):
    found, labels = bits(fitted, TEST).astype(int), DATA.target[1400:]
    apart = np.abs(found[:, None] - found[None]).sum(axis=2)
    same = labels[:, None] == labels[None]
    assert apart[same].mean() < 0.75 * apart[~same].mean()
    near = np.square(TEST[:, None] - TEST[None]).sum(axis=2)  # nearest by pixels, nearer by bits
    np.fill_diagonal(near, np.inf)
    assert apart[np.arange(len(TEST)), near.argmin(axis=1)].mean() < 0.5 * apart.mean()


def test_bits_alone_reconstruct_better_than_the_mean(fitted):
    decoded = fitted.decode(fitted.encode(TEST))
    assert reconstruction_error(TEST, decoded) < 0.75 * reconstruction_error(TEST, TRAIN.mean(axis=0))


def test_the_loss_is_measured_on_bits(fitted):
    losses = fitted.history.validation_loss
    assert losses[-1] < 0.9 * losses[0]
    error = reconstruction_error(TRAIN, fitted.decode(fitted.encode(TRAIN)))
    assert losses[fitted.history.best_epoch] == pytest.approx(error, rel=0.25)


def parts(learn: str):
    """Return an encoder, its network with first weights in training, and a batch."""
    from encoders.neural.training_rows import Rows

    encoder = SemanticHash(8, hidden=(16,), learn=learn)
    encoder._reconstruction_loss = ReconstructionLoss("squared", "sigmoid")
    torch.manual_seed(0)
    return encoder, encoder._network(Rows(DIGITS)).train(), torch.from_numpy(DIGITS[:64])


def test_straight_through_rounds_forward_and_passes_the_gradient_of_the_sigmoid_back():
    encoder, network, batch = parts("straight-through")
    code, _ = encoder._reconstructed(network, batch)
    assert set(code.detach().round(decimals=5).unique().tolist()) == {0.0, 1.0}
    logits = torch.randn(5, 8, requires_grad=True)
    network["encoder"] = torch.nn.Identity()
    network["decoder"] = torch.nn.Identity()
    code, _ = encoder._reconstructed(network, logits)
    pull = torch.randn(5, 8)
    (found,) = torch.autograd.grad((code * pull).sum(), logits)
    soft = logits.sigmoid()
    torch.testing.assert_close(found, pull * soft * (1 - soft))


def test_noise_leaves_soft_codes_in_training_and_none_where_it_is_measured():
    encoder, network, batch = parts("noise")
    assert 0 < encoder._reconstructed(network, batch)[0].min().item() < 0.5
    network.eval()
    once, again = (encoder._reconstructed(network, batch)[0] for _ in range(2))
    assert torch.equal(once, again)
    assert set(once.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_stored_bits_are_those_of_the_network(norm, monkeypatch):
    kept = []
    keep = SemanticHash._store
    monkeypatch.setattr(SemanticHash, "_store", lambda self, network: kept.append(network) or keep(self, network))
    encoder = SemanticHash(20, hidden=(32,), norm=norm, epochs=3).fit(TRAIN)
    with torch.no_grad():
        logits = kept[0]["encoder"](torch.from_numpy(TEST)).numpy()
    sure = np.abs(logits) > 1e-3  # nearer to 0 the last digit of folded layers decides
    np.testing.assert_array_equal(bits(encoder, TEST)[sure], (logits > 0)[sure])
    assert sure.mean() > 0.99


@pytest.mark.parametrize(("count", "width"), [(28, 4), (32, 4), (64, 8), (9, 2)])
def test_bits_are_packed_into_bytes(count, width):
    encoder = SemanticHash(count, hidden=(16,), epochs=1).fit(TRAIN)
    assert (encoder.space.dim, encoder.space.kind, encoder.space.metric) == (count, Kind.BINARY, Metric.HAMMING)
    assert encoder.encode(TEST).shape == (len(TEST), width)
    padding = np.unpackbits(encoder.encode(TEST), axis=1)[:, count:]
    assert not padding.any()


def test_word_counts_are_hashed_and_read_back_as_shares(tmp_path):
    counts = csr_array(np.random.default_rng(0).poisson(0.5, (200, 30)).astype(np.float32))
    encoder = SemanticHash(16, hidden=(16,), epochs=2).fit(counts)
    loaded = Encoder.load(encoder.save(tmp_path / "encoder"))
    np.testing.assert_array_equal(loaded.encode(counts), encoder.encode(counts))
    np.testing.assert_allclose(loaded.decode(encoder.encode(counts)).sum(axis=1), 1, atol=1e-5)


def test_bits_are_compared_in_no_other_way():
    with pytest.raises(OptionError, match="compared by Hamming distance, not by cosine: leave metric out"):
        create("semantic-hash:32,metric=cosine")
