"""The TREC files of a comparison: other tools read them and find the same measures."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import pytrec_eval

from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.trec import read_qrels, read_run
from retrieval.experiment import trec_files
from retrieval.experiment.compare import compare
from retrieval.experiment.trec_files import write_trec_files

TREC_NAMES = {"nDCG@10": "ndcg_cut_10", "AP": "map", "RR@10": "recip_rank", "R@100": "recall_100"}
TREC_NAMES |= {"P@10": "P_10", "P@100": "P_100", "AP@100": "map_cut_100"}


def vectors(folder, labels):
    points = np.random.default_rng(3).normal(size=(len(labels), 6)).astype(np.float32)
    np.savez(folder / "v.npz", vectors=points, labels=np.array(labels))
    return open_corpus(str(folder / "v.npz"))


def assert_read_back(comparison, folder) -> None:
    """pytrec_eval finds the numbers of the table in the files."""
    names = {name: TREC_NAMES[name] for name in comparison.spaces[0].measures}
    qrels = read_qrels(folder / "qrels")
    assert len(qrels) == comparison.n_queries
    runs = sorted(folder.glob("*.run"))
    assert len(runs) == len(comparison.spaces)
    for path, space in zip(runs, comparison.spaces, strict=True):
        theirs = pytrec_eval.RelevanceEvaluator(qrels, set(names.values())).evaluate(read_run(path))
        for ours, name in names.items():
            values = [one[name] for one in theirs.values()]
            if ours == "RR@10":  # trec_eval's reciprocal rank has no cutoff
                values = [value if value >= 1 / 10 else 0.0 for value in values]
            mean = sum(values) / len(qrels)
            assert mean == pytest.approx(space.measures[ours], abs=1e-9), (space.label, ours)


def test_with_labels_pytrec_eval_reads_the_same_numbers(tmp_path):
    # every class has fewer than 100 items, where AP@100 by label is map_cut_100
    found = compare(vectors(tmp_path, list("abcde" * 30)), ["vectors", "vectors+pca:3"], examples=0)
    text = write_trec_files(found, tmp_path / "trec")
    assert text == f"TREC files: {tmp_path / 'trec'} (2 runs and the qrels)"
    assert [path.name for path in sorted((tmp_path / "trec").iterdir())] == [
        "1-vectors.run", "2-vectors+pca_3.run", "qrels",
    ]  # fmt: skip
    assert_read_back(found, tmp_path / "trec")


def test_with_qrels_pytrec_eval_reads_the_same_numbers(tmp_path):
    words = np.random.default_rng(0).permutation(120)
    texts = [f"red{word % 7} kite{word % 11} sea{word % 5} w{word}" for word in words]
    for name, rows in (("corpus", enumerate(texts)), ("queries", enumerate(texts[:12]))):
        prefix = "d" if name == "corpus" else "q"
        lines = [json.dumps({"_id": f"{prefix}{at}", "text": text}) + "\n" for at, text in rows]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
    (tmp_path / "qrels").mkdir()
    judged = "".join(f"q{query}\td{query * 7 + step}\t{step % 3}\n" for query in range(12) for step in range(6))
    (tmp_path / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    found = compare(open_corpus(str(tmp_path)), ["tfidf+lsa:20"], examples=0)
    assert found.judged_by == "qrels"
    write_trec_files(found, tmp_path / "trec")
    assert_read_back(found, tmp_path / "trec")


def test_large_classes_have_no_qrels_file(tmp_path, monkeypatch):
    found = compare(vectors(tmp_path, list("ab" * 20)), ["vectors"], examples=0)
    monkeypatch.setattr(trec_files, "MAX_LINES", 100)
    assert write_trec_files(found, tmp_path / "trec").endswith("(1 run and no qrels, which would have 760 lines)")
    assert [path.name for path in (tmp_path / "trec").iterdir()] == ["1-vectors.run"]


def test_ids_with_spaces_are_no_trec_files_and_the_reason_is_said(tmp_path):
    (tmp_path / "t.csv").write_text("id,text,label\nmy id,red,a\nb,red,a\nc,red,b\nd,red,b\n")
    found = compare(open_corpus(str(tmp_path / "t.csv")), ["bow"], examples=0)
    assert "no TREC files: the query id 'my id' cannot stand in a TREC file" in write_trec_files(
        found, tmp_path / "trec"
    )


def test_an_id_that_no_file_can_hold_leaves_no_file(tmp_path):
    (tmp_path / "t.csv").write_text("id,text,label\na,red,a\nb,red,a\nmy id,red,\nd,red,b\ne,red,b\n")
    found = compare(open_corpus(str(tmp_path / "t.csv")), ["bow"], examples=0)
    assert "the document id 'my id' cannot stand" in write_trec_files(found, tmp_path / "trec")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "t.csv"]


def test_runs_of_an_earlier_comparison_stay_and_are_named(tmp_path):
    corpus = vectors(tmp_path, ["a", "b"] * 6)
    both, one = (compare(corpus, specs, examples=0) for specs in (["vectors", "vectors+pca:2"], ["vectors"]))
    assert "not of this comparison" not in write_trec_files(both, tmp_path / "trec")
    assert "not of this comparison" not in write_trec_files(both, tmp_path / "trec")
    said = write_trec_files(one, tmp_path / "trec")
    assert said.endswith("(1 run and the qrels); not of this comparison: 2-vectors+pca_2.run")
    assert (tmp_path / "trec" / "2-vectors+pca_2.run").exists()
    one.query_set.queries[0] = replace(one.query_set.queries[0], id="with space")
    said = write_trec_files(one, tmp_path / "trec")
    assert said.startswith("no TREC files: ")
    assert said.endswith("; not of this comparison: 2-vectors+pca_2.run")
