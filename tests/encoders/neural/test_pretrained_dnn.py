"""Facts about the pretrained deep network: what is learnt without labels, and with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.datasets import load_digits

from encoders.base import Encoder
from encoders.codes import Batch
from encoders.errors import BadItemError, NotFittedError, NotInvertibleError
from encoders.neural import training
from encoders.neural.pretrained_dnn import PretrainedDNN
from encoders.registry import create

DATA = load_digits()
DIGITS, LABELS = (DATA.data / 16).astype(np.float32), [str(label) for label in DATA.target]
TRAIN, TEST = slice(0, 1200), slice(1200, None)
SIZES = (48, 24)


@pytest.fixture(scope="module")
def fitted() -> PretrainedDNN:
    return PretrainedDNN(SIZES, epochs=10, pretrain_epochs=3, batch_size=64).fit(DIGITS[TRAIN], LABELS[TRAIN])


def accuracy(encoder) -> float:
    return float(np.mean(np.array(encoder.classify(DIGITS[TEST])) == LABELS[TEST]))


def partly(share: int) -> list[str | None]:
    """Return the labels of training, all but one in `share` hidden."""
    return [label if place % share == 0 else None for place, label in enumerate(LABELS[TRAIN])]


def test_it_tells_digits(fitted):
    assert accuracy(fitted) > 0.85
    assert fitted.classes == sorted(set(LABELS))


def test_probabilities_sum_to_one_and_the_likeliest_is_the_label(fitted):
    found = fitted.class_probabilities(DIGITS[TEST])
    assert found.shape == (len(DIGITS[TEST]), 10)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert found.min() >= 0
    assert fitted.classify(DIGITS[TEST]) == [fitted.classes[place] for place in found.argmax(axis=1)]


@pytest.mark.parametrize("pretrain", ["none", "layerwise", "rbm"])
def test_each_way_to_begin_learns_more_than_chance(pretrain):
    options = {} if pretrain == "layerwise" else {"activation": "sigmoid", "norm": "none", "learning_rate": 0.02}
    encoder = PretrainedDNN(SIZES, epochs=12, pretrain_epochs=4, batch_size=32, pretrain=pretrain, **options)
    assert accuracy(encoder.fit(DIGITS[TRAIN], LABELS[TRAIN])) > 0.6


def rows_of_each_phase(encoder, labels, monkeypatch) -> dict[str, int]:
    found, train = {}, training.train

    def noted(network, loss, rows, *args):
        found[f"{len(found)}"] = len(rows)
        return train(network, loss, rows, *args)

    monkeypatch.setattr(training, "train", noted)
    encoder.fit(DIGITS[TRAIN], labels)
    return dict(zip(encoder.phases, found.values(), strict=True))


def test_items_without_a_label_are_used_in_pretraining_only(monkeypatch):
    encoder = PretrainedDNN(SIZES, epochs=2, pretrain_epochs=1)
    assert rows_of_each_phase(encoder, partly(4), monkeypatch) == {"layer-1": 1200, "layer-2": 1200, "training": 300}


@pytest.mark.parametrize(("pretrain", "same"), [("none", True), ("layerwise", False)])
def test_only_pretraining_depends_on_items_without_a_label(pretrain, same):
    labels = partly(4)
    hidden = np.array([label is None for label in labels])
    other = DIGITS[TRAIN].copy()
    other[hidden] = other[hidden][:, ::-1]
    one, two = (
        PretrainedDNN(SIZES, epochs=2, pretrain_epochs=1, pretrain=pretrain).fit(rows, labels).encode(DIGITS[TEST])
        for rows in (DIGITS[TRAIN], other)
    )
    assert np.array_equal(one, two) == same


def test_labels_may_come_in_batches_some_without_any():
    parts = [Batch(DIGITS[:300], LABELS[:300]), Batch(DIGITS[300:1200])]
    one = PretrainedDNN(SIZES, epochs=2, pretrain_epochs=1).fit(parts)
    two = PretrainedDNN(SIZES, epochs=2, pretrain_epochs=1).fit(DIGITS[TRAIN], [*LABELS[:300], *[None] * 900])
    np.testing.assert_array_equal(one.encode(DIGITS), two.encode(DIGITS))


def test_pretraining_leaves_the_order_of_tuning_and_its_output_layer_as_they_are(monkeypatch):
    first = {}
    for pretrain in ("none", "layerwise"):

        def look(network, *args, train=training.train, pretrain=pretrain):
            if "head" in dict(network.named_children()):
                first[pretrain] = network["head"].weight.detach().clone().numpy()
            return train(network, *args)

        with monkeypatch.context() as patch:
            patch.setattr(training, "train", look)
            PretrainedDNN(SIZES, epochs=1, pretrain_epochs=1, pretrain=pretrain).fit(DIGITS[TRAIN], LABELS[TRAIN])
    np.testing.assert_array_equal(first["none"], first["layerwise"])


def test_classes_and_probabilities_survive_saving(fitted, tmp_path):
    loaded = Encoder.load(fitted.save(tmp_path / "encoder"))
    assert loaded.classes == fitted.classes
    np.testing.assert_allclose(
        loaded.class_probabilities(DIGITS[TEST]), fitted.class_probabilities(DIGITS[TEST]), atol=1e-6
    )
    assert loaded.classify(DIGITS[TEST]) == fitted.classify(DIGITS[TEST])


def test_the_code_is_the_last_hidden_layer_and_cannot_be_decoded(fitted):
    codes = fitted.encode(DIGITS[TEST])
    assert codes.shape[1] == fitted.space.dim == SIZES[-1]
    with pytest.raises(NotInvertibleError, match="trained to classify"):
        fitted.decode(codes)


def test_it_classifies_sparse_counts():
    counts = csr_array(DATA.data.astype(np.float32))
    encoder = PretrainedDNN(SIZES, epochs=8, pretrain_epochs=2, batch_size=64).fit(counts[:1200], LABELS[TRAIN])
    assert np.mean(np.array(encoder.classify(counts[1200:])) == LABELS[TEST]) > 0.6


def test_labels_that_are_missing_or_too_few_are_said():
    with pytest.raises(BadItemError, match="at least 2 classes, found 0: use a corpus with labels"):
        PretrainedDNN(SIZES).fit(DIGITS)
    with pytest.raises(BadItemError, match="at least 2 classes, found 1"):
        PretrainedDNN(SIZES).fit(DIGITS[:10], ["a"] * 10)


@pytest.mark.parametrize("count", [1199, 1201])
def test_labels_of_other_items_are_refused(count):
    with pytest.raises(BadItemError, match=r"one label or None: got 1,200 items, 1,\d+ labels"):
        PretrainedDNN(SIZES).fit(DIGITS[TRAIN], LABELS[:count])


def test_two_labels_are_enough():
    encoder = PretrainedDNN(SIZES, epochs=2, pretrain_epochs=1).fit(DIGITS[:50], ["a", "b", *[None] * 48])
    assert encoder.classes == ["a", "b"]


def test_an_unfitted_one_does_not_classify():
    with pytest.raises(NotFittedError):
        create("pretrained-dnn:8-4").classify(DIGITS)


def test_hidden_units_are_left_out_in_tuning_and_nowhere_else():
    encoder = PretrainedDNN((16,), drop=0.5, norm="none")
    network = torch.nn.ModuleDict({"encoder": encoder._encoder(64), "head": torch.nn.Linear(16, 10)})
    batch = torch.from_numpy(DIGITS[:32]), torch.from_numpy(DATA.target[:32])
    loss = encoder._classification()
    with torch.no_grad():
        assert float(loss(network.train(), batch)) != float(loss(network, batch))
        assert float(loss(network.eval(), batch)) == float(loss(network, batch))
