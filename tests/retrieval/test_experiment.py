"""The straight line on the built-in pictures."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import OptionError, UnknownNameError
from retrieval.corpora.registry import open_corpus
from retrieval.experiment import compare


@pytest.fixture(scope="module")
def comparison():
    return compare(open_corpus("digits"), ["pixels", "pixels+pca:16", "pixels+pca:16+binarize"], examples=3)


def test_pixels_find_the_same_digit(comparison):
    pixels = comparison.spaces[0]
    assert pixels.measures["P@10"] > 0.95
    assert pixels.dim == 64
    assert comparison.n_queries == comparison.n_items == 1797


def test_a_query_is_never_its_own_answer(comparison):
    for example in comparison.examples:
        for answers in example.answers:
            assert example.query.id not in [answer.shown.id for answer in answers]


def test_curves_fall_and_bits_are_small(comparison):
    for space in comparison.spaces:
        assert (np.diff(space.precision_recall) <= 1e-12).all()
    assert comparison.spaces[2].bytes_per_item == 2


def test_overlap_is_that_of_the_lists(comparison):
    close, far = comparison.overlaps[0], comparison.overlaps[1]
    assert 0.5 < close.jaccard <= 1
    assert far.jaccard < close.jaccard


def test_bad_specs_are_refused_before_any_work():
    with pytest.raises(UnknownNameError, match="did you mean 'pca'"):
        compare(open_corpus("digits"), ["pixels+pcaa:3"])
    with pytest.raises(OptionError, match="only once"):
        compare(open_corpus("digits"), ["pixels", "pixels"])
