"""The damage of known items: drawn by content and seed, and a passage is removed from its text."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.row import Row
from encoders.sound import Sound
from retrieval.evaluation.label_free.known_item import GREY_LEVELS, MASKED, is_long_enough, known_item

TEXT = " ".join(f"w{number}" for number in range(60))


def test_a_passage_is_consecutive_words_and_removed_from_its_text():
    query, indexed = known_item(TEXT)
    words = query.split()
    assert query in TEXT
    assert len(words) == 12
    assert not set(words) & set(indexed.split())
    assert sorted([*words, *indexed.split()]) == sorted(TEXT.split())


def test_the_same_content_and_seed_give_the_same_query_and_another_seed_another():
    assert known_item(TEXT, 3) == known_item(TEXT, 3)
    assert len({known_item(TEXT, seed).query for seed in range(20)}) > 10


def test_a_text_without_spaces_is_cut_by_letters():
    text = "".join(chr(0x4E00 + number) for number in range(100))
    query, indexed = known_item(text)
    assert is_long_enough(text)
    assert query in text
    assert len(query) == 20
    assert len(indexed.replace(" ", "")) == 80


@pytest.mark.parametrize(
    "content",
    ["nineteen words " * 9, Row(("a", "b", "c"), (1.0, None, "x")), Sound(np.ones(99, np.int16), 8000),
     np.zeros(0, np.float32)],
    ids=["text", "row", "sound", "vector"],
)  # fmt: skip
def test_what_is_too_short_is_not_asked(content):
    assert not is_long_enough(content)


@pytest.mark.parametrize("shape", [(8, 8), (20, 12, 3), (2, 2)])
def test_a_picture_has_noise_and_keeps_its_size(shape):
    picture = np.full(shape, 128, np.uint8)
    query, indexed = known_item(picture)
    assert indexed is picture
    assert query.shape == shape
    assert query.dtype == np.uint8
    assert not np.array_equal(query, picture)
    if query.size > 100:
        assert abs(query.astype(float).std() - GREY_LEVELS) < 10


def test_a_third_of_a_row_is_missing_and_the_rest_unchanged():
    row = Row(tuple("abcdef"), (1.0, 2.0, 3.0, "x", "y", "z"))
    masked = known_item(row).query
    assert sum(value is None for value in masked.values) == 2
    assert all(value in (None, before) for value, before in zip(masked.values, row.values, strict=True))


def test_a_third_of_a_sound_is_silent_and_it_keeps_its_length():
    sound = Sound(np.ones(300, np.int16), 8000)
    masked = known_item(sound).query
    assert len(masked.samples) == 300
    assert int((masked.samples == 0).sum()) == round(300 * MASKED)
    assert (sound.samples == 1).all()


def test_the_noise_of_a_vector_follows_the_spread_of_each_component():
    vector = np.zeros(2000, np.float32)
    spread = np.repeat([0.0, 4.0], 1000)
    query = known_item(vector, spread=spread).query
    assert (query[:1000] == 0).all()
    assert 1.8 < query[1000:].std() < 2.2
