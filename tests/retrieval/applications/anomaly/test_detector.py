"""The laws of a detector, in every kind of space and by every score."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import (
    BadItemError,
    CorpusError,
    DimensionError,
    OptionError,
    UnknownNameError,
    UnsupportedSpaceError,
)
from retrieval.applications.anomaly.detection import Rule, detect
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.given import GivenItems
from retrieval.evaluation.detection_measures import measured

#: Space -> the score that ``auto`` takes.
SPACES = {
    "vectors+pca:2": "reconstruction",
    "pca:2": "reconstruction",
    "vectors+kmeans:20": "reconstruction",
    "vectors+deep-ae:16-2,epochs=60,batch-size=32": "reconstruction",
    "vectors+gaussian": "likelihood",
    "vectors+mixture:2": "likelihood",
    "vectors+nearest-density:5": "likelihood",
    "vectors+pca:6+gaussian": "likelihood",
    "vectors+vae:16-2,epochs=30,variance=0.1": "likelihood",
    "vectors+gan:2,hidden=16,epochs=4": "discriminator",
    "vectors": "neighbours",
    "vectors:cosine": "neighbours",
    "vectors:dot": "neighbours",
    "vectors+binarize": "reconstruction",
}
#: Spaces that do not see how a row leaves the plane.
BLIND = {
    "vectors+gan:2,hidden=16,epochs=4",
    "vectors:dot",
    "vectors+binarize",
    "vectors+vae:16-2,epochs=30,variance=0.1",
}


@pytest.fixture(scope="module")
def detectors(normal_rows):
    return {space: AnomalyDetector.fit(normal_rows(400, 0), space) for space in SPACES}


@pytest.mark.parametrize("space", SPACES)
def test_a_space_gets_the_score_that_suits_it(detectors, space):
    assert detectors[space].members[0].score.name == SPACES[space]
    assert (len(detectors[space].calibration), detectors[space].record.n_training) == (80, 320)


@pytest.mark.parametrize("space", SPACES)
def test_one_by_one_permuted_and_repeated_are_the_same(detectors, space, normal_rows, strange_rows):
    detector, rows = detectors[space], np.concatenate([normal_rows(20, 1), strange_rows(5, 2)])
    together = detector.score(rows)
    assert together.shape == (25,)
    assert together.dtype == np.float64
    assert np.isfinite(together).all()
    assert len(np.unique(together)) > 5
    order = np.random.default_rng(0).permutation(25)
    close = {"rel": 1e-3, "abs": 1e-5}  # float32 products of other shapes are rounded in another way
    assert detector.score(rows[order]) == pytest.approx(together[order], **close)
    assert np.concatenate([detector.score(row[None]) for row in rows]) == pytest.approx(together, **close)
    assert detector.score(np.repeat(rows, 2, axis=0))[::2] == pytest.approx(together, **close)
    assert detector.score(rows[:0]).tolist() == []


@pytest.mark.parametrize("space", [space for space in SPACES if space not in BLIND])
def test_strange_rows_are_found_and_normal_ones_are_not(detectors, space, normal_rows, strange_rows):
    normal, strange = normal_rows(100, 1), strange_rows(100, 2)
    scores = detectors[space].score(np.concatenate([normal, strange]))
    (found,) = measured([scores], np.arange(200) >= 100, rounds=2)
    assert found["AUROC"].value > 0.9
    assert (detectors[space].p_values(normal) <= 0.1).mean() < 0.25


def test_false_alarms_are_as_asked_over_many_fits(normal_rows):
    rates = []
    for seed in range(30):
        detector = AnomalyDetector.fit(normal_rows(150, seed), "vectors+pca:2", hold_out=0.4, seed=seed)
        rates.append((detector.p_values(normal_rows(200, 1000 + seed)) <= 0.1).mean())
    assert np.mean(rates) == pytest.approx(0.1, abs=0.025)


def test_so_are_those_of_a_combination(normal_rows):
    rates = []
    for seed in range(20):
        detector = AnomalyDetector.fit(normal_rows(200, seed), ["vectors+pca:2", "vectors"], hold_out=0.4, seed=seed)
        assert len(detector.calibration) == len(detector.members[0].reference) == 40
        rates.append((detector.p_values(normal_rows(200, 1000 + seed)) <= 0.1).mean())
    assert np.mean(rates) == pytest.approx(0.1, abs=0.035)


def test_a_combination_finds_what_either_finds(normal_rows, strange_rows):
    detector = AnomalyDetector.fit(normal_rows(600, 0), ["vectors+pca:2", "vectors"])
    off_the_plane, far_on_it = strange_rows(30, 1), 8 * normal_rows(30, 2)
    assert np.median(detector.p_values(off_the_plane)) <= 0.05
    assert np.median(detector.p_values(far_on_it)) <= 0.1
    assert np.median(detector.p_values(normal_rows(100, 3))) > 0.2


def test_units_of_columns_do_not_matter_when_standardised():
    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((500, 6)) * [100, 10, 1, 0.01, 1, 1]).astype(np.float32)
    strange = rows[:5].copy()
    strange[:, 3] += 0.5
    plain = AnomalyDetector.fit(rows[5:], "vectors+pca:1", standardise=False)
    standardised = AnomalyDetector.fit(rows[5:], "vectors+pca:1")
    assert standardised.members[0].score.options() == {"standardise": True}
    assert (standardised.p_values(strange) <= 0.02).all()
    assert (plain.p_values(strange) > 0.02).all()


def test_a_component_that_never_varies_is_not_divided_by_zero(normal_rows):
    rows = normal_rows(300, 0)
    rows[:, 5] = 7
    detector = AnomalyDetector.fit(rows, "vectors+pca:2")
    changed = normal_rows(1, 1)
    changed[:, 5] = 7.5
    assert np.isfinite(detector.score(rows)).all()
    assert detector.p_values(changed)[0] == 1 / 61


@pytest.mark.parametrize("space", ["vectors+pca:2", "vectors+gaussian", "vectors", "vectors+deep-ae:8-2,epochs=2"])
def test_extreme_values_are_strange_and_finite(space, normal_rows):
    detector = AnomalyDetector.fit(normal_rows(100, 0), space)
    extreme = np.full((1, 6), 3e38, np.float32)
    assert np.isfinite(detector.score(extreme)).all()
    assert detector.p_values(extreme)[0] == 1 / 21


def test_labels_pick_the_normal_items(normal_rows, strange_rows):
    rows, labels = np.concatenate([normal_rows(100, 0), strange_rows(100, 1)]), ["good"] * 100 + ["bad"] * 100
    detector = AnomalyDetector.fit(rows, "vectors+pca:2", labels, normal=["good"])
    assert detector.record.n_training + detector.record.n_held_out == 100
    assert np.median(detector.p_values(strange_rows(20, 3))) < 0.06
    said: list[str] = []
    careless = AnomalyDetector.fit(rows, "vectors+pca:2", labels, say=said.append)
    assert np.median(careless.p_values(strange_rows(20, 3))) > 0.06
    assert "all 200 items are taken as normal, whatever their label (bad, good)" in said[0]


def test_items_are_held_out_at_random_or_by_order(normal_rows):
    rows = normal_rows(200, 0)
    by_order = AnomalyDetector.fit(rows, "vectors", by_order=True)
    assert by_order.normal_items.ids == [str(row) for row in range(160)]
    one, same, other = (AnomalyDetector.fit(rows, "vectors", seed=seed) for seed in (1, 1, 2))
    assert one.normal_items.ids == same.normal_items.ids != other.normal_items.ids
    assert (one.calibration == same.calibration).all()
    assert len(set(one.normal_items.ids)) == 160


def test_trimming_forgets_the_strange_items_of_data_that_is_not_clean(normal_rows, strange_rows):
    rng = np.random.default_rng(0)
    rows = np.concatenate([normal_rows(380, 0), 6 * rng.standard_normal((20, 6))]).astype(np.float32)
    strange = strange_rows(60, 3)
    said: list[str] = []
    naive = AnomalyDetector.fit(rows, "vectors+pca:2", seed=1)
    robust = AnomalyDetector.fit(rows, "vectors+pca:2", contaminated=0.06, seed=1, say=said.append)
    assert robust.record.n_training + robust.record.n_held_out == 376
    assert robust.record.contaminated == 0.06
    assert np.median(robust.p_values(strange)) < 0.02 < np.median(naive.p_values(strange))
    assert any("if fewer were strange" in line for line in said)


def test_texts_with_unexpected_words_are_strange(of_texts, texts):
    usual, odd, unknown = of_texts.p_values([texts(1, 9)[0], "money loan credit money loan", "quantum chromodynamics"])
    assert usual > 0.05
    assert odd < 0.05
    assert unknown == 1 / (len(of_texts.calibration) + 1)  # no known word: not a text without error


def test_what_cannot_be_fitted_is_refused(normal_rows):
    rows = normal_rows(60, 0)
    with pytest.raises(
        UnsupportedSpaceError, match=r"'vectors' has no score 'reconstruction': its codes are the items"
    ):
        AnomalyDetector.fit(rows, "vectors", score="reconstruction")
    with pytest.raises(UnsupportedSpaceError, match=r"'vectors\+pca:2' has no score 'likelihood'"):
        AnomalyDetector.fit(rows, "vectors+pca:2", score="likelihood")
    with pytest.raises(UnsupportedSpaceError, match="only gan"):
        AnomalyDetector.fit(rows, "vectors+pca:2", score="discriminator")
    with pytest.raises(UnknownNameError, match="did you mean 'neighbours'"):
        AnomalyDetector.fit(rows, "vectors", score="neighbors")
    with pytest.raises(UnknownNameError, match="unknown label 'god'; did you mean 'good'"):
        AnomalyDetector.fit(rows, "vectors", ["good"] * 60, normal=["god"])
    with pytest.raises(CorpusError, match="have no labels, so --normal good picks none"):
        AnomalyDetector.fit(rows, "vectors", normal=["good"])
    with pytest.raises(OptionError, match="2 normal items are too few"):
        AnomalyDetector.fit(rows[:2], "vectors")
    with pytest.raises(CorpusError, match="holds no items"):
        AnomalyDetector.fit(rows[:0], "vectors")
    with pytest.raises(OptionError, match="below 50%; got 60%"):
        AnomalyDetector.fit(rows, "vectors", contaminated=0.6)
    with pytest.raises(OptionError, match="between 0% and 100%; got 100%"):
        AnomalyDetector.fit(rows, "vectors", hold_out=1.0)
    with pytest.raises(BadItemError, match="60 items, 3 labels"):
        AnomalyDetector.fit(rows, "vectors", list("abc"))


def test_what_cannot_be_scored_is_refused(of_rows):
    with pytest.raises(BadItemError, match="infinite"):
        of_rows.score([[1, 2, 3, 4, 5, float("inf")]])
    with pytest.raises(DimensionError, match="width"):
        of_rows.score(np.zeros((1, 5), np.float32))


@pytest.mark.parametrize("spaces", ["vectors+pca:2", ["vectors+pca:2", "vectors"]])
def test_false_discoveries_are_as_asked_over_many_fits(normal_rows, strange_rows, spaces):
    shares, flagged = [], []
    for fit in range(40):
        detector = AnomalyDetector.fit(normal_rows(1000, 3 * fit), spaces, seed=fit)
        batch = np.concatenate([normal_rows(450, 3 * fit + 1), strange_rows(50, 3 * fit + 2)])
        found = detect(detector, GivenItems(batch, Modality.VECTOR), Rule("fdr", 0.1)).flagged
        shares.append(found[:450].sum() / max(1, found.sum()))
        flagged.append(found[450:].mean())
    assert np.mean(shares) <= 0.1 + 3 * np.std(shares) / np.sqrt(40)
    assert np.mean(shares) > 0.03  # it is not safe by flagging nothing
    assert np.mean(flagged) > 0.9
