"""Runs are judged as trec_eval judges them, ties included; labels as a slow loop and as the same qrels."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytrec_eval

from encoders.errors import CorpusError, DimensionError, OptionError
from retrieval.evaluation.evaluate import evaluate_labels, evaluate_run, precision_recall, precision_recall_labels
from retrieval.evaluation.trec import Run, read_qrels

TREC_NAMES = {
    "nDCG": "ndcg",
    "nDCG@10": "ndcg_cut_10",
    "nDCG@3": "ndcg_cut_3",
    "AP": "map",
    "AP@100": "map_cut_100",
    "AP@5": "map_cut_5",
    "RR": "recip_rank",
    "P@10": "P_10",
    "P@1": "P_1",
    "R@100": "recall_100",
    "R@5": "recall_5",
    "Success@10": "success_10",
    "Success@1": "success_1",
}
ASKED = {re.sub(r"_(\d+)$", r".\1", name) for name in TREC_NAMES.values()} | {"iprec_at_recall"}
LEVELS = [f"iprec_at_recall_{level / 10:.2f}" for level in range(11)]


def assert_equal_to_trec_eval(run: Run, qrels: dict[str, dict[str, int]], level: int = 1) -> None:
    theirs = pytrec_eval.RelevanceEvaluator(qrels, ASKED, relevance_level=level).evaluate(run)
    ours = evaluate_run(run, qrels, TREC_NAMES, level)
    curves = precision_recall(run, qrels, level)
    assert ours.query_ids == list(qrels)
    assert set(theirs) == set(run) & set(qrels)
    for row, query in enumerate(qrels):
        of_query = theirs.get(query, dict.fromkeys([*TREC_NAMES.values(), *LEVELS], 0.0))
        expected = {name: of_query[trec] for name, trec in TREC_NAMES.items()}
        assert {name: ours.per_query[name][row] for name in TREC_NAMES} == pytest.approx(expected, abs=1e-12), query
        np.testing.assert_allclose(curves[row], [of_query[name] for name in LEVELS], atol=1e-12, err_msg=query)


def random_collection(seed: int) -> tuple[Run, dict[str, dict[str, int]]]:
    """Many ties, grades from -2 to 4, unjudged answers, unanswered and unjudged queries, ids in no order."""
    rng = np.random.default_rng(seed)
    ids = [f"{prefix}{number}" for prefix in ("d", "D", "é", "z-", "") for number in range(60)]
    run: Run = {}
    qrels: dict[str, dict[str, int]] = {}
    for query in rng.permutation(40).astype(str):
        answers = rng.choice(ids, rng.integers(1, 200), replace=False).tolist()
        run[query] = dict(zip(answers, rng.integers(0, 1 + rng.integers(1, 30), len(answers)) / 7, strict=True))
        judged = rng.choice(ids, rng.integers(1, 120), replace=False).tolist()
        qrels[query] = dict(zip(judged, rng.integers(-2, 5, len(judged)).tolist(), strict=True))
        qrels[query][judged[0]] = 1  # with negative grades only, trec_eval keeps a count of the query before
    qrels["nothing relevant"] = {"d1": 0, "d2": 0}
    run["nothing relevant"] = {"d1": 1.0}
    qrels["unanswered"] = {"d1": 1}
    run["unjudged"] = {"d1": 1.0}
    return run, qrels


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("level", [1, 3])
def test_random_runs_equal_trec_eval(seed: int, level: int) -> None:
    assert_equal_to_trec_eval(*random_collection(seed), level)


def test_scores_that_differ_beyond_float32_tie_as_in_trec_eval() -> None:
    rng = np.random.default_rng(0)
    run = {"q": {f"d{i}": 1 + i * 1e-8 for i in rng.permutation(50).tolist()}}
    assert_equal_to_trec_eval(run, {"q": {f"d{i}": i % 3 for i in range(50)}})


def test_every_number_of_relevant_documents_gives_trec_eval_s_curve() -> None:
    # "level x R" is rounded in floating point: .1 x 30 + .9 and the like must fall on the same side.
    qrels = {str(n): {f"d{i}": 1 for i in range(n)} for n in range(1, 130)}
    run = {query: {f"d{i}": -float(i) for i in range(0, 60, 2)} for query in qrels}
    assert_equal_to_trec_eval(run, qrels)


@pytest.fixture(scope="module")
def cranfield() -> tuple[Run, dict[str, dict[str, int]]]:
    """A plain tf-idf run over Cranfield, its scores rounded so that many tie."""
    if "NEARBY_DATA" not in os.environ:
        pytest.skip("NEARBY_DATA is not set, so there is no cranfield")
    folder = Path(os.environ["NEARBY_DATA"]) / "beir" / "cranfield"
    if not folder.is_dir():
        pytest.skip(f"there is no cranfield in {folder}")

    def texts(name: str) -> dict[str, Counter[str]]:
        with gzip.open(folder / name, "rt", encoding="utf-8") as lines:
            entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return {entry["_id"]: Counter(re.findall(r"[a-z]+", entry["text"].lower())) for entry in entries}

    documents, queries = texts("corpus.jsonl.gz"), texts("queries.jsonl.gz")
    frequency = Counter(word for words in documents.values() for word in words)
    run: Run = {}
    for query, asked in queries.items():
        scores = {
            document: round(sum(words[word] / frequency[word] for word in asked.keys() & words.keys()), 2)
            for document, words in documents.items()
        }
        run[query] = dict(sorted(scores.items(), key=lambda pair: -pair[1])[:300])
    return run, read_qrels(folder / "qrels" / "test.tsv")


@pytest.mark.parametrize("level", [1, 2])
def test_a_real_run_equals_trec_eval(cranfield: tuple[Run, dict[str, dict[str, int]]], level: int) -> None:
    run, qrels = cranfield
    ties = np.mean([1 - len(set(answers.values())) / len(answers) for answers in run.values()])
    assert len(qrels) > 150
    assert ties > 0.1
    assert_equal_to_trec_eval(run, qrels, level)
    assert evaluate_run(run, qrels, ["AP"]).means["AP"] > 0.1


def test_runs_and_qrels_that_do_not_meet_are_refused() -> None:
    with pytest.raises(CorpusError, match=r"such as 'q1',.*hold '1'.*same test collection"):
        evaluate_run({"q1": {"d": 1.0}}, {"1": {"d": 1}}, ["AP"])
    with pytest.raises(CorpusError, match="none of the run's 0 queries"):
        evaluate_run({}, {"1": {"d": 1}}, ["AP"])
    with pytest.raises(CorpusError, match="no judgement"):
        evaluate_run({"q": {"d": 1.0}}, {}, ["AP"])
    with pytest.raises(CorpusError, match="not a number"):
        evaluate_run({"q": {"d": float("nan")}}, {"q": {"d": 1}}, ["AP"])
    with pytest.raises(OptionError, match="relevance level"):
        evaluate_run({"q": {"d": 1.0}}, {"q": {"d": 1}}, ["AP"], relevance_level=0)


def test_a_query_without_answers_scores_nothing() -> None:
    found = evaluate_run({"q": {}, "p": {}}, {"q": {"d": 1}}, TREC_NAMES)
    assert all(values.tolist() == [0.0] for values in found.per_query.values())
    np.testing.assert_array_equal(precision_recall({"q": {}}, {"q": {"d": 1}}), np.zeros((1, 11)))


# -- by label ------------------------------------------------------------------------------------------------


def labelled(seed: int, full: bool) -> tuple[Any, list[str | None], list[str | None], Any]:
    """Return rows, item labels, query labels and the rows of the queries: items 0..29 and ten that are none."""
    rng = np.random.default_rng(seed)
    labels: list[str | None] = [None if drawn == 4 else "abcd"[drawn] for drawn in rng.integers(0, 5, 80)]
    query_rows = np.append(np.arange(30), np.full(10, -1))
    query_labels = [*labels[:30], *"abcdabcd", None, "foreign"]
    rows = np.stack([rng.permutation(80) for _ in range(40)])
    rows[:20] = np.stack([np.append(i, row[row != i]) for i, row in enumerate(rows[:20])])  # itself first
    return rows if full else rows[:, :21], labels, query_labels, query_rows


def slow(
    rows: Any, labels: list[Any], query_labels: list[Any], query_rows: Any, name: str, k: int | None
) -> list[float]:
    """One query after another, in the words of the definitions."""
    values = []
    for ranked, label, itself in zip(rows, query_labels, query_rows, strict=True):
        answers = [label is not None and labels[row] == label for row in ranked if row >= 0 and row != itself][:k]
        total = sum(label is not None and other == label and row != itself for row, other in enumerate(labels))
        hits = [rank for rank, hit in enumerate(answers, start=1) if hit]
        precisions = [found / rank for found, rank in enumerate(hits, start=1)]
        if name == "P":
            values.append(len(hits) / (k or 0))
        elif name == "R":
            values.append(len(hits) / total if total else 0)
        elif name == "RR":
            values.append(1 / hits[0] if hits else 0)
        elif name == "Success":
            values.append(float(bool(hits)))
        elif name == "AP":
            divisor = total if k is None else min(total, k)
            values.append(sum(precisions) / divisor if divisor else 0)
        else:
            best = sum(1 / np.log2(rank + 1) for rank in range(1, min(total, k or total) + 1))
            values.append(sum(1 / np.log2(rank + 1) for rank in hits) / best if best else 0)
    return values


@pytest.mark.parametrize("name", ["P", "R", "RR", "Success", "AP", "nDCG"])
@pytest.mark.parametrize("k", [1, 7, 20])
@pytest.mark.parametrize("leave_out", [True, False])
def test_labels_agree_with_a_slow_loop(name: str, k: int, leave_out: bool) -> None:
    rows, labels, query_labels, query_rows = labelled(k, full=False)
    found = evaluate_labels(rows, labels, query_labels, [f"{name}@{k}"], query_rows if leave_out else None)
    expected = slow(rows, labels, query_labels, query_rows if leave_out else np.full(40, -1), name, k)
    np.testing.assert_allclose(found.per_query[f"{name}@{k}"], expected)
    assert found.query_ids is None


@pytest.mark.parametrize("name", ["AP", "nDCG", "RR"])
def test_full_rankings_need_no_cutoff(name: str) -> None:
    rows, labels, query_labels, query_rows = labelled(1, full=True)
    found = evaluate_labels(rows, labels, query_labels, [name], query_rows).per_query[name]
    np.testing.assert_allclose(found, slow(rows, labels, query_labels, query_rows, name, None))


def test_labels_agree_with_the_same_judgements_as_qrels() -> None:
    rows, labels, query_labels, query_rows = labelled(2, full=True)
    run: Run = {}
    qrels: dict[str, dict[str, int]] = {}
    for query, (ranked, label, itself) in enumerate(zip(rows, query_labels, query_rows, strict=True)):
        run[str(query)] = {str(row): -float(rank) for rank, row in enumerate(ranked) if row != itself}
        same = {str(row): 1 for row, other in enumerate(labels) if other == label and label and row != itself}
        qrels[str(query)] = same or {"none": 0}
    measures = ["nDCG@10", "nDCG", "AP", "RR@3", "P@10", "R@20", "Success@5"]
    by_label = evaluate_labels(rows, labels, query_labels, measures, query_rows).per_query
    by_qrels = evaluate_run(run, qrels, measures).per_query
    for name in measures:
        np.testing.assert_allclose(by_label[name], by_qrels[name], err_msg=name)
    blocks = (rows[start : start + 7] for start in range(0, 40, 7))
    curves = precision_recall_labels(blocks, labels, query_labels, query_rows)
    np.testing.assert_allclose(curves, precision_recall(run, qrels))
    np.testing.assert_array_equal(curves, precision_recall_labels(rows, labels, query_labels, query_rows))


def test_labels_of_any_type_give_the_same() -> None:
    rows, *_ = labelled(3, full=False)
    numbers, query_rows = np.arange(80) % 3, np.arange(40)
    wanted = evaluate_labels(rows, numbers, numbers[:40], ["P@5"], query_rows).means
    assert evaluate_labels(rows, numbers.tolist(), numbers[:40].tolist(), ["P@5"], query_rows).means == wanted
    texts = numbers.astype(str)
    assert evaluate_labels(rows, texts, texts[:40].tolist(), ["P@5"], query_rows).means == wanted


def test_rankings_that_stop_too_early_are_refused() -> None:
    rows, labels, query_labels, query_rows = labelled(4, full=False)
    evaluate_labels(rows, labels, query_labels, ["P@21"])
    with pytest.raises(OptionError, match="P@21 needs the first 21 answers, but some rankings stop after 20"):
        evaluate_labels(rows, labels, query_labels, ["P@21"], query_rows)
    with pytest.raises(OptionError, match="AP needs full rankings"):
        evaluate_labels(rows, labels, query_labels, ["AP"])
    with pytest.raises(OptionError, match="full rankings of all 80 items"):
        precision_recall_labels(rows, labels, query_labels)


def test_padding_says_that_there_is_no_more() -> None:
    # An index that holds fewer items than k, or that found no more, is judged by what it gave.
    found = evaluate_labels(np.array([[1, 0, -1, -1, -1]]), ["a", "b"], ["a"], ["P@5", "AP", "RR@9"])
    assert found.means == {"P@5": 0.2, "AP": 0.5, "RR@9": 0.5}
    nothing = evaluate_labels(np.full((1, 3), -1), ["a"], ["a"], ["P@3", "AP", "RR", "nDCG@3"])
    assert set(nothing.means.values()) == {0.0}


def test_rows_and_labels_must_fit() -> None:
    rows = np.array([[0, 1]])
    with pytest.raises(DimensionError, match="2 query labels"):
        evaluate_labels(rows, ["a", "b"], ["a", "b"], ["P@1"])
    with pytest.raises(DimensionError, match="excluded"):
        evaluate_labels(rows, ["a", "b"], ["a"], ["P@1"], exclude=[0, 1])
    for bad in (np.array([[0, 2]]), np.array([[0, -2]]), np.array([[0.0, 1.0]])):
        with pytest.raises(DimensionError, match="whole numbers from -1 to 1"):
            evaluate_labels(bad, ["a", "b"], ["a"], ["P@1"])
    with pytest.raises(CorpusError, match="'3' and item labels such as 3 never match"):
        evaluate_labels(rows, [3, 4], ["3"], ["P@1"])
    with pytest.raises(CorpusError, match="no query"):
        evaluate_labels(np.zeros((0, 2), np.int64), [3, 4], [], ["P@1"])
    with pytest.raises(DimensionError, match="rankings of 1 queries"):
        precision_recall_labels([rows], ["a", "b"], ["a", "b"])
