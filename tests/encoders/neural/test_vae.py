"""Facts about the variational autoencoder: Kingma & Welling; Burda, Grosse & Salakhutdinov."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from scipy.special import logsumexp
from sklearn.datasets import load_digits

from encoders.base import Encoder
from encoders.errors import BadItemError, OptionError
from encoders.neural.reconstruction_loss import ReconstructionLoss
from encoders.neural.training_rows import Rows
from encoders.neural.vae import VAE, kl_divergence
from encoders.registry import create
from retrieval.corpora.registry import open_corpus

DATA = load_digits()
DIGITS = (DATA.data[:600] / 16).astype(np.float32)
COUNTS = np.random.default_rng(0).poisson(np.repeat([[0.5, 2.0], [2.0, 0.5]], [60, 60], axis=0).repeat(15, axis=1))
COUNTS = COUNTS.astype(np.float32)
BITS = (DIGITS > 0.5).astype(np.float32)


@pytest.fixture(scope="module")
def fitted() -> VAE:
    return VAE((32, 2), epochs=15, batch_size=32, learning_rate=0.01).fit(BITS)


def untrained(samples: int = 1, **options):
    """Return an encoder and its network with first weights, ready for its objective."""
    encoder = VAE((8, 2), samples=samples, **options)
    encoder._reconstruction_loss = ReconstructionLoss("cross-entropy", "sigmoid")
    torch.manual_seed(0)
    return encoder, encoder._network(Rows(BITS))


def test_the_divergence_is_that_of_two_gaussians():
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)
    assert kl_divergence(torch.zeros(4, 3), torch.zeros(4, 3)).tolist() == [0] * 4


@pytest.mark.parametrize("samples", [1, 7])
def test_at_the_prior_only_the_reconstruction_is_left_of_the_loss(samples):
    encoder, network = untrained(samples)
    for part in (network["encoder"][-1], network["decoder"][0]):  # the posterior is the prior, the decoder deaf
        torch.nn.init.zeros_(part.weight)
        torch.nn.init.zeros_(part.bias)
    network.eval()
    batch = torch.from_numpy(BITS)
    with torch.no_grad():
        error = encoder._reconstruction_loss.value(
            network["decoder"](torch.zeros(1, 2)).repeat(len(batch), 1), batch
        ).mean()
        assert float(encoder._objective()(network, batch)) == pytest.approx(float(error), rel=1e-5)


def test_the_bound_of_more_draws_is_tighter_on_average():
    found = {}
    for samples in (1, 5, 50):
        encoder, network = untrained(samples)
        torch.nn.init.normal_(network["encoder"][-1].weight, std=0.3)  # a posterior that is far from the true one
        torch.nn.init.normal_(network["decoder"][0].weight, std=2)
        network.eval()
        torch.manual_seed(1)
        with torch.no_grad():
            found[samples] = -np.mean([float(encoder._objective()(network, torch.from_numpy(BITS))) for _ in range(5)])
    assert found[1] < found[5] < found[50]


def test_beta_weighs_the_divergence():
    losses = []
    for beta in (0.0, 1.0, 3.0):
        encoder, network = untrained(beta=beta)
        network.eval()
        torch.manual_seed(1)
        with torch.no_grad():
            losses.append(float(encoder._objective()(network, torch.from_numpy(BITS))))
    with torch.no_grad():
        whole = float(kl_divergence(*network["encoder"](torch.from_numpy(BITS)).chunk(2, dim=1)).mean())
    assert whole > 0.01
    assert [loss - losses[0] for loss in losses[1:]] == pytest.approx([whole, 3 * whole], rel=1e-3)


@pytest.mark.parametrize("variance", [1.0, 0.1])
def test_the_squared_error_is_that_of_a_gaussian(variance):
    encoder = VAE((8, 2), variance=variance)
    encoder._reconstruction_loss = ReconstructionLoss("squared", "linear")
    means, items = torch.randn(5, 64), torch.randn(5, 64)
    expected = -torch.distributions.Normal(means, variance**0.5).log_prob(items).sum(dim=1)
    torch.testing.assert_close(encoder._likelihood_loss(means, items), expected, atol=1e-3, rtol=1e-4)


def test_the_loss_of_counts_is_that_of_all_words_of_the_document():
    encoder = VAE((8, 2))
    encoder._reconstruction_loss = ReconstructionLoss("counts", "softmax")
    logits, counts = torch.randn(len(COUNTS), COUNTS.shape[1]), torch.from_numpy(COUNTS)
    coefficient = torch.lgamma(counts.sum(dim=1) + 1) - torch.lgamma(counts + 1).sum(dim=1)
    expected = [
        coefficient[row] - torch.distributions.Multinomial(int(counts[row].sum()), logits=logits[row]).log_prob(counts[row])
        for row in range(len(counts))
    ]  # fmt: skip
    found = encoder._likelihood_loss(logits, counts.sqrt())
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-2, rtol=1e-4)


#: What a loss reads, and the log-density of an item given what the decoder's last map gives.
SIDES = {
    "counts": (csr_array(COUNTS), lambda logits, item: (item * (logits - logsumexp(logits))).sum()),
    "cross-entropy": (BITS, lambda logits, item: -np.logaddexp(0, np.where(item > 0, -logits, logits)).sum()),
    "squared": (
        DIGITS - 1,
        lambda logits, item: -(np.square(logits - item) + math.log(2 * math.pi)).sum() / 2,
    ),
}


@pytest.mark.parametrize("loss", SIDES)
def test_the_bound_is_what_a_plain_computation_gives_and_what_training_reports(loss):
    rows, log_density = SIDES[loss]
    encoder = VAE((16, 3), loss=loss, epochs=6, batch_size=20, learning_rate=0.01, validation=0.0, precision="fp32")
    encoder.fit(rows)
    items = (rows.toarray() if loss == "counts" else rows)[:40]
    seen = np.sqrt(100 * items / items.sum(axis=1, keepdims=True)) if loss == "counts" else items
    mean, log_variance = np.split(plain_network(encoder.encoder, seen), 2, axis=1)
    noise = np.random.default_rng(1).standard_normal((200, *mean.shape))
    expected = np.empty(len(items))
    for row, item in enumerate(items):
        logits = plain_network(encoder.decoder, mean[row] + noise[:, row] * np.exp(log_variance[row] / 2))
        terms = mean[row] ** 2 + np.exp(log_variance[row]) - 1 - log_variance[row]
        expected[row] = np.mean([log_density(one, item) for one in logits]) - terms.sum() / 2
    found = encoder.elbo(rows, draws=200)
    np.testing.assert_allclose(found[:40], expected, atol=1)
    assert found[:40].mean() == pytest.approx(expected.mean(), abs=0.2)
    reported = -min(encoder.history.validation_loss)  # of one draw for each
    assert found.mean() == pytest.approx(reported, abs=0.5)
    assert encoder.loss_unit == "nats per item, minus the ELBO"


def plain_network(layers, rows) -> np.ndarray:
    """Return what layers make of rows, before the activation that ends them."""
    rows = np.asarray(rows, dtype=np.float64)
    for layer in layers[:-1]:
        rows = rows @ layer.weight.T.astype(np.float64) + layer.bias
        rows = rows / (1 + np.exp(-rows))  # silu
    return rows @ layers[-1].weight.T.astype(np.float64) + layers[-1].bias


def test_components_are_in_use_on_real_documents():
    documents = [str(item.content) for item in islice(open_corpus("api-docs"), 600)]
    counts = create("bow:300,stop=english").fit_encode(documents)
    encoder = VAE((32, 6), epochs=8, batch_size=50, learning_rate=0.01).fit(counts)
    in_use = encoder.posterior(counts)[0].var(axis=0) > 0.01  # Burda et al. 2016, section 5
    assert in_use.sum() >= 3
    unigrams = np.asarray(counts.sum(axis=0)).ravel() + 1e-9
    alone = counts @ np.log(unigrams / unigrams.sum())
    assert encoder.elbo(counts, draws=5).mean() > alone.mean() + 1  # the code is worth more nats than it costs


def test_a_longer_document_weighs_more_and_is_encoded_alike():
    encoder = VAE((16, 3), epochs=3, batch_size=20).fit(csr_array(COUNTS))
    short, long = csr_array(COUNTS[:9]), csr_array(7 * COUNTS[:9])
    np.testing.assert_allclose(encoder.encode(long), encoder.encode(short), atol=1e-5)
    words = np.asarray(short.sum(axis=1)).ravel()
    lost = (encoder.elbo(short) - encoder.elbo(long)) / words  # the KL divergence counts once
    assert (lost > 6).all()  # nats, of six times the words at more than one each


def by_grid(decode, items) -> np.ndarray:
    """Return log p(x), the integral of p(x | z) p(z) over the plane summed up on a grid."""
    step = 0.05
    axis = np.arange(-6, 6, step) + step / 2
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2).astype(np.float32)
    shares = np.clip(decode(grid).astype(np.float64), 1e-12, 1 - 1e-7)
    prior = -(grid.astype(np.float64) ** 2).sum(axis=1) / 2 - math.log(2 * math.pi) + 2 * math.log(step)
    on, off = np.log(shares), np.log1p(-shares)
    return np.array([logsumexp(prior + on @ item + off @ (1 - item)) for item in items.astype(np.float64)])


def test_the_likelihood_is_the_integral_over_all_codes(fitted):
    expected = by_grid(fitted.decode, BITS[:8])
    np.testing.assert_allclose(fitted.log_likelihood(BITS[:8], draws=20_000), expected, atol=0.05)


def test_the_bound_of_very_many_draws_is_the_likelihood():
    encoder, network = untrained(samples=20_000)
    with torch.no_grad():
        network["encoder"][-1].bias[2:] = -1  # a posterior narrower than the prior
    network.eval()

    def decode(codes):
        with torch.no_grad():
            return network["decoder"](torch.from_numpy(codes)).sigmoid().numpy()

    with torch.no_grad():
        bound = -float(encoder._objective()(network, torch.from_numpy(BITS[:4])))
    assert bound == pytest.approx(by_grid(decode, BITS[:4]).mean(), abs=0.05)


def test_the_bound_that_is_trained_lies_below_the_likelihood(fitted):
    bound = -fitted.history.validation_loss[fitted.history.best_epoch]
    assert bound < fitted.log_likelihood(BITS[:200], draws=500).mean() < 0
    assert bound > -64 * math.log(2)  # that of a coin for each pixel


def test_the_likelihood_prefers_digits_to_noise(fitted):
    noise = (np.random.default_rng(0).random((20, 64)) < BITS.mean()).astype(np.float32)
    assert fitted.log_likelihood(BITS[:20], 500).mean() > fitted.log_likelihood(noise, 500).mean() + 5


def test_draws_of_the_prior_decode_into_the_range_of_the_data(fitted):
    codes = np.random.default_rng(0).standard_normal((50, 2)).astype(np.float32)
    drawn = fitted.decode(codes)
    assert drawn.shape == (50, 64)
    assert 0 <= drawn.min() < drawn.max() <= 1
    pictures = (DATA.images[:200] * 255 / 16).astype(np.uint8)
    encoder = create("pixels+vae:16-2,epochs=2").fit(pictures)
    assert encoder.has_prior
    assert (encoder.decode(codes).dtype, encoder.decode(codes).shape) == (np.uint8, (50, 8, 8))


def test_codes_of_the_data_together_look_like_the_prior(fitted):
    mean, log_variance = fitted.posterior(BITS)
    np.testing.assert_array_equal(fitted.encode(BITS), mean)
    np.testing.assert_allclose(mean.mean(axis=0), 0, atol=0.3)
    np.testing.assert_allclose((np.exp(log_variance) + mean**2).mean(axis=0), 1, atol=0.5)


@pytest.mark.parametrize("loss", ["squared", "counts"])
def test_a_decoder_without_a_bernoulli_likelihood_gives_none(loss, tmp_path):
    encoder = VAE((8, 2), epochs=1, loss=loss).fit(BITS)
    for one in (encoder, Encoder.load(encoder.save(tmp_path / "encoder"))):
        with pytest.raises(
            OptionError, match=f"likelihood needs loss=cross-entropy; this encoder was trained with {loss}"
        ):
            one.log_likelihood(BITS[:2])


def test_a_loaded_one_estimates_the_same_likelihood(fitted, tmp_path):
    loaded = Encoder.load(fitted.save(tmp_path / "encoder"))
    np.testing.assert_allclose(loaded.log_likelihood(BITS[:3], 100), fitted.log_likelihood(BITS[:3], 100), rtol=1e-5)


def test_the_likelihood_is_one_of_binary_items(fitted):
    with pytest.raises(BadItemError, match="each number 0 or 1"):
        fitted.log_likelihood(DIGITS[:2])


def test_options_that_exclude_each_other_are_refused_whenever_they_are_set():
    with pytest.raises(OptionError, match="has no beta"):
        VAE(samples=5, beta=2.0)
    with pytest.raises(OptionError, match="leave pretrain out"):
        VAE(pretrain="layerwise")
    encoder = VAE(samples=5)
    with pytest.raises(OptionError, match="has no beta"):
        encoder.set_params(beta=2.0)
    assert (encoder.beta, encoder.samples) == (1.0, 5)
