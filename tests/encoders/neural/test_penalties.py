"""Facts about tied weights, sparse codes and the contractive penalty."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from encoders.base import Encoder
from encoders.neural.checkpoint import FILE
from encoders.neural.deep_autoencoder import DeepAutoencoder, jacobian_norm, kl_sparsity, relative_l1
from encoders.neural.layers import forward
from encoders.neural.networks import folded, mlp
from encoders.registry import create

DIGITS = (load_digits().data[:600] / 16).astype(np.float32)


def count(module) -> int:
    return sum(part.numel() for part in module.parameters())


def test_a_tied_decoder_has_no_weights_of_its_own():
    encoder = mlp((64, 20, 5), "silu", "none")
    decoder = mlp((5, 20, 64), "silu", "none", encoder)
    assert count(decoder) == 20 + 64  # the biases
    assert all("weight" not in name for name in decoder.state_dict())
    both = torch.nn.ModuleList([encoder, decoder])
    assert count(both) == count(encoder) + 20 + 64
    for down, up in zip([part for part in encoder if hasattr(part, "bias")], [decoder[2], decoder[0]], strict=True):
        assert up.weight.data_ptr() == down.weight.data_ptr()


@pytest.mark.parametrize("pretrain", ["none", "layerwise"])
def test_after_training_the_tied_decoder_holds_the_encoders_weights_transposed(pretrain):
    encoder = DeepAutoencoder((20, 5), tied=True, norm="none", epochs=4, pretrain=pretrain, pretrain_epochs=2)
    encoder.fit(DIGITS)
    for down, up in zip(encoder.encoder, encoder.decoder[::-1], strict=True):
        np.testing.assert_array_equal(up.weight, down.weight.T)
    loose = DeepAutoencoder((20, 5), norm="none", epochs=4).fit(DIGITS)
    assert np.abs(loose.decoder[0].weight - loose.encoder[1].weight.T).max() > 0.01


def test_tied_weights_are_written_once_into_a_checkpoint(tmp_path):
    from safetensors import safe_open

    DeepAutoencoder((20, 5), tied=True, norm="none", epochs=1).fit(DIGITS, work=tmp_path)
    with safe_open(tmp_path / "training" / FILE, framework="pt") as file:
        kept = {key: file.get_slice(key).get_shape() for key in file.keys() if key.startswith("network.")}  # noqa: SIM118
    assert sum(len(shape) == 2 for shape in kept.values()) == 2


def test_tied_layers_folded_with_batch_normalisation_answer_as_the_network_does():
    torch.manual_seed(0)
    encoder = mlp((64, 30, 20, 6), "silu", "batch")
    decoder = mlp((6, 20, 30, 64), "silu", "batch", encoder)
    rows = torch.from_numpy(DIGITS)
    for _ in range(5):
        decoder(encoder(rows))  # batch normalisation gathers its statistics
    for part in decoder:
        if isinstance(part, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(part.weight, 0.5, 2)
            torch.nn.init.uniform_(part.bias, -1, 1)
    encoder.eval(), decoder.eval()
    with torch.no_grad():
        code = encoder(rows)
        expected = decoder(code).numpy()
    np.testing.assert_allclose(forward(folded(decoder), code.numpy()), expected, atol=1e-4)


def test_a_mean_at_the_target_costs_nothing_and_any_other_something():
    means = torch.tensor([0.05, 0.05, 0.05])
    assert float(kl_sparsity(means, 0.05)) == pytest.approx(0, abs=1e-6)
    costs = [float(kl_sparsity(torch.tensor([mean]), 0.2)) for mean in (0.2, 0.3, 0.5, 0.9, 1.0)]
    assert costs == sorted(costs)
    assert costs[1] == pytest.approx(0.2 * np.log(0.2 / 0.3) + 0.8 * np.log(0.8 / 0.7), rel=1e-4)
    assert np.isfinite(costs[-1])


def test_the_relative_size_is_one_where_constant_small_where_sparse_whatever_the_scale():
    constant, sparse = torch.full((100, 3), -2.0), torch.zeros(100, 3)
    sparse[0] = 5.0
    assert float(relative_l1(constant)) == pytest.approx(3, rel=1e-4)  # 1 for each component
    assert float(relative_l1(sparse)) == pytest.approx(3 * 0.1, rel=1e-4)  # 1 / sqrt(100)
    code = torch.rand(100, 3)
    assert float(relative_l1(1000 * code)) == pytest.approx(float(relative_l1(code)), rel=1e-4)
    assert float(relative_l1(torch.zeros(10, 3))) == 0


def test_kl_draws_the_mean_activation_to_the_target():
    free = DeepAutoencoder((32, 12), epochs=20, batch_size=64, sparsity="kl", sparsity_weight=0.0, target=0.1)
    bound = DeepAutoencoder((32, 12), epochs=20, batch_size=64, sparsity="kl", sparsity_weight=5.0, target=0.1)
    apart = [np.abs(encoder.fit(DIGITS).encode(DIGITS).mean(axis=0) - 0.1).mean() for encoder in (free, bound)]
    assert apart[1] < 0.05 < 0.5 * apart[0]
    codes = bound.encode(DIGITS)
    assert 0 <= codes.min() < codes.max() <= 1


def test_l1_makes_codes_with_more_zeros():
    zeros = {}
    for weight in (0.0, 1.0):
        encoder = DeepAutoencoder((32, 12), epochs=20, batch_size=64, sparsity="l1", sparsity_weight=weight)
        zeros[weight] = (encoder.fit(DIGITS).encode(DIGITS) == 0).mean()
    assert zeros[1.0] > zeros[0.0] + 0.1


def mean_estimate(network, rows, draws: int) -> float:
    rows = rows.clone().requires_grad_()
    torch.manual_seed(0)
    return float(np.mean([jacobian_norm(rows, network(rows)).item() for _ in range(draws)]))


def test_the_jacobian_of_a_linear_map_has_the_norm_of_its_matrix():
    torch.manual_seed(0)
    network = torch.nn.Linear(20, 6)
    expected = float(network.weight.detach().square().sum())
    assert mean_estimate(network, torch.randn(50, 20), 400) == pytest.approx(expected, rel=0.02)


def test_the_jacobian_of_a_network_is_estimated_without_bias():
    torch.manual_seed(0)
    network, rows = mlp((20, 16, 4), "tanh", "none"), torch.randn(8, 20)
    exact = torch.stack([torch.autograd.functional.jacobian(lambda row: network(row[None])[0], row) for row in rows])
    expected = float(exact.square().sum(dim=(1, 2)).mean())
    assert mean_estimate(network, rows, 4000) == pytest.approx(expected, rel=0.03)


def test_under_batch_normalisation_other_rows_of_a_large_batch_hardly_count():
    torch.manual_seed(0)
    network, rows = mlp((20, 16, 4), "silu", "batch").train(), torch.randn(128, 20)
    whole = torch.autograd.functional.jacobian(network, rows)  # (row, code, row, input)
    own = float(torch.stack([whole[row, :, row] for row in range(128)]).square().sum() / 128)
    assert mean_estimate(network, rows, 300) == pytest.approx(own, rel=0.05)


def test_the_penalty_makes_codes_bear_changes_of_the_input():
    moved = {}
    nudge = np.random.default_rng(0).normal(0, 0.01, DIGITS.shape).astype(np.float32)
    for weight in (0.0, 1.0):
        encoder = DeepAutoencoder((32, 8), epochs=10, batch_size=64, contractive=weight).fit(DIGITS)
        moved[weight] = np.abs(encoder.encode(DIGITS + nudge) - encoder.encode(DIGITS)).mean()
    assert moved[1.0] < 0.5 * moved[0.0]


@pytest.mark.parametrize(
    "options", ["tied=true", "sparsity=kl", "sparsity=l1", "contractive=0.1", "noise=0.3,dropout=0.2"]
)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_each_is_loaded_as_it_was_saved(options, precision, tmp_path):
    encoder = create(f"deep-ae:16-4,epochs=2,{options},precision={precision}").fit(DIGITS)
    loaded = Encoder.load(encoder.save(tmp_path / "encoder"))
    codes = encoder.encode(DIGITS)
    np.testing.assert_allclose(loaded.encode(DIGITS), codes, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(loaded.decode(codes), encoder.decode(codes), rtol=2e-6, atol=1e-6)


def test_noise_is_added_to_the_code_that_is_decoded_in_training_only():
    encoder = DeepAutoencoder((64,), noise=0.5, norm="none")
    network = torch.nn.ModuleDict({"encoder": torch.nn.Identity(), "decoder": torch.nn.Identity()})
    rows = torch.from_numpy(DIGITS)
    code, decoded = encoder._reconstructed(network.train(), rows)
    assert torch.equal(code, rows)
    assert float((decoded - code).std()) == pytest.approx(0.5, abs=0.02)
    assert torch.equal(encoder._reconstructed(network.eval(), rows)[1], rows)
