"""The text of measures, their known values, and the precision-recall curve."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import OptionError, UnknownNameError
from retrieval.evaluation.measures import MEASURES, Judged, Measure, parse_measure, parse_measures, precision_at_recall


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
    with pytest.raises(OptionError, match=f"ask for {name}@2"):
        Measure(name, 3)(short)


@pytest.mark.parametrize("name", [name for name, (_, needs_cutoff) in MEASURES.items() if not needs_cutoff])
def test_measures_without_cutoff_need_full_rankings(name: str) -> None:
    short = Judged(TWO.gains, TWO.relevant, TWO.n_relevant, TWO.ideal, by_label=True, known_depth=3)
    with pytest.raises(OptionError, match="full rankings"):
        Measure(name)(short)


def test_precision_at_recall_by_hand() -> None:
    relevant = np.array([[1, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]], bool)
    found = precision_at_recall(relevant, np.array([4, 2]))
    # Recall .25 at rank 1, .5 at rank 4 (precision 2/4) but .75 at rank 5 is better (3/5); the fourth is
    # never found.
    np.testing.assert_allclose(found[0], [1, 1, 1, 0.6, 0.6, 0.6, 0.6, 0.6, 0, 0, 0])
    np.testing.assert_array_equal(found[1], np.zeros(11))


def test_nothing_relevant_is_no_curve() -> None:
    np.testing.assert_array_equal(precision_at_recall(np.zeros((1, 3), bool), np.array([0])), np.zeros((1, 11)))
