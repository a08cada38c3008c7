"""Deep InfoMax: every estimator and term learns, layers, saving, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from encoders.base import Encoder
from encoders.errors import BadItemError, NotInvertibleError, OptionError, TrainingError
from encoders.neural.deep_infomax import LAYERS
from encoders.neural.mutual_information import ESTIMATORS
from encoders.registry import create

SMALL = "hidden=32,comparison-width=16,batch-size=32,epochs=8"


def groups(count: int = 256, width: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy copies of eight patterns, and which pattern each is."""
    generator = np.random.default_rng(0)
    kinds = np.arange(count) % 8
    return (generator.normal(size=(8, width))[kinds] + 0.3 * generator.normal(size=(count, width))).astype(
        np.float32
    ), kinds


def purity(codes: np.ndarray, kinds: np.ndarray) -> float:
    """Return how often the nearest other item, by cosine, is of the same kind."""
    unit = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -2)
    return float((kinds[likeness.argmax(axis=1)] == kinds).mean())


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("terms", ["local-weight=1", "local-weight=0,global-weight=1", "prior-weight=0.1"])
def test_every_estimator_and_term_learns(estimator, terms):
    rows, kinds = groups()
    encoder = create(f"deep-infomax:4,estimator={estimator},{terms},{SMALL}").fit(rows)
    assert encoder.history.train_loss[-1] < encoder.history.train_loss[0]
    assert purity(encoder.encode(rows), kinds) > 0.9


def test_the_prior_has_an_opponent_and_bounds_the_code():
    rows, _ = groups()
    encoder = create(f"deep-infomax:4,prior-weight=1,{SMALL}").fit(rows)
    codes = encoder.encode(rows)
    assert len(encoder.history.losses["prior discriminator"]) == 8
    assert 0 <= codes.min() < codes.max() <= 1


def test_every_layer_of_a_picture_is_a_space(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    options = f"channels=4-8,{SMALL.replace('epochs=8', 'epochs=1')}"
    for layer, numbers in zip(LAYERS, (8 * 4 * 4, 32, 5), strict=True):
        encoder = create(f"pixels+deep-infomax:5,layer={layer},{options}").fit(pictures)
        codes = encoder.encode(pictures)
        assert codes.shape == (40, numbers)
        encoder.save(tmp_path / layer)
        np.testing.assert_array_equal(Encoder.load(tmp_path / layer).encode(pictures), codes)
        np.testing.assert_array_equal(encoder.stages[-1].features(encoder.stages[0].encode(pictures), layer), codes)


def test_word_counts_are_read_whatever_the_length_of_the_text():
    counts = csr_array(np.random.default_rng(0).poisson(0.5, (64, 30)).astype(np.float32))
    encoder = create(f"deep-infomax:4,{SMALL}").fit(counts)
    np.testing.assert_allclose(encoder.encode(2 * counts), encoder.encode(counts), rtol=1e-4, atol=1e-5)
    assert encoder.encode(counts).shape == (64, 4)


def test_the_same_seed_trains_the_same_and_another_does_not():
    rows, _ = groups(64)
    one, same, other = (create(f"deep-infomax:4,seed={seed},{SMALL}").fit(rows).encode(rows) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_items_that_are_all_alike_collapse_with_a_sentence():
    with pytest.raises(TrainingError, match="its codes are the same for all items"):
        create(f"deep-infomax:4,masked=0,{SMALL}").fit(np.ones((64, 6), dtype=np.float32))


def test_what_it_refuses():
    with pytest.raises(OptionError, match="both 0: raise one of them"):
        create("deep-infomax:4,local-weight=0")
    with pytest.raises(BadItemError, match="at least 2"):
        create("deep-infomax:4").fit(np.ones((1, 6), dtype=np.float32))
    pictures = np.zeros((4, 4, 4), dtype=np.uint8)
    with pytest.raises(OptionError, match="at least 8x8, these are 4x4"):
        create("pixels+deep-infomax:4").fit(pictures)
    rows, _ = groups(64)
    encoder = create(f"deep-infomax:4,{SMALL}").fit(rows)
    with pytest.raises(NotInvertibleError):
        encoder.decode(encoder.encode(rows))
