"""The straight line on the built-in pictures."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import CorpusError, OptionError, UnknownNameError
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
    for same in ("pixels", "pixels:None"):
        with pytest.raises(OptionError, match="only once"):
            compare(open_corpus("digits"), ["pixels", same])


def test_a_corpus_that_says_nothing_of_relevance_is_refused_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("text\nred\ngreen\n")
    monkeypatch.setattr("retrieval.experiment.attempt", lambda *_: pytest.fail("a space was fitted"))
    with pytest.raises(CorpusError, match=r"name the field of its classes with \?label=FIELD"):
        compare(open_corpus(str(tmp_path / "t.csv")), ["bm25"])


@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_corpus_of_few_items_is_compared_by_what_answers_there_are(tmp_path, count):
    rows = "".join(f"red w{place} w{place // 2},{place % 2}\n" for place in range(count))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}")
    comparison = compare(open_corpus(str(tmp_path / "t.csv")), ["bow", "bow:binary=true"])
    assert comparison.n_items == count
    assert comparison.overlaps[0].jaccard == 1
