"""Facts about bags of words, against scikit-learn and bm25s on the same words."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import BadItemError
from encoders.text.bag_of_words import BagOfWords
from encoders.text.bm25 import BM25, METHODS
from encoders.text.tfidf import TfIdf
from encoders.text.tokens import words

VOCABULARY = "heat flow wing shock layer plate body jet noise drag lift speed mach tunnel test".split()
RNG = np.random.default_rng(0)
#: Word frequencies fall off as in language, lengths differ.
TEXTS = [
    " ".join(RNG.choice(VOCABULARY, size=RNG.integers(3, 60), p=(p := 1 / np.arange(1, 16)) / p.sum()))
    for _ in range(50)
]
QUERIES = ["heat flow", "jet noise noise", "wing lift drag", "tunnel test unknown"]


def test_counts_are_scikit_learns():
    from sklearn.feature_extraction.text import CountVectorizer

    texts = [*TEXTS, "", "Überschall-Flügel, naïve café", "東京都 heat"]
    theirs = CountVectorizer(analyzer=words).fit(texts)
    ours = BagOfWords().fit(texts)
    assert ours.vocabulary == list(theirs.get_feature_names_out())
    np.testing.assert_array_equal(ours.encode(texts).toarray(), theirs.transform(texts).toarray())


@pytest.mark.parametrize("sublinear", [True, False])
def test_tfidf_weights_are_scikit_learns(sublinear):
    from sklearn.feature_extraction.text import TfidfVectorizer

    theirs = TfidfVectorizer(analyzer=words, sublinear_tf=sublinear).fit(TEXTS)
    ours = TfIdf(sublinear=sublinear).fit(TEXTS)
    np.testing.assert_allclose(ours.encode(QUERIES).toarray(), theirs.transform(QUERIES).toarray(), atol=1e-6)
    np.testing.assert_allclose(ours.encode(TEXTS).toarray(), theirs.transform(TEXTS).toarray(), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_bm25_scores_are_those_of_bm25s(method):
    import bm25s

    encoder = BM25(method=method, stop="none", stem="none", k1=1.4, b=0.6).fit(TEXTS)
    ours = (encoder.encode_queries(QUERIES) @ encoder.encode(TEXTS).T).toarray()
    engine = bm25s.BM25(method=method, k1=1.4, b=0.6, delta=0.5)
    engine.index([words(text) for text in TEXTS], show_progress=False)
    known = set(VOCABULARY)
    theirs = np.array([engine.get_scores([word for word in words(query) if word in known]) for query in QUERIES])
    # bm25+ and bm25l give absent words a constant, which ours leaves out: the same shift for every document
    if method in ("bm25+", "bm25l"):
        ours, theirs = ours - ours.mean(axis=1, keepdims=True), theirs - theirs.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_bm25_is_asymmetric():
    encoder = BM25(stem="none").fit(TEXTS)
    assert encoder.encode_queries(["jet jet"]).data.tolist() == [2]
    assert encoder.encode(["jet jet"]).data.tolist() != [2]


def test_scripts_without_spaces_are_found_by_character_pairs():
    assert words("東京都の天気") == ["東京", "京都", "都の", "の天", "天気"]
    assert words("서울") == ["서울"]
    assert words("雨") == ["雨"]
    assert words("ＡＢＣ　東京") == ["abc", "東京"]  # full-width forms are the same letters
    encoder = TfIdf().fit(["東京都の天気は晴れ", "大阪の夜景", "heat flow"])
    scores = (encoder.encode(["京都の夜景"]) @ encoder.encode(["大阪の夜景", "heat flow"]).T).toarray()[0]
    assert scores[0] > 0.4
    assert scores[1] == 0


def test_letters_beyond_ascii_belong_to_words():
    assert words("Straße, CAFÉ naïve Ελλάδα") == ["straße", "café", "naïve", "ελλάδα"]
    assert words("cafe\u0301") == words("café")


def test_stop_words_are_left_out():
    texts = ["the wing and the body", "a jet of the body"]
    assert BagOfWords(stop="english").fit(texts).vocabulary == ["body", "jet", "wing"]
    assert "the" in BagOfWords().fit(texts).vocabulary


def test_stems_are_counted_together():
    encoder = BagOfWords(stem="english").fit(["connect connected", "connection of wings", "wing"])
    assert encoder.vocabulary == ["connect", "of", "wing"]
    assert encoder.encode(["connecting connections winged"]).toarray().tolist() == [[2, 0, 1]]


def test_a_stop_word_is_known_before_it_is_stemmed():
    encoder = BagOfWords(stem="english", stop="english").fit(["having doing wings", "others wing"])
    assert encoder.vocabulary == ["other", "wing"]
    assert encoder.encode(["having wings other"]).toarray().tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({"min_df": 2}, ["all", "half"]),
        ({"min_df": 0.75}, ["all"]),
        ({"max_df": 0.5}, ["half", "once", "twice"]),
        ({"max_df": 3}, ["half", "once", "twice"]),
        ({"min_df": 2, "max_df": 0.9}, ["half"]),
        ({"size": 2}, ["all", "twice"]),
        ({"size": 3}, ["all", "half", "twice"]),
        ({"size": 9}, ["all", "half", "once", "twice"]),
    ],
)
def test_the_vocabulary_keeps_what_it_is_told(limits, kept):
    # documents: all 4, half 2, once 1, twice 1 (occurring three times there)
    texts = ["all half", "all half", "all once", "all twice twice twice"]
    assert BagOfWords(**limits).fit(texts).vocabulary == kept


def test_no_word_left_is_said():
    with pytest.raises(BadItemError, match="no word is left of 2 in 1 documents"):
        BagOfWords(min_df=2).fit(["heat flow"])


def test_presence_instead_of_counts():
    assert BagOfWords(binary=True).fit(["jet jet wing"]).encode(["jet jet jet"]).toarray().tolist() == [[1, 0]]


def test_unknown_words_are_no_components():
    encoder = TfIdf().fit(TEXTS)
    assert encoder.encode(["xyzzy", ""]).nnz == 0
