"""Filters as they are typed, and what a filtered search of a local collection finds."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import OptionError
from retrieval.collection.filters import Filter, FilterField, sortable, written
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.report.terminal.info import info_lines
from retrieval.search.searcher import encode_query


@pytest.mark.parametrize("text", ["", "label", "=x", "=", ">3", "!=", "<=5", "amount"])
def test_what_is_not_key_and_value_is_refused(text):
    with pytest.raises(OptionError, match=rf"written KEY=VALUE, as in .*; got '{text}'"):
        Filter.read(text)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [("label=x", "label", "x"), ("a=b=c", "a", "b=c"), ("year=", "year", ""), ("a b = c ", "a b ", " c ")],
)
def test_the_first_equals_sign_ends_the_key_and_nothing_is_trimmed(text, field, value):
    assert Filter.read(text) == Filter(field, value)
    assert written([Filter.read(text)]) == text


@pytest.mark.parametrize(
    ("text", "field", "operator", "value"),
    [("a>b", "a", ">", "b"), ("a>=b", "a", ">=", "b"), ("a!=b", "a", "!=", "b"), ("a!b=c", "a!b", "=", "c"),
     ("a<=>b", "a", "<=", ">b"), ("a<-1", "a", "<", "-1"), ("a==b", "a", "=", "=b"), ("a > 1", "a ", ">", " 1")],
)  # fmt: skip
def test_the_first_operator_ends_the_key(text, field, operator, value):
    assert Filter.read(text) == Filter(field, value, operator)
    assert str(Filter.read(text)) == text


#: Values of a field, and which of them satisfy a filter.
VALUES = [None, "", "9", "10", "1e1", "-3", "0.5", 10.0, -0.0, "ten", "1,5", "inf", "nan", " 9", "٣", "2026-01-31"]
SATISFY = {
    "=10": ["10", 10.0],
    "!=10": [one for one in VALUES if one is not None and one not in ("10", 10.0)],
    "=0": [-0.0],
    ">9": ["10", "1e1", 10.0],
    ">=9": ["9", "10", "1e1", 10.0],
    "<0": ["-3"],
    "<=0": ["-3", -0.0],
    ">2026-01-30": ["9", "ten", "inf", "nan", "٣", "2026-01-31"],
    "<": [],
    "<=": [""],
    ">=inf": ["ten", "inf", "nan", "٣"],
}


@pytest.mark.parametrize("condition", SATISFY)
def test_which_values_satisfy_a_filter(condition):
    assert [one for one in VALUES if Filter.read(f"x{condition}").holds(one)] == SATISFY[condition]


def test_the_order_of_sortable_texts_is_that_of_numbers():
    rng = np.random.default_rng(0)
    numbers = np.concatenate(
        [rng.standard_normal(500) * 10.0 ** rng.integers(-300, 300, 500), [0.0, 1.0, -1.0, 5e-324]]
    )
    assert sorted(numbers, key=sortable) == sorted(numbers)
    assert sortable(-0.0) == sortable(0.0)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    made = LocalCollection.create(tmp_path_factory.mktemp("filters") / "c", open_corpus("digits"))
    return made.add_space("pixels").add_space("pixels+binarize").add_space("pixels+pca:8", "faiss:HNSW8")


@pytest.mark.parametrize("spec", ["pixels", "pixels+binarize", "pixels+pca:8"])
@pytest.mark.parametrize("label", ["0", "8"])
def test_a_filtered_search_is_the_whole_order_without_the_other_items(digits, spec, label):
    query = digits.items.get(["7"])[0].content  # a seven: the nearest are none of those asked for
    codes = encode_query(digits.space(spec).encoder, query)
    labels = {item.id: item.label for item in digits.items}
    everything = digits.codes_of(spec).search(codes, len(labels))[0]
    wanted = [hit for hit in everything if labels[hit.id] == label]
    for k in (1, 10, 1000):
        (found,) = digits.search([(spec, codes)], k, [Filter("label", label)])
        assert [hit.id for hit in found] == [hit.id for hit in wanted[:k]]
        np.testing.assert_allclose([hit.score for hit in found], [hit.score for hit in wanted[:k]], rtol=1e-4)


def test_spaces_are_answered_in_the_order_asked_each_with_its_own_code(digits):
    query = digits.items.get(["7"])[0].content
    asked = [(spec, encode_query(digits.space(spec).encoder, query)) for spec in ("pixels+binarize", "pixels")]
    for filters in ([], [Filter("label", "7")]):
        bits, pixels = digits.search(asked, 5, filters)
        assert bits == digits.search(asked[:1], 5, filters)[0]
        assert pixels == digits.search(asked[1:], 5, filters)[0]
        assert (bits[0].id, pixels[0].id, len(bits), len(pixels)) == ("7", "7", 5, 5)
        assert bits != pixels


def test_without_a_filter_the_index_itself_is_asked(digits, monkeypatch):
    monkeypatch.setattr(LocalCollection, "codes_of", None)
    query = encode_query(digits.space("pixels+pca:8").encoder, digits.items.get(["7"])[0].content)
    opened = digits.space("pixels+pca:8")
    assert digits.search([("pixels+pca:8", query)], 4) == opened.index.search(query, 4)


def test_words_that_no_item_left_has_are_no_answers(tmp_path):
    lines = '{"id":"1","text":"pear","year":2004}\n{"id":"2","text":"apple","year":2005}\n'
    (tmp_path / "t.jsonl").write_text(lines)
    made = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "t.jsonl"))).add_space("bm25")
    codes = encode_query(made.space("bm25").encoder, "pear")
    assert [hit.id for hit in made.search([("bm25", codes)], 5, [Filter("year", "2004")])[0]] == ["1"]
    assert made.search([("bm25", codes)], 5, [Filter("year", "2005")]) == [[]]


def test_the_fields_and_values_to_filter_by(digits, tmp_path, monkeypatch):
    (label,) = digits.filters()
    assert (label.name, label.items, len(label.values)) == ("label", 1797, 10)
    assert next(iter(label.values.items())) == ("3", 183)  # the most frequent first
    lines = '{"id":"1","text":"pear","year":2004,"":"x"}\n{"id":"2","text":"apple","year":2005}\n'
    (tmp_path / "t.jsonl").write_text(lines)
    made = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "t.jsonl"))).add_space("bm25")
    assert made.filters() == [FilterField("year", 2, {"2004": 1, "2005": 1})]
    assert info_lines(made)[-2:] == ["--filter  items  values", "year          2  2: 2004, 2005"]
    monkeypatch.setattr("retrieval.collection.base.SAMPLE", 1)
    monkeypatch.setattr("retrieval.report.terminal.info.SAMPLE", 1)
    assert info_lines(made)[-2:] == ["year          1  1: 2004", "fields and values of the first 1 items"]
