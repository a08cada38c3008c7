"""Facts about the deep autoencoder and the one training loop."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.datasets import load_digits

from encoders.codes import Batch, Metric
from encoders.errors import BadItemError, OptionError, TrainingError
from encoders.neural import training
from encoders.neural.corruption import shifting
from encoders.neural.deep_autoencoder import DeepAutoencoder
from encoders.neural.epoch import one_cycle
from encoders.neural.layers import forward
from encoders.neural.networks import folded, mlp
from encoders.neural.reconstruction_loss import reconstruction_error
from encoders.projection.pca import PCA
from encoders.registry import create

DIGITS = (load_digits().data / 16).astype(np.float32)
SMALL = DIGITS[:400]


@pytest.mark.parametrize("options", [{}, {"noise": 0.1}, {"precision": "bf16"}])
def test_a_killed_training_goes_on_and_ends_as_if_it_had_not_been(tmp_path, killed_after, options):
    def encoder():
        return DeepAutoencoder((20, 5), epochs=4, seed=3, **options)

    whole = encoder().fit(SMALL)
    with killed_after(2):
        encoder().fit(SMALL, work=tmp_path)
    assert [path.name for path in tmp_path.rglob("*.*")] == ["checkpoint.safetensors"]
    resumed = encoder().fit(SMALL, work=tmp_path)
    np.testing.assert_allclose(resumed.encode(SMALL), whole.encode(SMALL), rtol=1e-5, atol=1e-5)
    assert resumed.history.validation_loss == pytest.approx(whole.history.validation_loss)


def test_only_the_missing_epochs_are_trained_again(tmp_path, monkeypatch, killed_after):
    with killed_after(2):
        DeepAutoencoder((8, 3), epochs=5).fit(SMALL, work=tmp_path)
    trained, epoch = [], training.run_epoch
    monkeypatch.setattr(training, "run_epoch", lambda *args: trained.append(args[5]) or epoch(*args))
    DeepAutoencoder((8, 3), epochs=5).fit(SMALL, work=tmp_path)
    assert trained == [2, 3, 4]


@pytest.mark.parametrize("other", [{"epochs": 6}, {"seed": 1}, {"sizes": (9, 3)}])
def test_the_checkpoint_of_another_run_is_left_aside(tmp_path, killed_after, other):
    with killed_after(1):
        DeepAutoencoder((8, 3), epochs=5).fit(SMALL, work=tmp_path)
    options = {"sizes": (8, 3), "epochs": 5, **other}
    fresh = DeepAutoencoder(**options).fit(SMALL)
    np.testing.assert_array_equal(
        DeepAutoencoder(**options).fit(SMALL, work=tmp_path).encode(SMALL), fresh.encode(SMALL)
    )


def test_the_checkpoint_of_other_options_of_the_method_is_left_aside(tmp_path, killed_after):
    with killed_after(1):
        DeepAutoencoder((8, 3), epochs=3, loss="cross-entropy").fit(SMALL, work=tmp_path)
    fresh = DeepAutoencoder((8, 3), epochs=3).fit(SMALL)
    resumed = DeepAutoencoder((8, 3), epochs=3).fit(SMALL, work=tmp_path)
    np.testing.assert_array_equal(resumed.encode(SMALL), fresh.encode(SMALL))


def test_the_checkpoint_of_other_data_is_left_aside(tmp_path, killed_after):
    with killed_after(1):
        DeepAutoencoder((8, 3), epochs=3).fit(SMALL, work=tmp_path)
    others = DIGITS[1000:1400]
    fresh = DeepAutoencoder((8, 3), epochs=3).fit(others)
    np.testing.assert_array_equal(
        DeepAutoencoder((8, 3), epochs=3).fit(others, work=tmp_path).encode(others), fresh.encode(others)
    )


def test_an_unreadable_checkpoint_is_left_aside(tmp_path):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "checkpoint.safetensors").write_bytes(b"half a file")
    DeepAutoencoder((8, 3), epochs=1).fit(SMALL, work=tmp_path)


@pytest.mark.parametrize("activation", ["silu", "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_folded_layers_answer_as_the_network_does(activation, norm):
    torch.manual_seed(0)
    network = mlp((64, 30, 20, 6), activation, norm)
    rows = torch.from_numpy(SMALL)
    for _ in range(5):
        network(rows)  # batch normalisation gathers its statistics
    for part in network:
        if isinstance(part, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(part.weight, 0.5, 2)
            torch.nn.init.uniform_(part.bias, -1, 1)
    network.eval()
    with torch.no_grad():
        expected = network(rows).numpy()
    np.testing.assert_allclose(forward(folded(network), SMALL), expected, atol=1e-4)
    np.testing.assert_allclose(forward(folded(network), csr_array(SMALL)), expected, atol=1e-4)


def test_a_diverging_training_says_what_to_do():
    with pytest.raises(
        TrainingError, match=r"no longer a number in epoch \d+: lower the learning rate \(it is 1e\+30\)"
    ):
        DeepAutoencoder((8, 3), epochs=5, norm="none", learning_rate=1e30, precision="fp32").fit(SMALL)


def test_patience_stops_early_and_keeps_the_best_epoch():
    noise = np.random.default_rng(0).normal(size=(60, 40)).astype(np.float32)  # nothing to learn: soon overfitted
    encoder = DeepAutoencoder((64, 20), epochs=300, patience=3, validation=0.3, norm="none").fit(noise)
    losses = encoder.history.validation_loss
    assert len(losses) < 300
    assert encoder.history.best_epoch == int(np.argmin(losses)) == len(losses) - 4


def test_without_patience_every_epoch_is_trained():
    assert len(DeepAutoencoder((8, 3), epochs=6).fit(SMALL).history.train_loss) == 6


def test_bf16_learns_as_well_as_fp32():
    best = {}
    for precision in ("fp32", "bf16"):
        encoder = DeepAutoencoder((64, 10), epochs=15, precision=precision).fit(DIGITS)
        best[precision] = min(encoder.history.validation_loss)
    assert best["bf16"] == pytest.approx(best["fp32"], rel=0.05)


def test_it_reconstructs_better_than_pca_of_the_same_width():
    train, test = DIGITS[:1500], DIGITS[1500:]
    errors = {}
    for encoder in (DeepAutoencoder((64, 5), epochs=25, batch_size=64), PCA(5)):
        encoder.fit(train)
        errors[encoder.name] = reconstruction_error(test, encoder.decode(encoder.encode(test)))
    assert errors["deep-ae"] < 0.9 * errors["pca"]


@pytest.mark.parametrize("loss", ["squared", "cross-entropy", "counts"])
def test_every_loss_goes_down(loss):
    losses = DeepAutoencoder((32, 8), epochs=8, loss=loss, batch_size=64).fit(DIGITS).history.train_loss
    assert losses[-1] < 0.97 * losses[0]


def test_word_counts_give_shares_and_are_compared_by_cosine():
    counts = csr_array(np.random.default_rng(0).poisson(0.5, (300, 30)).astype(np.float32))
    encoder = DeepAutoencoder((16, 4), epochs=3).fit(counts)
    assert encoder.space.metric is Metric.COSINE
    np.testing.assert_allclose(encoder.decode(encoder.encode(counts)).sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(2 * counts), encoder.encode(counts), atol=1e-4)
    assert DeepAutoencoder((16, 4), epochs=1).fit(SMALL).space.metric is Metric.EUCLIDEAN


def test_sparse_rows_train_as_dense_rows_do():
    dense, counts = (DIGITS[:300] * 16).round(), csr_array((DIGITS[:300] * 16).round())
    sparse = DeepAutoencoder((16, 4), epochs=2, precision="fp32").fit(counts)
    same = DeepAutoencoder((16, 4), epochs=2, precision="fp32", loss="counts").fit(dense)
    np.testing.assert_allclose(sparse.encode(counts), same.encode(dense), atol=0.01)


def test_cross_entropy_of_values_beyond_one_is_refused():
    with pytest.raises(OptionError, match=r"needs values in \[0, 1\], found 0 to 16"):
        DeepAutoencoder((8, 3), loss="cross-entropy").fit(16 * SMALL)


def test_the_learning_rate_goes_up_once_and_down_to_nothing():
    rates = [one_cycle(done, 0.25) for done in np.linspace(0, 1, 101)]
    assert np.argmax(rates) == 25
    assert rates[25] == pytest.approx(1)
    assert np.all(np.diff(rates[:26]) > 0)
    assert np.all(np.diff(rates[25:]) < 0)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    assert one_cycle(0, 0) == 1


def test_a_time_budget_ends_the_training():
    encoder = DeepAutoencoder((16, 4), epochs=100_000, minutes=1 / 60).fit(SMALL)
    assert 0.5 < sum(encoder.history.seconds) < 5
    assert 1 <= len(encoder.history.seconds) < 100_000


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
def test_shifting_moves_a_picture_by_at_most_so_many_pixels(shape):
    count, most = 200, 2
    pictures = np.zeros((count, *shape), dtype=np.float32)
    pictures[:, 3, 4] = 1  # one bright pixel
    moved = shifting(shape, most)(
        torch.from_numpy(pictures.reshape(count, -1)), torch.Generator().manual_seed(0)
    ).numpy()
    bright = np.argwhere(moved.reshape(pictures.shape).reshape(count, 7, 9, -1)[..., 0])
    assert len(bright) == count  # none lost, none doubled
    offsets = bright[:, 1:] - [3, 4]
    assert {tuple(offset) for offset in offsets.tolist()} == {
        (down, right) for down in range(-most, most + 1) for right in range(-most, most + 1)
    }


def test_shift_trains_on_pictures_and_refuses_anything_else():
    pictures = (SMALL.reshape(-1, 8, 8) * 255).astype(np.uint8)
    create("pixels+deep-ae:8-3,epochs=1,shift=1").fit(pictures)
    with pytest.raises(OptionError, match="put pixels before it"):
        DeepAutoencoder((8, 3), shift=1).fit(SMALL)


@pytest.mark.parametrize(
    ("count", "validation", "message"),
    [
        (1, 0.05, "deep-ae learns from at least 2 items; got 1"),
        (2, 0.5, "at least 2 items beside the 1 held out; got 1"),
    ],
)
def test_one_item_teaches_nothing(count, validation, message):
    with pytest.raises(BadItemError, match=message):
        DeepAutoencoder((8, 3), validation=validation).fit(SMALL[:count])


def test_a_last_batch_of_one_row_is_passed_over():
    assert DeepAutoencoder((8, 3), epochs=1, batch_size=4, validation=0).fit(SMALL[:9]).encode(SMALL).shape[1] == 3


def test_many_batches_teach_the_same_as_one():
    parts = [Batch(SMALL[:100]), Batch(SMALL[100:])]
    one, many = DeepAutoencoder((8, 3), epochs=2).fit(SMALL), DeepAutoencoder((8, 3), epochs=2).fit(parts)
    np.testing.assert_array_equal(one.encode(SMALL), many.encode(SMALL))


def test_every_training_option_reaches_the_plan():
    names = {field.name for field in dataclasses.fields(training.TrainingConfig)}
    given = DeepAutoencoder(
        epochs=3, batch_size=9, learning_rate=0.5, weight_decay=0.25, warm_up=0.1, patience=2, validation=0.2,
        precision="fp32", seed=11, minutes=4.0,
    )  # fmt: skip
    assert dataclasses.asdict(given._training_config()) == {name: getattr(given, name) for name in names}
