"""The discriminator's criterion: chance for codes of other items, better codes score better, nothing else counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from encoders.errors import BadItemError
from encoders.neural.criterion import discriminator_criterion

GENERATOR = np.random.default_rng(0)
ITEMS = GENERATOR.normal(size=(800, 4)).astype(np.float32) @ GENERATOR.normal(size=(4, 12)).astype(np.float32)


def criterion(codes, **options):
    return discriminator_criterion(ITEMS, codes, epochs=8, **options)


def test_codes_of_other_items_are_at_chance():
    found = criterion(ITEMS[::-1].copy())
    assert found.loss == pytest.approx(math.log(2), abs=0.03)
    assert found.shuffled == pytest.approx(math.log(2), abs=0.03)
    assert found.nats < 0.1


def test_codes_that_say_more_about_their_items_score_better():
    losses, nats = [], []
    for noise in (0.1, 1.0, 8.0):
        found = criterion((ITEMS + noise * np.random.default_rng(1).normal(size=ITEMS.shape)).astype(np.float32))
        losses.append(found.loss)
        nats.append(found.nats)
    assert losses[0] < losses[1] < losses[2] < math.log(2)
    assert nats[0] > nats[1] > nats[2] > 0


def test_scale_and_shift_of_the_codes_change_nothing():
    plain, moved = criterion(ITEMS[:, :3]), criterion(1000 * ITEMS[:, :3] + 7)
    assert plain.loss == pytest.approx(moved.loss, abs=0.01)


def test_bits_are_read_as_numbers():
    bits = np.packbits(ITEMS > 0, axis=1)
    found = criterion(bits, space=Space(12, Kind.BINARY, Metric.HAMMING))
    assert found.loss < 0.55


def test_a_constant_code_says_nothing():
    assert criterion(np.ones((800, 2), dtype=np.float32)).loss == pytest.approx(math.log(2), abs=0.03)


def test_too_few_items_and_other_numbers_of_codes_are_refused():
    with pytest.raises(BadItemError, match="needs at least 64 items, got 10"):
        discriminator_criterion(ITEMS[:10], ITEMS[:10])
    with pytest.raises(BadItemError, match="800 items and 10 codes"):
        discriminator_criterion(ITEMS, ITEMS[:10])


def test_the_scale_of_the_codes_does_not_matter():
    assert criterion(ITEMS * np.float32(2.0**100)).loss == pytest.approx(criterion(ITEMS).loss, abs=1e-4)


def test_a_code_that_is_no_number_is_refused():
    codes = ITEMS.copy()
    codes[3, 1] = np.nan
    with pytest.raises(BadItemError, match="holds NaN or infinity"):
        discriminator_criterion(ITEMS, codes)
