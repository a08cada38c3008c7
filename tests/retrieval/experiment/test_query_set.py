"""What every space is asked: no query without an answer, none that answers itself, none that was learnt from."""

from __future__ import annotations

import json

import numpy as np
import pytest

from encoders.errors import CorpusError, OptionError
from encoders.registry import create
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import compare, compare_collection
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.fusion import require_fusion
from retrieval.experiment.label_ladder.queries import queries_on_rung
from retrieval.experiment.query_set import CorpusWithout, QuerySet


def beir(folder, documents: dict[str, str], queries: dict[str, str], qrels: list[tuple[str, str, int]]):
    for name, texts in (("corpus", documents), ("queries", queries)):
        lines = [json.dumps({"_id": identity, "text": text}) + "\n" for identity, text in texts.items()]
        (folder / f"{name}.jsonl").write_text("".join(lines))
    (folder / "qrels").mkdir()
    rows = "".join(f"{query}\t{document}\t{grade}\n" for query, document, grade in qrels)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")
    return open_corpus(str(folder))


def labelled(folder, labels, seed=0, width=8):
    vectors = np.random.default_rng(seed).normal(size=(len(labels), width)).astype(np.float32)
    np.savez(folder / "noise.npz", vectors=vectors, labels=np.array(labels))
    return open_corpus(str(folder / "noise.npz"))


def test_a_query_that_is_a_document_never_answers_itself(tmp_path):
    corpus = beir(
        tmp_path,
        {"d1": "red kite", "d2": "red kite guild", "d3": "green boat", "d4": "boat race"},
        {"d1": "red kite", "d3": "green boat"},
        [("d1", "d2", 1), ("d3", "d4", 1), ("d1", "d1", 1)],
    )
    found = compare(corpus, ["bm25"])
    assert found.spaces[0].measures["nDCG@10"] == 1.0  # judged relevant to itself, it is no answer all the same
    assert found.notes == ["2 queries are documents of the corpus under the same id, and never their own answers."]


@pytest.mark.parametrize("text", ["kite", "zzz"])
def test_queries_that_are_all_alike_show_no_difference_and_are_said(tmp_path, text):
    documents = {f"d{n}": f"boat {'kite ' * (n % 3)} number {n}" for n in range(40)}
    queries = {f"q{n}": text for n in range(30)}
    corpus = beir(tmp_path, documents, queries, [(one, "d3", 1) for one in queries])
    found = compare(corpus, ["bm25", "tfidf+lsa:2", "tfidf"], options=CompareOptions(budgets=(4,)))
    for tested in found.significance.values():
        assert tested.n_queries == 1
        assert not any(one.is_significant for one in tested.differences)
    assert not any(found.above_chance.values())
    assert found.byte_budgets.n_queries == 1
    assert any(one.startswith("The 30 queries are one query, repeated: repeats count") for one in found.notes)


def test_repeats_of_queries_are_counted_and_items_that_ask_are_left_to_the_jackknife(tmp_path):
    corpus = beir(
        tmp_path,
        {"d1": "red kite", "d2": "green boat"},
        {"q1": "kite", "q2": "boat", "q3": "kite"},
        [("q1", "d1", 1), ("q2", "d2", 1), ("q3", "d1", 1)],
    )
    first, second, third = QuerySet.of(corpus).repeats
    assert first == third != second
    assert QuerySet.of(open_corpus("digits")).repeats is None


def test_numbers_that_count_queries_and_documents_apart_are_not_the_same(tmp_path):
    documents, queries = {"1": "red kite", "2": "green boat", "3": "a kite"}, {"1": "kite", "2": "kite", "3": "a kite"}
    corpus = beir(tmp_path, documents, queries, [("1", "3", 1), ("2", "2", 1), ("3", "1", 1)])
    query_set = QuerySet.of(corpus)
    assert [query.id for query in query_set.queries] == ["1", "2", "3"]
    assert query_set.query_rows.tolist() == [
        0,
        -1,
        2,
    ]  # query 1 stands in document 1; query 2 and document 2 share a number only


def test_queries_that_cannot_be_answered_are_left_out_and_counted(tmp_path):
    documents, queries = {"a": "red kite", "b": "green boat"}, {"q1": "kite", "q2": "boat", "q3": "sea", "q4": "sky"}
    corpus = beir(tmp_path, documents, queries, [("q1", "a", 1), ("q2", "gone", 1), ("q3", "b", 0)])
    found = compare(corpus, ["bm25"])
    assert found.n_queries == 1
    assert found.spaces[0].measures["nDCG@10"] == 1.0
    # The reader of BEIR folders leaves queries without any judgement to other splits.
    assert found.notes == ["2 queries are left out: no relevant document in the corpus."]


