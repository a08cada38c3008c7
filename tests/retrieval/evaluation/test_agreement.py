"""Agreement of spaces: popularity, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import OptionError
from retrieval.evaluation.label_free.agreement import agreement
from retrieval.evaluation.label_free.validity import DATE, MEASURED, kendall_tau, validity_notes

rng = np.random.default_rng(0)
COMMON = np.stack([rng.permutation(200)[:50] for _ in range(10)])
OTHER = np.stack([rng.permutation(200)[:50] for _ in range(10)])


def test_spaces_that_answer_alike_come_first_and_the_odd_one_last():
    values = [one.mean() for one in agreement([COMMON, COMMON, OTHER], ["a", "b", "c"])]
    assert values[0] == values[1] > values[2] + 0.3


def test_rows_of_one_encoder_do_not_vote_for_each_other():
    lists, encoders = [COMMON, COMMON, OTHER, OTHER], ["a", "a", "b", "c"]
    values = [one.mean() for one in agreement(lists, encoders)]
    assert values[0] == values[1] < 0.3
    assert values[2] > values[0]


def test_two_spaces_are_no_order():
    with pytest.raises(OptionError, match="at least 3 spaces, but 2 are given"):
        agreement([COMMON, OTHER], ["a", "b"])


def test_an_order_agrees_with_itself_and_not_with_its_reverse():
    values = rng.random(9).tolist()
    assert kendall_tau(values, values) == 1
    assert kendall_tau(values, [-value for value in values]) == -1


@pytest.mark.parametrize("rung", ["known-item", "agreement"])
def test_the_sentence_is_that_of_the_modality_and_says_when_none_was_measured(rung):
    (note,) = validity_notes(rung, Modality.IMAGE)
    taus = [row.tau for row in MEASURED[rung] if row.modality is Modality.IMAGE]
    assert f"Kendall's tau {sum(taus) / len(taus):.2f}" in note
    (other,) = validity_notes(rung, Modality.SOUND)
    assert "sounds were not measured" in other
    assert validity_notes("labels", Modality.IMAGE) == []


def test_what_compare_says_is_what_the_benchmark_recorded():
    """The values in the code are those of the last recorded run."""
    file = Path(__file__).parents[3] / "benchmarks" / "results" / "label_ladder.jsonl"
    run = json.loads(file.read_text().splitlines()[-1])
    for rung, rows in MEASURED.items():
        recorded = {
            name: (round(row["tau"][rung], 3), round(row["regret"][rung], 3))
            for name, row in run["figures"]["corpora"].items()
        }
        assert {row.corpus: (row.tau, row.regret) for row in rows} == recorded
    assert run["provenance"]["date"].startswith(DATE)
