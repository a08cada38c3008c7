"""Facts about training in phases: killed in any of them it goes on, ends the same, and tells what happened."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError
from sklearn.datasets import load_digits

from encoders.base import Encoder
from encoders.errors import ArtifactError, TrainingError
from encoders.neural import training
from encoders.neural.checkpoint import FILE, read_checkpoint
from encoders.neural.training import History, TrainingConfig, train
from encoders.neural.training_rows import Rows
from encoders.registry import create

DATA = load_digits()
DIGITS = (DATA.data[:200] / 16).astype(np.float32)
PICTURES = (DATA.images[:200] * 255 / 16).astype(np.uint8)
LABELS = [str(label) if place % 2 else None for place, label in enumerate(DATA.target[:200])]
SIGMOID = "activation=sigmoid,norm=none"
#: Two layers of two epochs each, then three epochs of the whole: seven checkpoints.
PHASED = [
    "deep-ae:9-4,pretrain=layerwise",
    "deep-ae:9-4,pretrain=layerwise,tied=true,corruption=masking",
    f"deep-ae:9-4,pretrain=rbm,{SIGMOID}",
    "denoising-ae:9-4,pretrain=layerwise",
    "semantic-hash:8,hidden=9,pretrain=layerwise,learn=straight-through",
    "pretrained-dnn:9-4",
    f"pretrained-dnn:9-4,pretrain=rbm,{SIGMOID}",
]
SETTINGS = "epochs=3,pretrain-epochs=2,batch-size=64,precision=fp32"


def codes_of(encoder):
    codes = encoder.encode(DIGITS)
    return [codes, encoder.class_probabilities(DIGITS)] if encoder.name == "pretrained-dnn" else [codes]


@pytest.mark.parametrize("spec", PHASED)
@pytest.mark.parametrize(
    "count", [1, 2, 3, 4, 6, 7]
)  # in layer 1, at its end, in layer 2, its end, in the whole, its end
def test_killed_in_any_phase_it_ends_as_if_it_had_not_been(spec, count, tmp_path, monkeypatch, killed_after):
    def encoder():
        return create(f"{spec},{SETTINGS}")

    whole = encoder().fit(DIGITS, LABELS)
    assert {name: len(phase.seconds) for name, phase in whole.phases.items()} == {"layer-1": 2, "layer-2": 2, "training": 3}  # fmt: skip
    with killed_after(count):
        encoder().fit(DIGITS, LABELS, work=tmp_path)
    trained, epoch = [], training.run_epoch
    monkeypatch.setattr(training, "run_epoch", lambda *args: trained.append(args) or epoch(*args))
    resumed = encoder().fit(DIGITS, LABELS, work=tmp_path)
    assert len(trained) == 7 - count
    for found, expected in zip(codes_of(resumed), codes_of(whole), strict=True):
        np.testing.assert_array_equal(found, expected)
    for name, phase in whole.phases.items():
        assert resumed.phases[name].validation_loss == phase.validation_loss


@pytest.mark.parametrize(
    "stage",
    ["conv-ae:3,up=index", "conv-ae:3,up=deconv", "conv-ae:3,up=repeat", "unet-ae:3,corruption=gaussian", "fpn-ae:3,code=pooled"],
)  # fmt: skip
def test_a_killed_convolutional_network_ends_as_if_it_had_not_been(stage, tmp_path, killed_after):
    def encoder():
        return create(f"pixels+{stage},channels=4-4,epochs=3,shift=1")

    whole = encoder().fit(PICTURES)
    with killed_after(2):
        encoder().fit(PICTURES, work=tmp_path)
    np.testing.assert_array_equal(encoder().fit(PICTURES, work=tmp_path).encode(PICTURES), whole.encode(PICTURES))


@pytest.mark.parametrize(
    "spec", ["vae:9-4", "vae:9-4,samples=3", "deep-ae:9-4,contractive=0.1,sparsity=kl,dropout=0.1"]
)
def test_a_killed_training_with_noise_ends_as_if_it_had_not_been(spec, tmp_path, killed_after):
    whole = create(f"{spec},epochs=3").fit(DIGITS)
    with killed_after(1):
        create(f"{spec},epochs=3").fit(DIGITS, work=tmp_path)
    resumed = create(f"{spec},epochs=3").fit(DIGITS, work=tmp_path)
    np.testing.assert_array_equal(resumed.encode(DIGITS), whole.encode(DIGITS))


def test_a_training_that_ended_but_was_not_saved_costs_nothing_again(tmp_path, monkeypatch):
    spec = "deep-ae:9-4,pretrain=layerwise,epochs=2,pretrain-epochs=1"
    first = create(spec).fit(DIGITS, work=tmp_path)
    trained, epoch = [], training.run_epoch
    monkeypatch.setattr(training, "run_epoch", lambda *args: trained.append(args) or epoch(*args))
    again = create(spec).fit(DIGITS, work=tmp_path)
    np.testing.assert_array_equal(again.encode(DIGITS), first.encode(DIGITS))
    assert trained == []


def test_a_phase_that_the_clock_ended_is_read_back_not_trained_further(tmp_path, monkeypatch):
    write = training.write_checkpoint
    written, now = [], 0.0

    def clock():  # each look takes 2 ms, whatever else the machine does
        nonlocal now
        now += 0.002
        return now

    def slowly(work, *args):  # writing takes time that is no epoch's
        nonlocal now
        write(work, *args)
        now += 0.02
        written.append(work.name)
        if "layer-2" in written and len(written) == written.index("layer-2") + 1 and "training" not in written:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "write_checkpoint", slowly)
    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=clock))
    spec = "deep-ae:9-4,pretrain=layerwise,epochs=9999,pretrain-epochs=9999,minutes=0.01"
    with pytest.raises(KeyboardInterrupt):
        create(spec).fit(DIGITS, work=tmp_path)
    before = written.count("layer-1")
    encoder = create(spec).fit(DIGITS, work=tmp_path)
    assert written.count("layer-1") == before == len(encoder.phases["layer-1"].seconds)
    assert written.count("layer-2") > 1


def test_a_time_budget_is_split_into_phases():
    encoder = create("deep-ae:9-4,pretrain=layerwise,minutes=8")
    assert encoder._early_training_config(2, 5).minutes == 1  # a quarter at most is the layers'
    encoder.phases = {"layer-1": History(seconds=[30.0]), "layer-2": History(seconds=[30.0])}
    assert encoder._training_config().minutes == 7  # what they leave is the whole's
    encoder.phases["layer-2"].seconds = [500.0]
    assert encoder._training_config().minutes == 6
    assert create("deep-ae:9-4,minutes=8")._training_config().minutes == 8
    assert create("pretrained-dnn:9-4")._early_training_config(2, 5).minutes is None


def test_all_phases_together_keep_to_the_time_budget():
    begun = time.perf_counter()
    encoder = create("deep-ae:9-4,pretrain=layerwise,epochs=9999,pretrain-epochs=9999,minutes=0.02").fit(DIGITS)
    assert 1 < time.perf_counter() - begun < 4
    spent = {name: sum(phase.seconds) for name, phase in encoder.phases.items()}
    assert spent["training"] > spent["layer-1"] + spent["layer-2"]
    assert all(phase.ended for phase in encoder.phases.values())


@pytest.mark.parametrize("spec", PHASED[:3] + PHASED[-1:])
def test_phases_and_history_survive_saving(spec, tmp_path):
    encoder = create(f"{spec},{SETTINGS}").fit(DIGITS, LABELS)
    loaded = Encoder.load(encoder.save(tmp_path / "encoder"))
    assert loaded.phases == encoder.phases
    assert loaded.history.best_epoch == encoder.history.best_epoch >= 0


def test_who_watches_is_told_every_epoch_of_every_phase():
    told = []
    encoder = create(f"{PHASED[0]},{SETTINGS}")
    encoder.watch = lambda phase, history: told.append((phase, len(history.seconds)))
    encoder.fit(DIGITS)
    epochs = [(phase, count) for phase, count in told if count]
    assert epochs == [("layer-1", 1), ("layer-1", 2), ("layer-2", 1), ("layer-2", 2), ("training", 1), ("training", 2), ("training", 3)]  # fmt: skip


CONFIG = TrainingConfig(
    epochs=5, batch_size=64, learning_rate=0.01, weight_decay=0.0, warm_up=0.2, patience=0, validation=0.1,
    precision="fp32", seed=0,
)  # fmt: skip


@pytest.mark.parametrize("where", ["training", "validation"])
def test_a_loss_that_is_no_number_leaves_the_checkpoint_of_the_last_good_epoch(where, tmp_path):
    network, measured = torch.nn.Linear(64, 1), []  # once before the first epoch, once behind each

    def loss(network, batch):
        if not network.training:
            measured.append(1)
        good = network(batch).square().mean()
        bad = len(measured) >= 3 if where == "training" else len(measured) == 4
        return good * float("nan") if bad and network.training == (where == "training") else good

    with pytest.raises(
        TrainingError, match=r"no longer a number in epoch 3: .*; the checkpoint of the first 2 epochs is in "
    ):
        train(network, loss, Rows(DIGITS), CONFIG, tmp_path)
    kept, history = torch.nn.Linear(64, 1), History()
    optimizer = torch.optim.AdamW(kept.parameters())
    best = read_checkpoint(tmp_path, kept, optimizer, history, {**vars(CONFIG), "method": "", "rows": Rows(DIGITS).digest()})  # fmt: skip
    assert len(history.seconds) == len(history.validation_loss) == 2
    assert all(torch.isfinite(value).all() for value in (*best.values(), *kept.state_dict().values()))


def test_a_loss_that_explodes_in_the_first_epoch_is_said():
    with pytest.raises(
        TrainingError, match=r"more than 1,000 times .* in epoch 1: lower .*; if that does not help, reduce"
    ):
        create("linear-ae:3,epochs=1,learning-rate=1e9").fit(DIGITS)


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    def loss(network, batch):
        return network(batch).square().mean()

    def full(arrays, path, **options):
        path.write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    train(torch.nn.Linear(64, 1), loss, Rows(DIGITS), CONFIG, tmp_path)
    before = (tmp_path / FILE).read_bytes()
    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(ArtifactError, match=r"cannot write .*checkpoint.*No space left on device.*: make room there"):
        train(torch.nn.Linear(64, 1), loss, Rows(DIGITS[:50]), CONFIG, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).read_bytes() == before


def test_a_run_with_another_course_goes_on_where_patience_or_the_clock_had_ended_it(tmp_path):
    def loss(network, batch):
        return network(batch).square().mean()

    def fit(minutes, accept_new_settings):
        torch.manual_seed(0)
        config = TrainingConfig(**{**vars(CONFIG), "epochs": 40, "minutes": minutes})
        return train(
            torch.nn.Linear(64, 1), loss, Rows(DIGITS), config, tmp_path, accept_new_settings=accept_new_settings
        )

    first = fit(1e-6, False)
    assert (len(first.seconds), first.ended) == (1, True)
    assert len(fit(1e-6, False).seconds) == len(fit(1e-6, True).seconds) == 1
    assert len(fit(1.0, True).seconds) == 40
