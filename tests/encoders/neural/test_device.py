"""Training and answers on a device other than the CPU, as far as a machine without one can tell."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from encoders import torch_device
from encoders.errors import OptionError
from encoders.neural import training
from encoders.neural.encoder import NeuralEncoder
from encoders.neural.players import as_game
from encoders.registry import ENCODERS, create, encoder_class
from encoders.torch_device import device_of, moved, on_device, training_type

ROWS = np.random.default_rng(0).random((16, 12)).astype(np.float32)
PICTURES = np.random.default_rng(1).integers(0, 256, (16, 8, 8), dtype=np.uint8)
LABELS = list("ab" * 8)
#: Every network, and options that add terms to its loss. What tsdae computes is not ours, and needs real values.
SPECS = [
    "deep-ae:6-3",
    "deep-ae:6-3,noise=0.1,tied=true",
    "denoising-ae:6-3",
    "denoising-ae:6-3,corruption=masking",
    "vae:6-3",
    "vae:6-3,loss=squared",
    "pixels+vae:6-3,loss=beta-binomial",
    "semantic-hash:8,hidden=6",
    "pretrained-dnn:6-4,pretrain=none",
    "linear-ae:3",
    "pixels+conv-ae:3,channels=4-4",
    "pixels+conv-ae:3,channels=4-4,up=index",
    "pixels+unet-ae:3,channels=4-4",
    "pixels+fpn-ae:3,channels=4-4",
    "deep-infomax:3,hidden=8,global-weight=1,prior-weight=1",
    "deep-infomax:3,hidden=8,estimator=jsd",
    "pixels+deep-infomax:3,hidden=8,channels=4-4",
    "gan:3,hidden=8",
    "gan:3,hidden=8,regularization=spectral,cycle=1",
    "pixels+gan:3,hidden=8,channels=4-4",
    "disentangle:3,hidden=8,nuisance-components=2",
    "disentangle:3,hidden=8,nuisance-components=2,adversary=reversal",
    "pixels+disentangle:3,hidden=8,channels=4-4,nuisance-components=2,normalize=bands",
]


class Caught(Exception):
    """Ends a fit when its training would begin."""


def items(spec: str):
    return PICTURES if spec.startswith("pixels") else ROWS


def begun(spec: str, monkeypatch):
    """Return network, game and a mini-batch with which the training of an encoder would begin."""
    begun = []

    def caught(network, loss, rows, *others):
        begun.append((network, as_game(loss), rows.take(torch.arange(8))))
        raise Caught

    monkeypatch.setattr(training, "train", caught)
    with pytest.raises(Caught):
        create(spec).fit(items(spec), LABELS)
    return begun[0]


def test_every_network_is_tried():
    trained = {name for name in ENCODERS if issubclass(encoder_class(name), NeuralEncoder)}
    assert trained - {"tsdae"} == {spec.rpartition("+")[2].partition(":")[0] for spec in SPECS}


# Tensors of the device "meta" have no values, but torch refuses to mix them with those of the CPU, as it does on a GPU.
@pytest.mark.parametrize("spec", SPECS)
def test_every_loss_is_computed_on_the_device_of_the_network(spec, monkeypatch):
    network, game, batch = begun(spec, monkeypatch)
    network.to("meta")
    elsewhere = tuple(part.to("meta") for part in batch) if isinstance(batch, tuple) else batch.to("meta")
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # meta has none
    for player in game.players:
        for is_training in (True, False):
            network.train(is_training)
            network.zero_grad(set_to_none=True)
            with on_device("meta"):
                with torch.no_grad():
                    inputs = elsewhere if player.inputs is None else player.inputs(network, elsewhere)
                loss = player.loss(network, inputs)
            assert loss.device.type == "meta", player.name
            loss.backward()
            gradients = [parameter.grad for parameter in player.parameters(network) if parameter.grad is not None]
            assert gradients
            assert {gradient.device.type for gradient in gradients} == {"meta"}


def test_a_tensor_of_another_device_is_noticed():
    network = torch.nn.Linear(3, 2).to("meta")
    with pytest.raises(RuntimeError):
        network(torch.zeros(1, 3))
    with on_device("meta"):
        assert torch.zeros(1).device.type == "meta"


@pytest.mark.parametrize("spec", ["deep-ae:6-3,epochs=2", "pixels+conv-ae:3,channels=4,epochs=2", "gan:3,epochs=2"])
def test_codes_on_the_cpu_do_not_depend_on_the_option(spec, monkeypatch):
    monkeypatch.setattr(torch_device, "is_available", lambda device: device == "cpu")
    codes = [create(f"{spec}{ending}").fit(items(spec)).encode(items(spec)) for ending in ("", ",device=cpu")]
    np.testing.assert_array_equal(*codes)


@pytest.mark.parametrize("name", ["deep-ae:6-3", "gan:3"])
def test_a_device_that_is_not_there_is_refused_before_training(name, monkeypatch):
    monkeypatch.setattr(torch_device, "is_available", lambda device: device == "cpu")
    with pytest.raises(OptionError, match=r"device=cuda.*leave device out"):
        create(f"{name},device=cuda").fit(ROWS)
    with pytest.raises(OptionError, match=r"device.*auto, cpu, cuda"):
        create(f"{name},device=gpu")


def test_an_encoder_fitted_on_a_gpu_answers_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_device, "is_available", lambda device: device == "cpu")
    fitted = create("gan:3,epochs=2,device=cpu").fit(ROWS)
    codes = fitted.encode(ROWS)
    fitted.device = "cuda"
    fitted.save(tmp_path / "saved")
    again = type(fitted).load(tmp_path / "saved")
    assert again.device == "cuda"
    np.testing.assert_array_equal(again.encode(ROWS), codes)


def test_auto_takes_cuda_and_its_number_format(monkeypatch):
    monkeypatch.setattr(torch_device, "is_available", lambda device: device == "cuda")
    assert device_of("deep-ae", "auto") == "cuda"
    for supported, kind in ((True, torch.bfloat16), (False, torch.float16)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, found=supported: found)
        assert training_type("auto", "cuda") is kind
    assert training_type("fp32", "cuda") is None
    assert training_type("auto", "mps") is None


def test_batches_of_every_form_are_moved(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device, non_blocking: (device, non_blocking))
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    one = torch.zeros(2)
    assert moved(one, "mps") == ("mps", False)
    assert moved((one, {"ids": one}), "cuda") == (("cuda", True), {"ids": ("cuda", True)})
    assert moved((one,), "cpu")[0] is one
