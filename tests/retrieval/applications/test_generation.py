"""Items that were not there before, and labels."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import NotInvertibleError, OptionError, QueryError, UnsupportedSpaceError
from retrieval.applications.classification import classified
from retrieval.applications.generation import _like, _turned, interpolated, sampled
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.report.terminal.reconstructions import reconstructions_lines

VAE, BITS, DNN = "pixels+vae:16-2,epochs=1", "pixels+pca:12+binarize", "pixels+pretrained-dnn:32-16,epochs=6"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    made = LocalCollection.create(tmp_path_factory.mktemp("digits") / "c", open_corpus("digits"))
    for spec in ("pixels+pca:6", BITS, VAE, DNN):
        made = made.add_space(spec)
    return made


def test_draws_are_of_the_prior_or_of_the_codes(digits):
    assert "draws from the standard normal (seed 0)" in sampled(digits, VAE, 3).title
    table = sampled(digits, "pixels+pca:6", 64, seed=1)
    assert "a Gaussian fitted to the codes of 1,797 items (seed 1)" in table.title
    assert len(table.rows[0].contents) == 64
    assert reconstructions_lines(table)[1] == "64 pictures of 8x8: write with -o FILE.png"
    again, other = sampled(digits, "pixels+pca:6", 64, seed=1), sampled(digits, "pixels+pca:6", 64, seed=2)
    np.testing.assert_array_equal(table.rows[0].contents, again.rows[0].contents)
    assert not np.array_equal(table.rows[0].contents, other.rows[0].contents)
    with pytest.raises(NotInvertibleError):
        sampled(digits, DNN, 3)


def test_drawn_codes_have_the_mean_and_covariance_of_those_given():
    generator = np.random.default_rng(0)
    codes = (generator.standard_normal((500, 3)) @ [[2, 0, 0], [1, 1, 0], [0, 3, 0.5]] + [5, 0, -2]).astype(np.float32)
    drawn, _ = _like(codes, 3, 20_000, generator)
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(codes.T), atol=0.4)


def test_few_codes_are_taken_for_a_sample():
    drawn, _ = _like(np.array([[0.0], [2.0]], np.float32), 1, 20_000, np.random.default_rng(0))
    assert float(drawn.std()) == pytest.approx(2**0.5, abs=0.03)


def test_bits_that_differ_are_turned_one_after_another():
    first, last = np.packbits([0, 0, 1, 1, 0, 0, 1, 0]), np.packbits([1, 0, 0, 1, 1, 0, 0, 0])
    way = np.unpackbits(_turned(first, last, np.linspace(0, 1, 5)), axis=1)
    assert [int((row != way[0]).sum()) for row in way] == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(way[2], [1, 0, 0, 1, 0, 0, 1, 0])


def test_drawn_bits_are_one_as_often_as_those_given():
    bits = np.random.default_rng(1).random((400, 12)) < np.linspace(0, 1, 12)
    drawn, told = _like(np.packbits(bits, axis=1), 12, 5000, np.random.default_rng(0))
    found = np.unpackbits(drawn, axis=1, count=12).mean(axis=0)
    np.testing.assert_allclose(found, bits.mean(axis=0), atol=0.03)
    assert told == "the share of ones of each bit of the codes of 400 items"


@pytest.mark.parametrize("spec", ["pixels+pca:6", BITS])
def test_the_ends_of_the_way_are_the_items(digits, spec):
    table = interpolated(digits, spec, "@0", "@1", steps=5)
    assert table.columns == ["0.00", "0.25", "0.50", "0.75", "1.00"]
    encoder = digits.space(spec).encoder
    ends = encoder.decode(encoder.encode([item.content for item in digits.items.get(["0", "1"])]))
    np.testing.assert_array_equal(table.rows[0].contents[0], ends[0])
    np.testing.assert_array_equal(table.rows[0].contents[-1], ends[1])
    with pytest.raises(OptionError, match="at least 2 steps"):
        interpolated(digits, spec, "@0", "@1", steps=1)


def test_words_on_the_way_between_texts(tmp_path):
    (tmp_path / "t.jsonl").write_text(
        '{"_id": "a", "text": "apple pear"}\n{"_id": "b", "text": "car wheel"}\n{"_id": "c", "text": "apple car"}\n'
    )
    texts = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "t.jsonl")))
    texts = texts.add_space("tfidf+lsa:2").add_space("bow")
    lines = reconstructions_lines(interpolated(texts, "tfidf+lsa:2", "@a", "@b", steps=3))
    assert lines[0] == "from a to b, decoded by tfidf+lsa:2"
    assert lines[1].startswith("0.00  ")
    assert "pear" in lines[1].split(",")[0] + lines[1].split(",")[1]
    assert "wheel" in lines[3].split(",")[0] + lines[3].split(",")[1]
    with pytest.raises(NotInvertibleError, match="take a dense space"):
        sampled(texts, "bow", 2)


def test_labels_with_their_probabilities(digits):
    found = classified(digits, DNN, "@0", k=10)
    probabilities = [probability for _, probability in found.labels]
    assert found.labels[0][0] == "0"
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert found.to_json()["query"] == {"id": "0", "label": "0"}
    with pytest.raises(UnsupportedSpaceError, match="was not trained on labels"):
        classified(digits, "pixels+pca:6", "@0")


def test_words_that_are_all_unknown_tell_no_label(tmp_path):
    lines = [
        f'{{"_id": "{n}", "text": "{word} word", "label": "{word}"}}' for n, word in enumerate(["sea", "land"] * 4)
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    spec = "bow+pretrained-dnn:4,epochs=1,pretrain=none"
    texts = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "t.jsonl"))).add_space(spec)
    assert {label for label, _ in classified(texts, spec, "the sea").labels} == {"sea", "land"}
    with pytest.raises(QueryError, match="no word of the query is known"):
        classified(texts, spec, "qqq")
