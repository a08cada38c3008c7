"""Facts about greedy layer-wise pretraining, by autoencoders and by restricted Boltzmann machines."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from encoders.errors import OptionError
from encoders.neural.networks import blocks, mlp
from encoders.neural.pretraining import _contrastive, layerwise
from encoders.neural.reconstruction_loss import ReconstructionLoss, chosen
from encoders.neural.training_rows import Rows
from encoders.registry import create

DIGITS = (load_digits().data / 16).astype(np.float32)
ROWS = Rows(DIGITS)
SIGMOID = "activation=sigmoid,norm=none"


def begun(spec: str):
    """Return an encoder and its network with first weights, before anything is trained."""
    encoder = create(spec)
    encoder._reconstruction_loss = chosen(encoder.name, encoder.loss, encoder.output, ROWS, encoder._bounded_loss())
    torch.manual_seed(0)
    return encoder, encoder._network(ROWS)


def loss_of(encoder, network) -> float:
    network.eval()
    with torch.no_grad():
        return float(encoder._objective()(network, torch.from_numpy(DIGITS)))


@pytest.mark.parametrize(
    "spec",
    ["deep-ae:48-24-8,pretrain=layerwise", "deep-ae:48-24-8,pretrain=layerwise,tied=true",
     f"deep-ae:48-24-8,pretrain=rbm,{SIGMOID},learning-rate=0.02,tied=true",
     f"deep-ae:48-24-8,pretrain=rbm,{SIGMOID},learning-rate=0.02", "denoising-ae:48-24-8,pretrain=layerwise,level=0.1"],
)  # fmt: skip
def test_the_whole_starts_from_a_lower_loss(spec):
    encoder, network = begun(f"{spec},pretrain-epochs=8,batch-size=64,precision=fp32")
    before = loss_of(encoder, network)
    parts = list(network.modules())
    encoder._pretrain(network, ROWS, None)
    assert loss_of(encoder, network) < 0.8 * before
    assert all(now is then for now, then in zip(network.modules(), parts, strict=True))  # the same modules, no copies
    assert list(encoder.phases) == ["layer-1", "layer-2", "layer-3"]


def test_each_layer_learns_from_the_codes_of_the_trained_ones_below():
    torch.manual_seed(0)
    down, up = mlp((64, 20, 5), "silu", "batch"), mlp((5, 20, 64), "silu", "batch")
    pairs = list(zip(blocks(down), blocks(up)[::-1], strict=True))
    seen = []

    def train(layer, loss, rows, number, rate=1.0):
        seen.append((number, rows, [part for pair in layer for part in pair]))
        with torch.no_grad():
            layer[0][0].bias += number  # stands for training

    layerwise(pairs, ROWS, ReconstructionLoss("squared", "sigmoid"), lambda batch, training: batch, train)
    assert [number for number, _, _ in seen] == [1, 2]
    assert seen[0][1] is ROWS
    with torch.no_grad():
        np.testing.assert_array_equal(seen[1][1].matrix, down[:3](torch.from_numpy(DIGITS)).numpy())
    assert [parts[0] for _, _, parts in seen] == [down[0], down[3]]
    assert seen[0][2][-1] is up[-1]


def test_the_blocks_of_a_network_are_its_own_modules():
    network = mlp((8, 6, 4, 2), "relu", "batch")
    found = blocks(network)
    assert [len(block) for block in found] == [3, 3, 1]
    assert [part for block in found for part in block] == list(network)
    tied = mlp((2, 4, 6, 8), "relu", "batch", network)
    assert [part for block in blocks(tied) for part in block] == list(tied)


def machine(seed: int = 0):
    torch.manual_seed(seed)
    parameters = [torch.nn.Parameter(torch.randn(*shape) / 4) for shape in ((12, 64), (12,), (64,))]
    return torch.nn.ParameterList(parameters).train()


@pytest.mark.parametrize("gaussian", [False, True])
def test_the_gradient_is_the_update_of_contrastive_divergence(gaussian):
    one, batch = machine(), torch.from_numpy(DIGITS[:50])
    torch.manual_seed(7)
    _contrastive(gaussian)(one, batch).backward()
    weight, hidden_bias, visible_bias = (part.detach() for part in one)

    def hidden_mean(visible):
        into = visible @ weight.T + hidden_bias
        return into if gaussian else into.sigmoid()

    torch.manual_seed(7)
    first = hidden_mean(batch)
    sample = first + torch.randn_like(first) if gaussian else torch.bernoulli(first)
    seen = (sample @ weight + visible_bias).sigmoid()
    second = hidden_mean(seen)
    count = len(batch)
    updates = [  # <v h> of the data less that of the model, and the same of either alone
        (first.T @ batch - second.T @ seen) / count,
        (first - second).mean(dim=0),
        (batch - seen).mean(dim=0),
    ]
    for part, update in zip(one, updates, strict=True):
        torch.testing.assert_close(-part.grad, update, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sizes", ["32-8", "32-16-8"])
def test_machines_reconstruct_better_and_better(sizes):
    encoder = create(
        f"deep-ae:{sizes},pretrain=rbm,{SIGMOID},pretrain-epochs=10,epochs=1,learning-rate=0.02,batch-size=64"
    )
    encoder.fit(DIGITS)
    for phase in list(encoder.phases)[:-1]:
        errors = encoder.phases[phase].validation_loss
        assert errors[-1] < 0.8 * errors[0]


def test_pretrained_weights_go_both_ways():
    encoder, network = begun(f"deep-ae:20-6,pretrain=rbm,{SIGMOID},pretrain-epochs=1")
    encoder._pretrain(network, ROWS, None)
    for down, up in encoder._layer_pairs(network):
        torch.testing.assert_close(up[0].weight, down[0].weight.T)


@pytest.mark.parametrize(
    ("spec", "gaussian"),
    [("deep-ae:20-6", True), ("deep-ae:20-6,sparsity=kl", False), ("semantic-hash:6,hidden=20", False),
     ("pretrained-dnn:20-6", False)],
)  # fmt: skip
def test_the_units_of_the_code_are_gaussian_unless_they_are_bits(spec, gaussian, monkeypatch):
    from encoders.neural import pretraining

    asked = []
    monkeypatch.setattr(pretraining, "_contrastive", lambda gaussian: asked.append(gaussian) or _contrastive(gaussian))
    encoder, network = begun(f"{spec},pretrain=rbm,{SIGMOID},pretrain-epochs=1")
    encoder._pretrain(network, ROWS, None)
    assert asked == [False, gaussian]


@pytest.mark.parametrize("options", ["", ",activation=sigmoid", ",norm=none", ",activation=tanh,norm=none"])
@pytest.mark.parametrize("spec", ["deep-ae:20-6", "semantic-hash:6,hidden=20", "pretrained-dnn:20-6"])
def test_machines_of_other_than_sigmoid_units_are_refused(spec, options):
    with pytest.raises(OptionError, match="pretrain=rbm trains sigmoid units: add activation=sigmoid,norm=none"):
        create(f"{spec},pretrain=rbm{options}").fit(DIGITS, list("ab") * 898 + ["a"])


def test_machines_for_values_that_are_no_probabilities_are_refused():
    with pytest.raises(OptionError, match=r"needs values in \[0, 1\], found 0 to 16"):
        create(f"deep-ae:20-6,pretrain=rbm,{SIGMOID}").fit(16 * DIGITS)
    with pytest.raises(OptionError, match="needs a sigmoid output, the decoder has linear: leave output out"):
        create(f"deep-ae:20-6,pretrain=rbm,{SIGMOID},output=linear").fit(DIGITS)
