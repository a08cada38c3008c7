"""Codes out and in again."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import BadItemError, NotInvertibleError, QueryError
from retrieval.applications.reconstruction import asked_items, code_of, decoded, reconstructions
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.report.terminal.reconstructions import reconstructions_lines


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    made = LocalCollection.create(tmp_path_factory.mktemp("digits") / "c", open_corpus("digits"))
    return made.add_space("pixels").add_space("pixels+pca:12+binarize")


def test_a_code_is_written_as_npy_only(digits, tmp_path):
    with pytest.raises(BadItemError, match=r"x\.png should end in \.npy"):
        code_of(digits, "pixels", "@3").write(tmp_path / "x.png")
    code_of(digits, "pixels", "@3").write(tmp_path / "x.npy")
    back = decoded(digits, "pixels", tmp_path / "x.npy").rows[0].contents[0]
    np.testing.assert_array_equal(back, digits.items.get(["3"])[0].content)


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


def test_items_that_are_asked_for_and_items_that_are_drawn(digits):
    asked = asked_items(digits, ["@3"], 4, seed=1)
    assert [query.shown.id for query in asked] == [query.item_id for query in asked]
    assert len({query.item_id for query in asked}) == 5
    assert [query.item_id for query in asked_items(digits, ["@3"], 4, seed=1)] == [query.item_id for query in asked]
    with pytest.raises(QueryError, match="name an item, as in @3, or give a number of random items"):
        asked_items(digits, [], None, 0)


def test_reconstructions_of_several_items_with_their_errors(digits):
    with_density = digits.add_space("pixels+pca:4+gaussian")
    asked = asked_items(with_density, ["@3", "@7"], None, 0)
    table = reconstructions(with_density, asked)
    assert [row.name for row in table.rows] == ["the item", "pixels", "pixels+pca:12+binarize"]
    assert table.columns == ["3", "7"]
    assert table.rows[1].results == {"squared error per item": [0, 0]}
    assert reconstructions_lines(table)[:3] == [
        "errors are summed over the pixels, which go from 0 to 1; mean of 2 items",
        "space                   squared error per item",
        "pixels                                       0",
    ]
    with pytest.raises(NotInvertibleError, match="gaussian"):
        reconstructions(with_density, asked, ["pixels+pca:4+gaussian"])


def test_an_error_is_the_sum_of_squared_differences_of_grey_levels_from_0_to_1(digits):
    table = reconstructions(digits, asked_items(digits, ["@3"], None, 0))
    item, copy = (table.rows[row].contents[0].astype(float) / 255 for row in (0, 2))
    assert table.rows[2].results["squared error per item"] == [pytest.approx(((item - copy) ** 2).sum())]


def test_the_words_of_a_code_stand_in_the_order_of_their_weights(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"_id": "a", "text": "pear apple plum apple pear apple"}\n')
    texts = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "t.jsonl"))).add_space("bow:stem=none")
    assert code_of(texts, "bow:stem=none", "@a").lines() == ["apple  3", "pear  2", "plum  1"]


def test_errors_are_taken_of_pictures_as_the_space_sees_them(digits):
    scaled = LocalCollection(digits.folder).add_space("pixels:size=4x4")
    table = reconstructions(scaled, asked_items(scaled, ["@3"], None, 0), ["pixels:size=4x4"])
    assert table.rows[1].contents[0].shape == (4, 4)
    assert table.rows[1].results == {"squared error per item": [0]}
