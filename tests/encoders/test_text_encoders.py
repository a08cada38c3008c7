"""Facts about bags of words, against scikit-learn and bm25s on the same words."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from encoders.artifact import sealed
from encoders.base import Encoder
from encoders.errors import ArtifactError, BadItemError
from encoders.registry import create
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
PLAIN = {"stop": "none", "stem": "none"}
QUERIES = ["heat flow", "jet noise noise", "wing lift drag", "tunnel test unknown"]


def test_counts_are_scikit_learns():
    from sklearn.feature_extraction.text import CountVectorizer

    texts = [*TEXTS, "", "Überschall-Flügel, naïve café", "東京都 heat"]
    theirs = CountVectorizer(analyzer=words).fit(texts)
    ours = BagOfWords(**PLAIN).fit(texts)
    assert ours.vocabulary == list(theirs.get_feature_names_out())
    np.testing.assert_array_equal(ours.encode(texts).toarray(), theirs.transform(texts).toarray())


@pytest.mark.parametrize("sublinear", [True, False])
def test_tfidf_weights_are_scikit_learns(sublinear):
    from sklearn.feature_extraction.text import TfidfVectorizer

    theirs = TfidfVectorizer(analyzer=words, sublinear_tf=sublinear).fit(TEXTS)
    ours = TfIdf(sublinear=sublinear, **PLAIN).fit(TEXTS)
    np.testing.assert_allclose(ours.encode(QUERIES).toarray(), theirs.transform(QUERIES).toarray(), atol=1e-6)
    np.testing.assert_allclose(ours.encode(TEXTS).toarray(), theirs.transform(TEXTS).toarray(), atol=1e-6)


@pytest.mark.parametrize("delta", [0.0, 0.5, 5.0])
@pytest.mark.parametrize("method", METHODS)
def test_bm25_weighs_the_words_of_a_document_as_bm25s_does(method, delta):
    import bm25s

    encoder = BM25(method=method, k1=1.4, b=0.6, delta=delta, **PLAIN).fit(TEXTS)
    engine = bm25s.BM25(method=method, k1=1.4, b=0.6, delta=delta)
    engine.index([words(text) for text in TEXTS], show_progress=False)
    for word in VOCABULARY:  # one at a time: bm25s gives absent words the bound as well, in bm25+ and bm25l
        ours = (encoder.encode_queries([word]) @ encoder.encode(TEXTS).T).toarray()[0]
        theirs = engine.get_scores([word])
        present = np.array([word in words(text) for text in TEXTS])
        np.testing.assert_allclose(ours[present], theirs[present], rtol=1e-4, atol=1e-4)
        assert not ours[~present].any()


def plain_score(method: str, query: list[str], document: list[str], k1: float, b: float, delta: float) -> float:
    """Return the score as the paper of `method` prints it: a sum over the words that query and document share."""
    documents = [words(text) for text in TEXTS]
    average = sum(len(other) for other in documents) / len(documents)
    score = 0.0
    for word in query:
        if word not in document:
            continue
        count, found_in = document.count(word), sum(word in other for other in documents)
        norm = 1 - b + b * len(document) / average
        if method == "bm25+":
            gain = (k1 + 1) * count / (k1 * norm + count) + delta
            score += gain * math.log((len(documents) + 1) / found_in)
        else:
            gain = (k1 + 1) * (count / norm + delta) / (k1 + count / norm + delta)
            score += gain * math.log((len(documents) + 1) / (found_in + 0.5))
    return score


@pytest.mark.parametrize("delta", [None, 0.0, 0.5, 5.0])
@pytest.mark.parametrize("method", ["bm25+", "bm25l"])
def test_the_lower_bounds_are_those_of_their_papers(method, delta):
    encoder = BM25(method=method, k1=1.4, b=0.6, delta=delta, **PLAIN).fit(TEXTS)
    ours = (encoder.encode_queries(QUERIES) @ encoder.encode(TEXTS).T).toarray()
    bound = {"bm25+": 1.0, "bm25l": 0.5}[method] if delta is None else delta
    known = set(VOCABULARY)
    plain = [
        [plain_score(method, [w for w in words(query) if w in known], words(text), 1.4, 0.6, bound) for text in TEXTS]
        for query in QUERIES
    ]
    np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", ["bm25+", "bm25l"])
def test_a_word_of_a_very_long_document_is_worth_the_bound(method):
    long = "heat " + "filler " * 20_000
    texts = [long, *["wing flow"] * 30, *["heat jet"] * 3]

    def worth(delta: float) -> float:
        encoder = BM25(method=method, delta=delta, **PLAIN).fit(texts)
        column = encoder.vocabulary.index("heat")
        return float(encoder.encode([long]).toarray()[0, column] / encoder.idf[column])

    assert worth(0.0) < 0.1  # the flaw that the bound mends: as good as absent
    assert worth(1.0) > 0.95


def test_bm25_is_asymmetric():
    encoder = BM25(stem="none").fit(TEXTS)
    assert encoder.encode_queries(["jet jet"]).data.tolist() == [2]
    assert encoder.encode(["jet jet"]).data.tolist() != [2]


def test_stop_words_are_left_out():
    texts = ["the wing and the body", "a jet of the body"]
    assert BagOfWords(stem="none").fit(texts).vocabulary == ["body", "jet", "wing"]
    assert "the" in BagOfWords(**PLAIN).fit(texts).vocabulary


def test_stems_are_counted_together():
    encoder = BagOfWords(stop="none").fit(["connect connected", "connection of wings", "wing"])
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
    assert BagOfWords(**limits, **PLAIN).fit(texts).vocabulary == kept


def test_no_word_left_is_said():
    with pytest.raises(BadItemError, match="none of 2 words in 1 document is left"):
        BagOfWords(min_df=2).fit(["heat flow"])


def test_presence_instead_of_counts():
    assert BagOfWords(binary=True).fit(["jet jet wing"]).encode(["jet jet jet"]).toarray().tolist() == [[1, 0]]


def test_unknown_words_are_no_components():
    encoder = TfIdf().fit(TEXTS)
    assert encoder.encode(["xyzzy", ""]).nnz == 0


def test_all_encoders_of_words_share_one_analysis():
    texts = ["The wings' flows and a jet", "\u0130stanbul, wings"]
    vocabularies = [encoder().fit(texts).vocabulary for encoder in (BagOfWords, TfIdf, BM25)]
    assert vocabularies == [["flow", "istanbul", "jet", "wing"]] * 3
    for name in ("stop", "stem", "marks"):
        assert len({encoder.__dataclass_fields__[name].default for encoder in (BagOfWords, TfIdf, BM25)}) == 1


@pytest.mark.parametrize("encoder", [BagOfWords, TfIdf, BM25])
def test_marks_are_kept_or_left_out_as_asked(encoder):
    texts = ["caf\u00e9 \u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd"]
    pointed, plain = "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", "\u05e9\u05dc\u05d5\u05dd"
    assert encoder(marks="none").fit(texts).vocabulary == ["caf\u00e9", pointed]
    assert encoder().fit(texts).vocabulary == ["caf\u00e9", plain]
    assert encoder(marks="accents").fit(texts).vocabulary == ["cafe", plain]


@pytest.mark.parametrize("spec", ["bow", "tfidf", "bm25", "tfidf+lsa:1"])
def test_what_was_fitted_by_other_rules_for_words_is_refused(spec, tmp_path):
    folder = create(spec).fit(["red apple", "green pear"]).save(tmp_path / "encoder")
    assert Encoder.load(folder).encode(["red"]).shape[0] == 1
    manifest = json.loads((folder / "manifest.json").read_text())
    for learnt in (manifest["learnt"], *manifest["learnt"].get("stages", [])):
        learnt.pop("analysis", None)  # as it was written before there was one
    (folder / "manifest.json").write_text(json.dumps(sealed(manifest)))
    with pytest.raises(ArtifactError, match="fit and index again"):
        Encoder.load(folder)
