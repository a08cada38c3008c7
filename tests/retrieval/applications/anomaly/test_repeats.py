"""Repeated items: they stay together, so that false alarms are as asked; usual values do not count as repeats."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import OptionError
from encoders.row import Row
from encoders.sound import Sound
from retrieval.applications.anomaly import conformal
from retrieval.applications.anomaly.comparison import compare_detectors
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.given import GivenItems
from retrieval.applications.anomaly.parts import HELD_OUT, TEST, TRAINING, read_labels, split
from retrieval.applications.anomaly.repeats import content_digest, groups_of


def _repeated(n: int, times: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.permutation(np.repeat(rng.standard_normal((n, 3)), times, axis=0)).astype(np.float32)


@pytest.mark.parametrize(("n", "times"), [(500, 5), (500, 1), (120, 10), (400, 20)])
def test_false_alarms_are_as_asked_where_items_are_repeated(n, times):
    """New items are none of the repeated ones: 5 % of them are flagged, within a fifth of that."""
    shares = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        scores = rng.permutation(np.repeat(rng.gamma(2, 1, n), times))
        groups = groups_of(scores.view(np.uint64))
        held = split(np.ones(len(scores), dtype=bool), 0.4, seed=seed, groups=groups) == HELD_OUT
        distinct = len(np.unique(groups[held]))
        assert distinct * times == held.sum()
        p = conformal.p_values(scores[held], rng.gamma(2, 1, 1000), distinct=distinct)
        shares.append((p <= 0.05).mean())
    assert np.mean(shares) == pytest.approx(0.05, rel=0.2)


@pytest.mark.parametrize("spaces", ["vectors", ["vectors", "vectors+gaussian"]])
def test_so_are_those_of_a_detector(spaces):
    """Nearest neighbours: a repeat of a training item would look far too normal."""
    shares = []
    n = 200 if isinstance(spaces, str) else 1200  # half of the held-out items give the ranks, whose ties are coarse
    for seed in range(8):
        detector = AnomalyDetector.fit(_repeated(n, 5, seed), spaces, score="auto", k=1, hold_out=0.5, seed=seed)
        new = np.random.default_rng(1000 + seed).standard_normal((400, 3)).astype(np.float32)
        shares.append((detector.p_values(new) <= 0.05).mean())
        assert detector.record.n_distinct * 5 == len(detector.calibration)
    assert np.mean(shares) == pytest.approx(0.05, rel=0.2)


def test_a_comparison_keeps_repeats_together_too():
    rows = np.concatenate([_repeated(300, 5, 0), _repeated(20, 1, 1) + 4])
    corpus = GivenItems(rows, Modality.VECTOR, ["good"] * 1500 + ["bad"] * 20)
    found = compare_detectors(corpus, ["vectors"], ["good"], k=1, false_alarms=0.05).results[0]
    assert found.false_alarms < 0.12
    assert found.calibration.min() > 0  # no held-out item is a training item
    with pytest.raises(OptionError, match="needs at least 99 held-out normal items, and this detector has 60"):
        compare_detectors(corpus, ["vectors"], ["good"], false_alarms=0.01)


@pytest.mark.parametrize("by_order", [False, True])
def test_equal_items_are_in_one_part(by_order):
    digests = np.random.default_rng(0).integers(0, 300, 1000).astype(np.uint64)
    groups = groups_of(digests)
    uses = split(np.ones(1000, dtype=bool), 0.2, 0.3, by_order, 1, groups)
    assert [len(set(uses[digests == one].tolist())) for one in np.unique(digests)] == [1] * len(np.unique(digests))
    assert [(uses == use).sum() for use in (TRAINING, HELD_OUT, TEST)] == pytest.approx([500, 200, 300], abs=10)
    if by_order:
        first = [np.flatnonzero(uses == use)[0] for use in (TRAINING, HELD_OUT, TEST)]
        assert first == sorted(first)


def test_without_repeats_the_split_is_that_of_single_items():
    normal = np.random.default_rng(0).random(500) < 0.7
    groups = np.full(500, -1)
    groups[normal] = np.arange(normal.sum())
    assert (split(normal, 0.2, 0.1, seed=3, groups=groups) == split(normal, 0.2, 0.1, seed=3)).all()


def test_usual_values_are_no_repeats():
    """A table of few different rows: new data has them too, so all parts have all of them."""
    digests = np.random.default_rng(0).integers(0, 8, 1000).astype(np.uint64)
    groups = groups_of(digests)
    assert len(np.unique(groups)) == 1000
    uses = split(np.ones(1000, dtype=bool), 0.2, seed=1, groups=groups)
    assert set(digests[uses == HELD_OUT].tolist()) == set(range(8))
    few = split(np.ones(6, dtype=bool), 0.2, groups=np.zeros(6, np.int64))  # one part would be empty
    assert [(few == use).sum() for use in (TRAINING, HELD_OUT)] == [5, 1]


def test_a_digest_tells_contents_apart():
    contents = [
        "ab", "a b", "", "1.0", np.zeros(4, np.uint8), np.zeros((2, 2), np.uint8), np.zeros(1, np.float32),
        Sound(np.zeros(2, np.int16), 8000), Sound(np.zeros(2, np.int16), 16000), Row(("a",), (1.0,)),
        Row(("b",), (1.0,)), Row(("a",), ("1.0",)), Row(("a",), (None,)), Row(("a", "b"), (1.0, None)),
    ]  # fmt: skip
    assert len({content_digest(one) for one in contents}) == len(contents)
    assert content_digest(Row(("a",), (1.0,))) == content_digest(Row(("a",), (1.0,)))


def test_only_normal_items_have_groups():
    found = read_labels(GivenItems([[1.0], [1.0], [2.0]], Modality.VECTOR, ["x", "y", "x"]), ["x"])
    assert found.groups.tolist() == [0, -1, 1]


def test_p_values_of_repeats_are_those_of_single_items():
    known, asked = np.arange(10.0), np.array([-1, 3.0, 4.5, 20])
    for ties in ("conservative", "random"):
        single = conformal.p_values(known, asked, ties, 7)
        assert conformal.p_values(np.repeat(known, 3), asked, ties, 7, distinct=10) == pytest.approx(single)
