"""The GAN: it learns a distribution and its inverse, resumes, saves, stops when it collapses, and refuses clearly."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from encoders.base import Encoder  # noqa: E402
from encoders.errors import BadItemError, OptionError, TrainingError  # noqa: E402
from encoders.neural.averaging import Average  # noqa: E402
from encoders.registry import create  # noqa: E402

SMALL = "hidden=32,batch-size=32"


def two_groups(count: int = 512, of_ten: int = 5) -> np.ndarray:
    """Return points near (0.2, ..., 0.2), and of every ten items `of_ten` near (0.8, ..., 0.8)."""
    generator = np.random.default_rng(0)
    centres = np.where(np.arange(count) * of_ten % 10 < of_ten, 0.8, 0.2)[:, None]
    return (centres + 0.02 * generator.normal(size=(count, 6))).astype(np.float32)


@pytest.mark.parametrize("regularization", ["r1", "spectral"])
def test_it_learns_both_groups_and_the_inverse_of_its_generator(regularization):
    """Of groups of one size the inverse may exchange the two, which only the pairs of a code and its item tell apart."""
    rows, returned = two_groups(of_ten=3), []
    high = rows.mean(axis=1) > 0.5
    for seed in range(3):  # the course of one training differs between processors
        encoder = create(f"gan:2,regularization={regularization},epochs=60,average=0.99,seed={seed},{SMALL}").fit(rows)
        drawn = encoder.decode(np.random.default_rng(1).standard_normal((500, 2), dtype=np.float32)).mean(axis=1)
        if min((np.abs(drawn - centre) < 0.15).mean() for centre in (0.2, 0.8)) > 0.05:  # it draws both groups
            copies = encoder.reconstruct(rows).mean(axis=1) > 0.5
            returned.append((copies[high].mean() + (~copies[~high]).mean()) / 2)
        if max(returned, default=0) > 0.8:  # an inverse that knows nothing has .5
            return
    pytest.fail(f"no seed learnt both groups and their inverse: {returned}")


def test_a_cycle_makes_reconstructions_resemble_their_items():
    rows, errors = two_groups(), {}
    for cycle in (0, 3):
        specs = [f"gan:2,cycle={cycle},epochs=15,average=0.9,seed={seed},{SMALL}" for seed in (0, 2, 3)]
        copies = [create(spec).fit(rows).reconstruct(rows) for spec in specs]
        errors[cycle] = np.mean([np.square(copy - rows).mean() / rows.var(axis=0).mean() for copy in copies])
    assert errors[3] < 0.5 * errors[0]  # of one seed, it may be chance
    assert errors[3] < 0.5


@pytest.mark.parametrize("shape", [(12, 9, 3), (8, 8)])
def test_pictures_of_any_size_and_colour_come_back_in_their_shape(shape, tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (24, *shape), dtype=np.uint8)
    encoder = create("pixels+gan:3,channels=4-8,hidden=8,epochs=1,batch-size=8").fit(pictures)
    assert encoder.reconstruct(pictures).shape == pictures.shape
    encoder.save(tmp_path / "saved")
    loaded = Encoder.load(tmp_path / "saved")
    codes = encoder.encode(pictures)
    np.testing.assert_array_equal(loaded.encode(pictures), codes)
    np.testing.assert_array_equal(loaded.decode(codes), encoder.decode(codes))


def test_a_killed_training_ends_with_the_same_weights(tmp_path, killed_after):
    rows, spec = two_groups(128), f"gan:2,epochs=4,{SMALL}"
    whole = create(spec).fit(rows)
    with killed_after(2):
        create(spec).fit(rows, work=tmp_path)
    resumed = create(spec).fit(rows, work=tmp_path)
    np.testing.assert_array_equal(resumed.encode(rows), whole.encode(rows))
    assert resumed.history.losses.keys() == {"discriminator"}


def test_equal_samples_are_a_collapse(monkeypatch):
    monkeypatch.setattr("encoders.neural.gan.SAME", 1e9)
    with pytest.raises(TrainingError, match=r"stopped in its first epoch: its samples have become alike"):
        create(f"gan:2,epochs=3,{SMALL}").fit(two_groups(64))


@pytest.mark.parametrize("rows", [np.ones((1, 4)), np.ones((9, 4))])
def test_one_item_is_not_a_distribution(rows):
    with pytest.raises(BadItemError, match="needs at least 2 different ones"):
        create("gan:2").fit(rows.astype(np.float32))


def test_pictures_smaller_than_its_convolutions_are_refused():
    with pytest.raises(OptionError, match="2 convolutions with stride 2 need pictures of at least 4x4"):
        create("pixels+gan:2").fit(np.random.default_rng(0).integers(0, 256, (9, 3, 3), dtype=np.uint8))


def test_an_average_forgets_the_first_weights_and_is_the_mean_of_the_last():
    torch.manual_seed(0)
    network = torch.nn.Linear(2, 1)
    average = Average(network, 0.9)
    for value in (1.0, 2.0, 2.0, 2.0, 2.0):
        with torch.no_grad():
            network.weight.fill_(value)
        average.update(network)
    assert 1.5 < float(average.network.weight.mean()) < 2
    assert all(not weight.requires_grad for weight in average.parameters())


def test_a_saved_output_that_does_not_exist_is_refused(tmp_path):
    encoder = create("gan:2,hidden=8,epochs=1").fit(two_groups(32))
    state = encoder.state()
    state["output"] = np.array([-1])
    with pytest.raises(ValueError, match="expected a whole number from 0 to 3, found -1"):
        encoder.restore(state)


def test_a_network_larger_than_any_machine_is_refused():
    with pytest.raises(OptionError, match="hidden should be at most 16384"):
        create("gan:2,hidden=1000000000")


@pytest.mark.parametrize("regularization", ["r1", "spectral"])
def test_the_discriminator_is_saved_and_an_older_encoder_has_none(tmp_path, regularization):
    rows = np.random.default_rng(0).normal(size=(96, 5)).astype(np.float32)
    spec = f"gan:2,hidden=8,epochs=2,batch-size=32,regularization={regularization}"
    encoder = create(spec).fit(rows)
    logits = encoder.discriminate(rows)
    assert logits.shape == (96,)
    assert np.isfinite(logits).all()
    assert len(np.unique(logits)) > 50
    loaded = Encoder.load(encoder.save(tmp_path / "gan"))
    assert loaded.discriminate(rows) == pytest.approx(logits, rel=1e-5, abs=1e-6)
    older = create(spec)
    older.restore_shape(encoder.learnt_shape())
    older.restore({key: value for key, value in encoder.state().items() if ".discriminator." not in key})
    assert (older.encode(rows) == encoder.encode(rows)).all()
    with pytest.raises(OptionError, match="saved without its discriminator"):
        older.discriminate(rows)


@pytest.mark.parametrize(("count", "warned"), [(3, True), (60, False)])
def test_a_generator_of_few_items_says_that_it_copies_them(capsys, count, warned):
    rows = np.random.default_rng(0).random((count, 4)).astype(np.float32)
    create("gan:2,hidden=8,epochs=1,batch-size=16").fit(rows)
    said = capsys.readouterr().err
    assert (f"gan: {count} items are few: what it generates will be copies of them" in said) == warned
