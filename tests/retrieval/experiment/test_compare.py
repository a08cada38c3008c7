"""The straight line on the built-in pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from encoders.errors import OptionError, UnknownNameError
from encoders.pipeline import Pipeline
from encoders.progress import Watched, watching
from indexers import registry
from indexers.exact import Exact
from retrieval.corpora.registry import open_corpus
from retrieval.experiment import fusion as fusion_module
from retrieval.experiment.compare import compare
from retrieval.experiment.compare_options import CompareOptions
from retrieval.report.html.comparison import write_page
from retrieval.report.json import to_json
from retrieval.report.notes import notes
from retrieval.report.terminal.comparison import comparisons_lines
from retrieval.report.verdict import answer


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


def test_the_bar_of_the_fits_ends_with_them(tmp_path, monkeypatch):
    """It stood at "100%, 3 of 3 spaces, 0.0 s left" as long as fusion, budgets and health took."""
    labels = np.repeat(list("ab"), 20)
    np.savez(tmp_path / "v.npz", vectors=np.random.default_rng(0).normal(size=(40, 4)).astype("f"), labels=labels)
    watched, seen = Watched(), []
    real = fusion_module.nested_cross_validation

    def recorded(*arguments):
        seen.append([bar.what for bar in watched.bars])
        return real(*arguments)

    monkeypatch.setattr(fusion_module, "nested_cross_validation", recorded)
    with watching(watched):
        options = CompareOptions(fusion=True)
        compare(open_corpus(str(tmp_path / "v.npz")), ["vectors", "vectors+pca:2"], examples=0, options=options)
    assert seen == [["fusing spaces"]]


def test_bad_specs_are_refused_before_any_work():
    with pytest.raises(UnknownNameError, match="did you mean 'pca'"):
        compare(open_corpus("digits"), ["pixels+pcaa:3"])
    for same in ("pixels", "pixels:None"):
        with pytest.raises(OptionError, match="only once"):
            compare(open_corpus("digits"), ["pixels", same])


def test_a_corpus_that_says_nothing_of_relevance_needs_three_spaces_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("text\nred\ngreen\n")
    monkeypatch.setattr("retrieval.experiment.compare.indexed_spaces", lambda *_: pytest.fail("a space was fitted"))
    with pytest.raises(OptionError, match="at least 3 spaces, but 1 is given"):
        compare(open_corpus(str(tmp_path / "t.csv")), ["bm25"])


@pytest.mark.parametrize("count", [3, 9])
def test_a_corpus_of_few_items_is_compared_by_what_answers_there_are(tmp_path, count):
    rows = "".join(f"red w{place} w{place // 2},{place % 2}\n" for place in range(count))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}")
    comparison = compare(open_corpus(str(tmp_path / "t.csv")), ["bow", "bow:binary=true"])
    assert comparison.n_items == count
    assert comparison.overlaps[0].jaccard == 1


def test_the_ceiling_of_a_measure_is_said_and_equal_spaces_are_equal(tmp_path):
    rows = "".join(f"{word} {word}{n},{word}\n" for word in ("red", "green", "blue") for n in range(4))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}")
    comparison = compare(open_corpus(str(tmp_path / "t.csv")), ["bow", "bow:binary=true"])
    assert comparison.notes == [
        "P@10 is at most 0.300 and P@100 is at most 0.030 here, as a query has 3 relevant items."
    ]
    assert answer(comparison) == "bow and bow:binary=true are tied on P@10: both have 0.300."
    value = to_json(comparison)
    assert value["notes"] == notes(comparison)
    assert not any(space.measures["AP@100"] < 1 for space in comparison.spaces)


def test_no_ceiling_is_said_where_all_measures_can_reach_1():
    comparison = compare(open_corpus("digits"), ["pixels"], examples=0)
    assert comparison.notes == []


class Short(Exact):
    """Gives 50 answers and no more, as a server gives 10,000."""

    name = "short"
    max_k = 50
    closed = 0

    def _search(self, queries, k):
        assert k <= self.max_k
        return super()._search(queries, k)

    def close(self):
        Short.closed += 1


@pytest.fixture
def short(monkeypatch):
    others = registry.index_class
    monkeypatch.setattr(registry, "index_class", lambda name: Short if name == "short" else others(name))
    monkeypatch.setattr(Short, "closed", 0)
    return Short


def test_every_space_is_encoded_once_and_put_into_each_index(monkeypatch, comparison):
    encoded = []
    encode = Pipeline.encode
    monkeypatch.setattr(Pipeline, "encode", lambda self, batch: encoded.append(len(batch)) or encode(self, batch))
    both = compare(open_corpus("digits"), ["pixels", "pixels+pca:16"], ["faiss:Flat", "exact"], examples=1)
    assert sum(encoded) == 1797
    assert [(row.spec, row.index) for row in both.spaces] == [
        (spec, index) for spec in ("pixels", "pixels+pca:16") for index in ("faiss:Flat", "exact")
    ]
    labels = [f"{spec} @ {index}" for spec in ("pixels", "pixels+pca:16") for index in ("faiss:Flat", "exact")]
    assert [row.label for row in both.spaces] == labels
    assert [(pair.first, pair.second) for pair in both.overlaps[:3]] == [(labels[0], other) for other in labels[1:]]
    assert both.overlaps[0].jaccard > 0.99 > both.overlaps[1].jaccard
    assert len(both.examples[0].answers) == 4
    for row, alone in zip(both.spaces[1::2], comparison.spaces, strict=False):
        assert row.measures == alone.measures
        assert alone.label == alone.spec == row.spec


def test_auto_stands_beside_an_index_that_it_does_not_choose():
    both = compare(open_corpus("digits"), ["pixels"], [None, "faiss:Flat"], examples=0)
    assert [row.label for row in both.spaces] == ["pixels @ exact", "pixels @ faiss:Flat"]


@pytest.mark.parametrize(
    ("indexes", "words"),
    [
        (["exact", "faiss:Flat", "exact"], "the index 'exact' is named twice: name each only once"),
        (["faiss:HNSW32?efSearch=20", "faiss:HNSW32?efSearch=20"], "named twice"),
        (["auto", None], "named twice"),
        (["exact", "auto"], "leave 'auto' or 'exact' out"),
        (["exact", "fais"], "did you mean 'faiss'"),
        ([], "name at least one index"),
    ],
)
def test_bad_indexes_are_refused_before_any_work(indexes, words, monkeypatch):
    monkeypatch.setattr("retrieval.experiment.compare.indexed_spaces", lambda *_: pytest.fail("a space was fitted"))
    with pytest.raises((OptionError, UnknownNameError), match=words):
        compare(open_corpus("digits"), ["pixels"], indexes)


def test_an_index_of_few_answers_is_measured_by_those_and_has_no_curve(short):
    row, whole = compare(open_corpus("digits"), ["pixels"], ["short", "exact"], examples=1).spaces
    assert row.precision_recall is None
    assert row.measures == {"P@10": whole.measures["P@10"]}
    assert row.tied_with_best == {"P@10": True}
    assert list(whole.measures) == list(whole.tied_with_best) == ["P@10", "P@100", "AP@100"]
    assert whole.precision_recall is not None


def test_a_graph_that_does_not_reach_all_items_has_no_curve_and_an_inverted_index_has_one():
    graph, flat = compare(open_corpus("digits"), ["pixels"], ["faiss:HNSW4", "faiss:Flat"], examples=1).spaces
    assert graph.precision_recall is None  # what it does not find would be ranked in the order of the corpus
    assert flat.precision_recall is not None


def test_an_inverted_index_has_a_curve_in_which_what_it_does_not_find_comes_last(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\nred,a\nred,a\nred,b\ngreen,a\n")
    row = compare(open_corpus(str(tmp_path / "t.csv")), ["bow"]).spaces[0]
    assert row.precision_recall is not None
    # Both reds of class a find each other before or behind the red of class b, and the green one last or next to last.
    assert 0.5 < row.precision_recall[0] <= 1


def test_an_index_of_few_answers_is_judged_by_qrels_as_far_as_it_goes(short, tmp_path):
    (tmp_path / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": f"d{n}", "text": f"red word{n}"}) + "\n" for n in range(60))
    )
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "red word7"}))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td7\t1\n")
    row, whole = compare(open_corpus(str(tmp_path)), ["tfidf"], ["short", "exact"], examples=1).spaces
    assert row.measures == {"nDCG@10": 1.0, "RR@10": 1.0}
    assert row.precision_recall is None
    assert whole.measures.keys() == {"nDCG@10", "AP", "RR@10", "R@100"}


def test_indexes_are_closed_when_all_is_done(short):
    compare(open_corpus("digits"), ["pixels", "pixels+pca:16"], ["faiss:Flat", "short"], examples=0)
    assert short.closed == 2 + 1  # one was made to see whether the description is right


@pytest.mark.parametrize("place", ["_add", "_search"])
def test_indexes_are_closed_after_an_error(short, place, monkeypatch):
    calls = []

    def fail_the_second_time(self, *given):
        calls.append(self)
        if self is not calls[0]:
            raise KeyboardInterrupt
        return getattr(Exact, place)(self, *given)

    monkeypatch.setattr(short, place, fail_the_second_time)
    with pytest.raises(KeyboardInterrupt):
        compare(open_corpus("digits"), ["pixels", "pixels+pca:16"], ["short", "faiss:Flat"], examples=0)
    assert short.closed == 2 + 1


@pytest.mark.parametrize("indexes", [["auto", "elasticsearch"], ["elasticsearch", "auto"]])
def test_a_server_is_compared_with_an_index_at_hand_and_keeps_nothing(
    tmp_path, elasticsearch_url, elasticsearch_client, index_name, indexes
):
    rows = "".join(f"red word{place} word{place // 2},{place % 3}\n" for place in range(60))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}")
    server = f"elasticsearch:{elasticsearch_url}/{index_name}"
    named = [server if index == "elasticsearch" else index for index in indexes]
    comparison = compare(open_corpus(str(tmp_path / "t.csv")), ["bm25", "tfidf+lsa:8"], named, examples=1)
    by_label = {row.label: row for row in comparison.spaces}
    for spec, local in (("bm25", "sparse"), ("tfidf+lsa:8", "exact")):
        there, here = by_label[f"{spec} @ {server}"], by_label[f"{spec} @ {local}"]
        assert there.measures["P@10"] == pytest.approx(here.measures["P@10"], abs=0.1)
    assert not elasticsearch_client.indices.get(index=f"{index_name}*", expand_wildcards="all")


def test_spaces_that_answer_nothing_have_no_neighbours_in_common(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\nred,a\ngreen,a\nblue,b\nwhite,b\n")
    found = compare(open_corpus(str(tmp_path / "t.csv")), ["bow", "tfidf"])
    assert np.isnan(found.overlaps[0].jaccard)
    assert np.isnan(found.overlaps[0].rbo)


def test_with_random_labels_no_space_is_called_best(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "noise.npz"
    np.savez(path, vectors=rng.normal(size=(300, 12)).astype(np.float32), labels=rng.integers(0, 5, 300).astype(str))
    found = compare(open_corpus(str(path)), ["vectors", "vectors+pca:4", "vectors+random-projection:4"])
    assert answer(found).startswith("No space is significantly better on P@10 than a random order (0.")
    assert abs(found.chance["P@10"] - 0.2) < 0.01
    assert not any(found.above_chance.values())


@pytest.mark.parametrize("specs", [["bow"], ["bow", "bow+lsa:1"], ["tfidf", "bow:stop=none"]])
@pytest.mark.parametrize("health", [False, True])
def test_queries_that_are_all_alike_are_compared_and_drawn(tmp_path, specs, health):
    """One word is the whole vocabulary: a code of one number has no map."""
    (tmp_path / "alike.csv").write_text("text,label\n" + "".join(f"same words here,{'ab'[n % 2]}\n" for n in range(30)))
    corpus = open_corpus(str(tmp_path / "alike.csv"))
    found = compare(corpus, specs, examples=2, options=CompareOptions(health=health))
    assert (
        answer(found).count("not significantly better") + answer(found).count("No space is significantly better") == 1
    )
    assert write_page(found, tmp_path / "report.html").exists()
    assert comparisons_lines([found])
    if health:
        assert {one.reason for one in found.health.spaces} == {"all 30 sampled items have the same code"}
