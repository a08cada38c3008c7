"""Words: what Lucene makes of them is what is expected of counts, lengths as it rounds them, and true averages."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import ArtifactError, NearbyError
from encoders.registry import create
from indexers.registry import create_index, load_index
from retrieval.corpora.registry import open_corpus

K = 50


def length_as_rounded(length):
    """Lucene keeps lengths in a byte: the top four bits of what is above 24."""
    above = int(length) - 24
    if above < 16:
        return int(length)
    shift = above.bit_length() - 4
    return 24 + (above >> shift << shift)


@pytest.mark.parametrize(
    ("length", "kept"), [(0, 0), (23, 23), (24, 24), (40, 40), (41, 40), (42, 42), (100, 96), (280, 280), (300, 280)]
)
def test_lengths_as_docs_say_they_are_rounded(length, kept):
    assert length_as_rounded(length) == kept


def expected(encoder, counts, queries):
    """BM25 of every query and document, in float64, by the definition."""
    held = counts.toarray().astype(float)
    held = held[held.sum(axis=1) > 0]  # documents without any word are not counted
    lengths = held.sum(axis=1)
    frequency = (held > 0).sum(axis=0)
    idf = np.log(1 + (len(held) - frequency + 0.5) / (frequency + 0.5))
    all_counts = counts.toarray().astype(float)
    rounded = np.array([length_as_rounded(length) for length in all_counts.sum(axis=1)])
    discount = 1 - encoder.b + encoder.b * rounded / lengths.mean()
    weights = idf * all_counts / (all_counts + encoder.k1 * discount[:, None] + (all_counts == 0))
    return queries @ weights.T


@pytest.mark.parametrize(
    ("spec", "shards"), [("bm25", 1), ("bm25", 3), ("bm25:k1=0", 1), ("bm25:k1=0.9,b=1,stop=none,stem=none", 3)]
)
def test_cranfield(elasticsearch_url, index_name, spec, shards):
    try:
        corpus = open_corpus("cranfield")
    except NearbyError as error:
        pytest.skip(f"no cranfield here: {error}")
    texts = [item.content for item in corpus]
    texts[17] = ""
    encoder = create(spec).fit(texts)
    counts = encoder.encode_counts(texts)
    queries = encoder.encode_queries([query.content for query in corpus.queries()][:60])
    truth = expected(encoder, counts, queries)
    backend = f"elasticsearch:{elasticsearch_url}/{index_name},shards={shards}"
    with create_index(backend, encoder.space, encoder.lexicon) as index:
        index.add([str(row) for row in range(len(texts))], counts)
        found = index.search_rows(queries, K)
    for scores, rows, true in zip(found.scores, found.rows, truth, strict=True):
        count = min(K, int((true > 0).sum()))
        assert (rows[:count] >= 0).all()
        assert (rows[count:] == -1).all()
        np.testing.assert_allclose(scores[:count], true[rows[:count]], rtol=1e-4)
        np.testing.assert_allclose(scores[:count], np.sort(true)[::-1][:count], rtol=1e-4)
        assert len(set(rows[:count].tolist())) == count


LONG = "a" * 300
ODD = [LONG + "x", LONG + "y", "b" * 255, "東京", "日本", "𐌰" * 130, "𐌰" * 129 + "𐌱", "ünïcode", "naïve_1"]


def test_every_word_is_found_by_itself_and_by_no_other(elasticsearch_url, index_name):
    encoder = create("bm25:stem=none,stop=none").fit(ODD)
    assert len(encoder.vocabulary) == len(ODD) + 4  # each of 東京 and 日本 is two words, too
    with create_index(f"elasticsearch:{elasticsearch_url}/{index_name}", encoder.space, encoder.lexicon) as index:
        index.add([str(row) for row in range(len(ODD))], encoder.encode_counts(ODD))
        found = index.search(encoder.encode_queries(ODD), 9)
    assert [[hit.id for hit in hits] for hits in found] == [[str(row)] for row in range(len(ODD))]


def test_a_word_that_is_said_twice_counts_twice(elasticsearch_url, index_name):
    texts = ["river bank", "river river river", "money bank", "loan"]
    encoder = create("bm25:stem=none").fit(texts)
    with create_index(f"elasticsearch:{elasticsearch_url}/{index_name}", encoder.space, encoder.lexicon) as index:
        index.add(list("abcd"), encoder.encode_counts(texts))
        once, twice = index.search(encoder.encode_queries(["river", "river river"]), 4)
    assert [hit.id for hit in once] == [hit.id for hit in twice] == ["b", "a"]
    assert [hit.score for hit in twice] == pytest.approx([2 * hit.score for hit in once], rel=1e-5)


def test_a_saved_index_of_words_finds_the_same_when_it_is_loaded(elasticsearch_url, index_name, tmp_path):
    texts = ["red river bank", "bank of money", "river boat", "a boat on a river"]
    encoder = create("bm25").fit(texts)
    queries = encoder.encode_queries(["river boat", "money"])
    with create_index(f"elasticsearch:{elasticsearch_url}/{index_name}", encoder.space, encoder.lexicon) as index:
        index.add(list("abcd"), encoder.encode_counts(texts))
        found = index.search(queries, 4)
        index.save(tmp_path / "index")
    loaded = load_index(tmp_path / "index")
    assert loaded.lexicon == encoder.lexicon
    assert loaded.search(queries, 4) == found
    (tmp_path / "index" / "lexicon.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError):
        load_index(tmp_path / "index")
