"""Codes out and in again."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import BadItemError, QueryError
from retrieval.collection import Collection
from retrieval.corpora.registry import open_corpus
from retrieval.reconstruction import code_of, decoded, reconstructions


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    made = Collection.create(tmp_path_factory.mktemp("digits") / "c", open_corpus("digits"))
    return made.add_space("pixels").add_space("pixels+pca:12+binarize")


def test_a_code_is_written_as_npy_only(digits, tmp_path):
    with pytest.raises(BadItemError, match=r"x\.png should end in \.npy"):
        code_of(digits, "pixels", "@3").write(tmp_path / "x.png")
    code_of(digits, "pixels", "@3").write(tmp_path / "x.npy")
    np.testing.assert_array_equal(
        decoded(digits, "pixels", tmp_path / "x.npy").contents[0], digits.items.get(["3"])[0].content
    )


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ("pixels", np.full(64, np.nan), "NaN or infinite values; expected codes of 64 numbers"),
        ("pixels", np.ones(63), r"shape \(63,\); expected codes of 64 numbers"),
        ("pixels+pca:12+binarize", np.ones((1, 2)), "type float64; expected codes of 12 bits, packed into 2 uint8"),
    ],
)
def test_a_code_of_another_sort_is_refused(digits, tmp_path, spec, code, message):
    np.save(tmp_path / "c.npy", code)
    with pytest.raises(QueryError, match=message):
        decoded(digits, spec, tmp_path / "c.npy")


def test_a_picture_is_told_with_what_shows_it(digits):
    lines = reconstructions(digits, "@3", ["pixels"]).lines()
    assert lines == ["the item  a picture of 8x8: write it with -o FILE.png", "pixels    squared error 0"]
