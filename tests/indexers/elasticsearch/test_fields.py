"""What a space becomes on the server: refused where it cannot be, found where it can, zero vectors among them."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Kind, Lexicon, Metric, Space
from encoders.errors import DimensionError, ServerError, UnsupportedSpaceError
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.fields import BitField, DenseField, WordsField, sent_word, similarity_name
from indexers.registry import create_index


def dense(dim, metric=Metric.COSINE):
    return Space(dim, Kind.DENSE, metric)


@pytest.mark.parametrize(
    ("algorithm", "space", "said"),
    [
        ("bbq_hnsw", dense(63), "bbq_hnsw needs at least 64 numbers, this space has 63: use int8_hnsw"),
        ("bbq_flat", dense(2), "bbq_flat needs at least 64 numbers"),
        ("int4_hnsw", dense(65), "int4_hnsw needs an even width, this space has 65: use int8_hnsw"),
        ("int4_flat", dense(3), "int4_flat needs an even width"),
        ("hnsw", dense(4097), "at most 4,096 numbers, this space has 4,097: shorten the codes, e.g. by"),
        ("flat", Space(32_776, Kind.BINARY, Metric.HAMMING), "at most 32,768 bits, this space has 32,776: use faiss"),
    ],
)
def test_refused_before_anything_is_asked_of_a_server(algorithm, space, said):
    with pytest.raises(DimensionError) as caught:
        create_index(f"elasticsearch:http://nowhere.invalid/x,{algorithm}", space)
    assert said in str(caught.value)


def test_sparse_codes_without_their_words_are_refused():
    with pytest.raises(UnsupportedSpaceError, match="use sparse or exact"):
        create_index("elasticsearch:http://nowhere.invalid/x", Space(9, Kind.SPARSE, Metric.COSINE))


@pytest.mark.parametrize(("algorithm", "dim"), [("bbq_flat", 64), ("int4_flat", 6), ("int8_flat", 7), ("hnsw", 4096)])
def test_the_least_and_the_most_that_is_not_refused_is_taken(elasticsearch_url, index_name, algorithm, dim):
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((40, dim)).astype(np.float32)
    with create_index(f"elasticsearch:{elasticsearch_url}/{index_name},{algorithm}?rescore=true", dense(dim)) as index:
        index.add([str(row) for row in range(40)], codes)
        (hits,) = index.search(codes[:1], 3)
        assert hits[0].id == "0"
        assert hits[0].score == pytest.approx(1, abs=1e-5)


def test_the_widest_bits(elasticsearch_url, index_name):
    bits = np.random.default_rng(0).integers(0, 256, (3, 32_768 // 8), dtype=np.uint8)
    space = Space(32_768, Kind.BINARY, Metric.HAMMING)
    with create_index(f"elasticsearch:{elasticsearch_url}/{index_name},flat", space) as index:
        index.add(["a", "b", "c"], bits)
        (hits,) = index.search(bits[1:2], 3)
        truth = {name: -int(np.unpackbits(bits[1] ^ row).sum()) for name, row in zip("abc", bits, strict=True)}
        assert dict(hits) == truth


@pytest.mark.parametrize("metric", [Metric.COSINE, Metric.DOT, Metric.EUCLIDEAN])
@pytest.mark.parametrize("algorithm", ["flat", "hnsw", "int8_hnsw"])
def test_zero_vectors_are_served_and_score_as_everywhere(elasticsearch_url, index_name, metric, algorithm):
    codes = np.eye(4, dtype=np.float32)
    codes[2] = 0
    space = dense(4, metric)
    exact = create_index("exact", space)
    exact.add(list("abcd"), codes)
    with create_index(f"elasticsearch:{elasticsearch_url}/{index_name},{algorithm}?rescore=true", space) as index:
        index.add(list("abcd"), codes)
        for query in (codes[:1], np.zeros((1, 4), np.float32)):
            found, wanted = dict(index.search(query, 4)[0]), dict(exact.search(query, 4)[0])
            assert found.keys() == wanted.keys()
            assert all(found[id] == pytest.approx(wanted[id], abs=1e-6) for id in wanted)


def test_rows_that_do_not_lie_one_behind_another_are_sent(elasticsearch_url, index_name):
    codes = np.asfortranarray(np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32))
    with create_index(f"elasticsearch:{elasticsearch_url}/{index_name},flat", dense(6, Metric.EUCLIDEAN)) as index:
        index.add([str(row) for row in range(20)], codes)
        assert index.search(codes[::2][3:4], 1)[0] == [("6", 0)]


def test_a_server_that_refuses_the_index_says_why(elasticsearch_url, index_name, monkeypatch):
    monkeypatch.setattr("indexers.elasticsearch.fields.MAX_NUMBERS", 10_000)
    with (
        create_index(f"elasticsearch:{elasticsearch_url}/{index_name}", dense(4097)) as index,
        pytest.raises(ServerError, match=r"refuses the index: .*4097"),
    ):
        index.add(["a"], np.ones((1, 4097), np.float32))


# -- scores -----------------------------------------------------------------------------------------------------------


def test_scores_are_turned_back():
    address = Address.read("http://a/b")
    distances = np.array([0, 0.5, 3.0, 1e6])
    euclidean = DenseField(dense(4, Metric.EUCLIDEAN), address)
    np.testing.assert_allclose(euclidean.scores(1 / (1 + distances)), -distances, rtol=1e-6)
    products = np.array([-5.0, -0.25, 0.0, 0.25, 7.0])
    raw = np.where(products < 0, 1 / (1 - products), products + 1)
    np.testing.assert_allclose(DenseField(dense(4, Metric.DOT), address).scores(raw), products, rtol=1e-6)
    cosines = DenseField(dense(4, Metric.COSINE), address).scores(raw)
    np.testing.assert_allclose(cosines, np.clip(products, -1, 1), rtol=1e-6)
    bits = BitField(Space(20, Kind.BINARY, Metric.HAMMING), address)
    assert bits.scores((24 - np.arange(25)) / 24).tolist() == [-float(bit) for bit in range(25)]
    words = WordsField(Space(3, Kind.SPARSE, Metric.DOT), address, Lexicon(("a", "b", "c"), 1.5, 0.75))
    assert words.scores(np.array([2.5])).tolist() == [1]


def test_similarities_of_other_parameters_have_other_names():
    parameters = [(1.5, 0.75), (15, 0.75), (1.5, 0.075), (0.0, 1.0), (1e-07, 1)]
    names = {similarity_name(Lexicon((), k1, b)) for k1, b in parameters}
    assert len(names) == len(parameters)
    assert not any("." in name for name in names)


@pytest.mark.parametrize("word", ["x" * 255, "é" * 255, "𠀀" * 127])
def test_words_that_the_tokenizer_leaves_whole_are_sent_as_they_are(word):
    assert sent_word(word) == word


@pytest.mark.parametrize("word", ["x" * 256, "é" * 256, "𠀀" * 128, "𠀀" * 1000])
def test_others_are_sent_as_something_that_it_does(word):
    assert len(sent_word(word).encode("utf-16-le")) // 2 <= 255
    assert sent_word(word) != sent_word(word + "y")
