"""The text of measures, their known values, and the precision-recall curve."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import OptionError, UnknownNameError
from retrieval.corpora.base import Qrels
from retrieval.evaluation.evaluate import evaluate_labels, evaluate_run
from retrieval.evaluation.measures import MEASURES, Measure, parse_measure, parse_measures
from retrieval.evaluation.ranking_measures import Judged, precision_at_recall
from retrieval.evaluation.trec import Run


def judged(gains: list[list[int]], ideal: list[list[int]], n_relevant: list[int]) -> Judged:
    matrix = np.array(gains)
    return Judged(matrix, matrix > 0, np.array(n_relevant), np.array(ideal))


#: Answers of grade 0, 2, 1; relevant are documents of grade 3, 2, 1. The second query finds nothing.
TWO = judged([[0, 2, 1], [0, 0, 0]], [[3, 2, 1], [1, 0, 0]], [3, 1])
LOG3 = np.log2(3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("P@1", 0.0),
        ("P@2", 1 / 2),
        ("P@10", 2 / 10),
        ("R@2", 1 / 3),
        ("Success@1", 0.0),
        ("Success@2", 1.0),
        ("RR", 1 / 2),
        ("RR@1", 0.0),
        ("AP", (1 / 2 + 2 / 3) / 3),
        ("AP@2", (1 / 2) / 3),
        ("nDCG", (2 / LOG3 + 1 / 2) / (3 + 2 / LOG3 + 1 / 2)),
        ("nDCG@2", (2 / LOG3) / (3 + 2 / LOG3)),
    ],
)
def test_values_by_hand(text: str, value: float) -> None:
    np.testing.assert_allclose(parse_measure(text)(TWO), [value, 0])


@pytest.mark.parametrize("text", ["nDCG@10", "nDCG", "AP", "AP@100", "RR", "RR@10", "P@10", "R@100", "Success@10"])
def test_the_text_is_the_identity(text: str) -> None:
    assert str(parse_measure(text)) == text
    assert parse_measure(parse_measure(text)) == parse_measure(text)


def test_measures_are_read_in_order_each_once() -> None:
    assert parse_measures(["RR", "P@5", "RR", Measure("P", 5)]) == [Measure("RR"), Measure("P", 5)]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("nDGC@10", "did you mean 'nDCG'"),
        ("ndcg@10", "did you mean 'nDCG@10'"),
        ("NDCG", "did you mean 'nDCG'"),
        ("ndcg_cut_10", "did you mean 'nDCG@10'"),
        ("ndcg_cut.5", "did you mean 'nDCG@5'"),
        ("map", "did you mean 'AP'"),
        ("MAP@100", "did you mean 'AP@100'"),
        ("map_cut_100", "did you mean 'AP@100'"),
        ("mrr", "did you mean 'RR'"),
        ("MRR@10", "did you mean 'RR@10'"),
        ("recip_rank", "did you mean 'RR'"),
        ("P_10", "did you mean 'P@10'"),
        ("p@5", "did you mean 'P@5'"),
        ("precision", "did you mean 'P@10'"),
        ("recall_100", "did you mean 'R@100'"),
        ("Recall@5", "did you mean 'R@5'"),
        ("success_1", "did you mean 'Success@1'"),
        ("hit@3", "did you mean 'Success@3'"),
        ("bpref", "known: AP"),
        ("", "known: AP"),
    ],
)
def test_an_unknown_measure_gets_a_hint(text: str, hint: str) -> None:
    with pytest.raises((UnknownNameError, OptionError), match=f"unknown measure .*{hint}"):
        parse_measure(text)


@pytest.mark.parametrize(
    "text", ["P@0", "P@-1", "P@ten", "P@", "P@1.5", "P@ 5", "P@05", "P@5@5", "P@٥", "P", "R", "Success"]
)
def test_a_bad_cutoff_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="cutoff"):
        parse_measure(text)


@pytest.mark.parametrize("name", MEASURES)
def test_no_measure_looks_beyond_what_is_known(name: str) -> None:
    short = Judged(TWO.gains, TWO.relevant, TWO.n_relevant, TWO.ideal, by_label=True, known_depth=2)
    Measure(name, 2)(short)
    with pytest.raises(OptionError, match=f"ask for {name}@2 or search deeper"):
        Measure(name, 3)(short)


@pytest.mark.parametrize("name", [name for name, (_, needs_cutoff) in MEASURES.items() if not needs_cutoff])
def test_measures_without_cutoff_need_full_rankings(name: str) -> None:
    short = Judged(TWO.gains, TWO.relevant, TWO.n_relevant, TWO.ideal, by_label=True, known_depth=3)
    with pytest.raises(OptionError, match="full rankings"):
        Measure(name)(short)


def missing_answers(seed: int, highest_grade: int) -> tuple[Run, Qrels]:
    draw = np.random.default_rng(seed)
    qrels = {"q": {f"d{row}": int(draw.integers(0, highest_grade + 1)) for row in range(30)} | {"e": 1}}
    return {"q": {f"d{row}": -float(at) for at, row in enumerate(draw.permutation(30)[:20])}}, qrels


EVERY_MEASURE = [*(f"{name}@{k}" for name in MEASURES for k in (1, 5, 10, 100)), "AP", "RR", "nDCG"]


@pytest.mark.parametrize("seed", range(20))
def test_fewer_answers_never_raise_a_measure(seed: int) -> None:
    run, qrels = missing_answers(seed, 3)
    before = evaluate_run(run, qrels, EVERY_MEASURE).means
    answers = list(run["q"].items())
    for length in range(len(answers) - 1, -1, -1):
        after = evaluate_run({"q": dict(answers[:length])}, qrels, EVERY_MEASURE).means
        assert all(after[name] <= before[name] + 1e-12 for name in before), length
        before = after


@pytest.mark.parametrize("seed", range(20))
def test_a_relevant_answer_that_is_missing_never_raises_a_measure(seed: int) -> None:
    # with grades a lower one may make room for a higher one, so that this holds for relevant or not
    run, qrels = missing_answers(seed, 1)
    whole = evaluate_run(run, qrels, EVERY_MEASURE).means
    for missed in [document for document in run["q"] if qrels["q"][document]]:
        rest = {document: score for document, score in run["q"].items() if document != missed}
        fewer = evaluate_run({"q": rest}, qrels, EVERY_MEASURE).means
        assert all(fewer[name] <= whole[name] + 1e-12 for name in whole), missed


@pytest.mark.parametrize("seed", range(20))
def test_fewer_answers_never_raise_a_measure_by_label(seed: int) -> None:
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 3, 40)
    rows = draw.permutation(40)[None, :20]
    whole = np.append(rows, [[-1]], axis=1)  # -1 says that the index gives no more
    before = evaluate_labels(whole, labels, [0], EVERY_MEASURE).means
    for length in range(19, -1, -1):
        fewer = np.where(np.arange(21) < length, whole, -1)
        after = evaluate_labels(fewer, labels, [0], EVERY_MEASURE).means
        narrow = evaluate_labels(fewer[:, : length + 1], labels, [0], EVERY_MEASURE).means
        assert narrow == pytest.approx(after)
        assert all(after[name] <= before[name] + 1e-12 for name in before), length
        before = after
    for missed in np.flatnonzero(labels[rows[0]] == 0):
        rest = evaluate_labels(np.append(np.delete(rows, missed, axis=1), [[-1]], axis=1), labels, [0], EVERY_MEASURE)
        full = evaluate_labels(whole, labels, [0], EVERY_MEASURE).means
        assert all(rest.means[name] <= full[name] + 1e-12 for name in full), missed


def test_a_class_larger_than_the_cutoff_can_reach_ap_1() -> None:
    labels = ["a"] * 300
    found = evaluate_labels(np.arange(100)[None], labels, ["a"], ["AP@100", "AP@10"]).means
    assert found == {"AP@100": pytest.approx(1), "AP@10": pytest.approx(1)}
    half = np.append(np.arange(50), np.full(50, -1))[None]
    assert evaluate_labels(half, labels, ["a"], ["AP@100"]).means["AP@100"] == pytest.approx(0.5)


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_is_documented(name: str) -> None:
    lines = (MEASURES[name][0].__doc__ or "").splitlines()
    assert lines[0].startswith(f"{name}@k: ")
    for word in ("Answers", "Definition", "Range", "Ties", "Source"):
        assert any(line.strip().startswith(f"{word}: ") for line in lines), word


def test_precision_at_recall_by_hand() -> None:
    relevant = np.array([[1, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]], bool)
    found = precision_at_recall(relevant, np.array([4, 2]))
    # Recall .25 at rank 1, .5 at rank 4 (precision 2/4) but .75 at rank 5 is better (3/5); the fourth is
    # never found.
    np.testing.assert_allclose(found[0], [1, 1, 1, 0.6, 0.6, 0.6, 0.6, 0.6, 0, 0, 0])
    np.testing.assert_array_equal(found[1], np.zeros(11))


def test_nothing_relevant_is_no_curve() -> None:
    np.testing.assert_array_equal(precision_at_recall(np.zeros((1, 3), bool), np.array([0])), np.zeros((1, 11)))