def test_items_without_a_label_or_without_a_class_mate_are_not_asked(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\nred kite,a\nred boat,a\nblue,b\ngreen,\n")
    found = compare(open_corpus(str(tmp_path / "t.csv")), ["bow"])
    assert found.n_queries == 2
    assert found.spaces[0].measures["P@10"] == pytest.approx(0.1)
    assert found.notes == [
        "1 query is left out: no label.",
        "1 query is left out: no other item has the same label.",
        "P@10 is at most 0.100 and P@100 is at most 0.010 here, as a query has 1 relevant item.",
    ]


def test_a_corpus_whose_queries_all_have_no_answer_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\nred,a\nblue,b\n")
    with pytest.raises(
        CorpusError,
        match=r"no query .* has a relevant item \(2 queries are left out: no other item has the same label\)",
    ):
        compare(open_corpus(str(tmp_path / "t.csv")), ["bow"])


READ_LABELS = ["vectors+select:4,criterion=chi2", "vectors+select:4,criterion=mutual-information"]
READ_LABELS += ["vectors+pretrained-dnn:32,epochs=30,pretrain=none,drop=0,batch-size=32"]


@pytest.mark.parametrize("spec", READ_LABELS)
def test_random_labels_of_noise_are_found_no_more_often_than_by_chance(tmp_path, spec):
    labels = np.random.default_rng(1).integers(0, 10, 400).astype(str)
    corpus = labelled(tmp_path, labels)
    if "chi2" in spec:  # counts only
        vectors = np.random.default_rng(2).integers(0, 3, (400, 8)).astype(np.float32)
        np.savez(tmp_path / "noise.npz", vectors=vectors, labels=labels)
        corpus = open_corpus(str(tmp_path / "noise.npz"))
    found = compare(corpus, [spec], examples=0)
    assert found.n_queries == 80
    chance = float(((np.bincount(labels.astype(int)) - 1)[labels.astype(int)] / 399).mean())
    deviation = np.sqrt(chance * (1 - chance) / (80 * 10))
    assert abs(found.spaces[0].measures["P@10"] - chance) < 4 * deviation
    assert "fitted on the other 320 items" in found.notes[0]


def test_every_space_is_asked_the_same_queries_and_only_those_that_read_labels_lose_them(tmp_path, monkeypatch):
    fitted = {}
    corpus = labelled(tmp_path, list("abcde" * 20))
    monkeypatch.setattr(
        "retrieval.experiment.fitted_encoders.fitted",
        lambda encoder, batches: (
            fitted.update({str(encoder): sum(len(batch.items) for batch in batches)}) or (encoder.fit(batches) and 0.0)
        ),
    )
    found = compare(corpus, ["vectors", READ_LABELS[1]], examples=0)
    assert {len(space.per_query["P@10"]) for space in found.spaces} == {20}
    assert fitted == {"vectors": 100, READ_LABELS[1]: 80}


def test_who_is_held_out_does_not_depend_on_the_order_of_the_corpus(tmp_path):
    labels = list("abcde" * 20)
    corpus = labelled(tmp_path, labels)
    chosen = {query.content.tobytes() for query in QuerySet.of(corpus, hold_out=True).queries}
    with np.load(tmp_path / "noise.npz") as whole:
        order = np.random.default_rng(4).permutation(100)
        np.savez(tmp_path / "other.npz", vectors=whole["vectors"][order], labels=whole["labels"][order])
    again = QuerySet.of(open_corpus(str(tmp_path / "other.npz")), hold_out=True)
    assert {query.content.tobytes() for query in again.queries} == chosen
    assert len(again.held_out) == 20
    assert sum(1 for _ in again.training(corpus)) == sum(1 for _ in CorpusWithout(corpus, again.held_out)) == 80


def test_a_collection_fitted_on_the_labels_of_its_items_is_not_judged_by_them(tmp_path):
    corpus = labelled(tmp_path, list("abcde" * 20))
    collection = LocalCollection.create(tmp_path / "c", corpus).add_space("vectors").add_space(READ_LABELS[1])
    found = compare_collection(collection)
    assert [space.spec for space in found.spaces] == ["vectors"]
    assert any("would show what it remembers; it is left out" in note for note in found.notes)
    with pytest.raises(OptionError, match="compare the corpus itself"):
        compare_collection(collection, [READ_LABELS[1]])


def test_an_encoder_that_was_trained_on_the_labels_that_ask_is_refused(tmp_path):
    corpus = labelled(tmp_path, list("abcde" * 20))
    collection = LocalCollection.create(tmp_path / "c", corpus).add_space(READ_LABELS[1])
    collection.space(READ_LABELS[1]).encoder.save(tmp_path / "saved")
    with pytest.raises(OptionError, match="name the encoder instead of its folder"):
        compare(corpus, ["vectors", str(tmp_path / "saved")])


def test_a_pipeline_reads_labels_where_one_of_its_stages_does():
    assert create("select:3,criterion=chi2").reads_labels
    assert create("vectors+select:3,criterion=chi2+pca:2").reads_labels
    assert not create("vectors+select:3+pca:2").reads_labels


def test_a_space_that_answers_no_query_is_said_and_queries_that_are_all_alike_are_not_fused(tmp_path):
    documents, queries = ({f"{kind}{n}": word for n in range(12)} for kind, word in (("d", "red"), ("q", "blue")))
    corpus = beir(tmp_path, documents, queries, [(f"q{n}", f"d{n}", 1) for n in range(12)])
    found = compare(corpus, ["bow"], examples=0)
    assert "bow answers no query: nothing in the queries occurs in its items." in found.notes
    _, query_set = queries_on_rung(corpus)
    with pytest.raises(OptionError, match=r"--fusion .* all 12 queries are alike: leave it out"):
        require_fusion(query_set, ["bow", "tfidf"])
