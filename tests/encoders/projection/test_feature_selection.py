"""Facts about choosing components, against scikit-learn and naive computations."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn import feature_selection as theirs
from sklearn.datasets import load_digits
from sklearn.metrics import mutual_info_score

from encoders.codes import Batch, Kind, Metric
from encoders.errors import BadItemError, OptionError
from encoders.projection import feature_scores
from encoders.projection.feature_selection import CRITERIA, FeatureSelection

DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS = DIGITS[:400].astype(np.float32)  # some pixels of which are always 0
LABELS = [str(label) for label in LABELS[:400]]
FORMS = pytest.mark.parametrize("form", [np.asarray, csr_array], ids=["dense", "sparse"])


def best(scores, k: int) -> list[int]:
    return sorted(np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")[:k].tolist())


@FORMS
def test_variance_is_numpys(form):
    np.testing.assert_allclose(feature_scores.variances(form(DIGITS)), DIGITS.var(axis=0), rtol=1e-4)
    assert FeatureSelection(12).fit(form(DIGITS)).columns.tolist() == best(DIGITS.var(axis=0), 12)


@FORMS
def test_chi2_is_scikit_learns(form):
    with np.errstate(invalid="ignore"):
        scores, _ = theirs.chi2(DIGITS, LABELS)
    fitted = FeatureSelection(12, criterion="chi2").fit(form(DIGITS), LABELS)
    assert fitted.columns.tolist() == best(scores, 12)


def test_chi2_by_the_formula():
    rows, labels = np.array([[3, 0], [1, 2], [0, 4.0]]), ["a", "a", "b"]
    observed = np.array([[4, 2], [0, 4.0]])
    expected = np.outer([2 / 3, 1 / 3], rows.sum(axis=0))
    np.testing.assert_allclose(feature_scores.chi2(rows, labels), ((observed - expected) ** 2 / expected).sum(axis=0))


def test_mutual_information_of_levels_is_scikit_learns():
    low, high = DIGITS.min(axis=0), DIGITS.max(axis=0)
    levels = np.minimum((DIGITS - low) / np.maximum(high - low, 1) * 8, 7).astype(int)
    expected = [mutual_info_score(LABELS, column) for column in levels.T]
    np.testing.assert_allclose(feature_scores.mutual_information(DIGITS, LABELS), expected, atol=1e-5)
    assert FeatureSelection(12, criterion="mutual-information").fit(DIGITS, LABELS).columns.tolist() == best(
        expected, 12
    )


def test_mutual_information_of_words_is_that_of_their_presence():
    expected = [mutual_info_score(LABELS, column) for column in (DIGITS > 0).T]
    np.testing.assert_allclose(feature_scores.mutual_information(csr_array(DIGITS), LABELS), expected, atol=1e-5)


def naive_laplacian(rows, neighbours: int) -> np.ndarray:
    distances = cdist(rows, rows)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, :neighbours]
    width = np.mean(np.take_along_axis(distances, nearest, axis=1) ** 2)
    weights = np.zeros_like(distances)
    for row, others in enumerate(nearest):
        weights[row, others] = weights[others, row] = np.exp(-(distances[row, others] ** 2) / width)
    degree = np.diag(weights.sum(axis=1))
    ones, found = np.ones(len(rows)), []
    for feature in rows.T:
        centred = feature - (feature @ degree @ ones) / (ones @ degree @ ones)
        found.append((centred @ (degree - weights) @ centred) / (centred @ degree @ centred))
    return np.asarray(found)


@FORMS
@pytest.mark.parametrize("neighbours", [3, 5])
def test_the_laplacian_score_is_that_of_the_paper(form, neighbours):
    rows = np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32)
    rows[:60, :2] += 5  # two components that tell two clouds apart
    expected = naive_laplacian(rows.astype(np.float64), neighbours)
    np.testing.assert_allclose(feature_scores.laplacian(form(rows), neighbours), expected, rtol=1e-4)
    encoder = FeatureSelection(2, criterion="laplacian", neighbours=neighbours).fit(form(rows))
    assert encoder.columns.tolist() == [0, 1] == best(-expected, 2)


def lost(rows, columns) -> float:
    """Return the squared error when every component is predicted from some."""
    centred = rows - rows.mean(axis=0)
    chosen = centred[:, list(columns)]
    return float(np.square(centred - chosen @ np.linalg.lstsq(chosen, centred, rcond=None)[0]).sum())


@FORMS
def test_greedy_reconstruction_takes_the_best_component_each_time(form):
    rows = np.random.default_rng(1).normal(size=(50, 8)) @ np.random.default_rng(2).normal(size=(8, 8)) + 3
    expected: list[int] = []
    for _ in range(5):
        rest = [column for column in range(8) if column not in expected]
        expected.append(min(rest, key=lambda column: lost(rows, [*expected, column])))
    assert feature_scores.greedy_reconstruction(form(rows.astype(np.float32)), 5).tolist() == expected


def test_greedy_reconstruction_is_nearly_the_best_of_all_choices():
    rows = DIGITS[:, [10, 18, 19, 20, 21, 28, 34, 36, 42, 43]].astype(np.float64)
    found = FeatureSelection(3, criterion="reconstruction").fit(rows.astype(np.float32)).columns
    errors = [lost(rows, columns) for columns in combinations(range(10), 3)]
    assert lost(rows, found) < min(errors) + 0.1 * (np.median(errors) - min(errors))


def test_reconstruction_chooses_no_component_twice():
    base = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    copies = np.column_stack([base[:, 0] * 2, base, base[:, 0]])  # two directions in four components
    columns = FeatureSelection(4, criterion="reconstruction").fit(copies).columns
    assert columns.tolist() == [0, 1, 2, 3]
    two = FeatureSelection(2, criterion="reconstruction").fit(copies).columns
    assert lost(copies, two) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("form", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("rows", [30, 1000])
def test_constant_components_are_never_chosen(criterion, form, rows):
    data = np.abs(np.random.default_rng(0).normal(size=(rows, 3))).astype(np.float32)
    data = np.column_stack([np.full(rows, 0.1, np.float32), data, np.full(rows, 7.7, np.float32), 0 * data[:, :1]])
    labels = [str(row % 2) for row in range(rows)]
    assert FeatureSelection(3, criterion=criterion).fit(form(data), labels).columns.tolist() == [1, 2, 3]
    with pytest.raises(
        OptionError, match="n-components=4 is more than the 3 components that vary; the other 3 are constant"
    ):
        FeatureSelection(4, criterion=criterion).fit(form(data), labels)


@pytest.mark.parametrize("criterion", ["chi2", "mutual-information"])
def test_missing_labels_are_refused(criterion):
    some = [Batch(DIGITS[:200], LABELS[:200]), Batch(DIGITS[200:])]
    for given in (DIGITS, some):
        with pytest.raises(OptionError, match=f"criterion={criterion} needs the label of every item"):
            FeatureSelection(5, criterion=criterion).fit(given)


@FORMS
def test_chi2_of_negative_values_is_refused(form):
    with pytest.raises(BadItemError, match="use mutual-information"):
        FeatureSelection(5, criterion="chi2").fit(form(-DIGITS), LABELS)


@FORMS
def test_codes_are_the_components_and_decoding_fills_in_the_mean(form):
    encoder = FeatureSelection(20).fit(form(DIGITS))
    codes = encoder.encode(form(DIGITS))
    plain = codes if form is np.asarray else codes.toarray()
    np.testing.assert_array_equal(plain, DIGITS[:, encoder.columns])
    decoded = encoder.decode(codes)
    np.testing.assert_array_equal(decoded[:, encoder.columns], plain)
    dropped = np.setdiff1d(np.arange(64), encoder.columns)
    np.testing.assert_allclose(decoded[:, dropped], np.tile(DIGITS.mean(axis=0)[dropped], (400, 1)), atol=1e-4)
    expected = (Kind.DENSE, Metric.EUCLIDEAN) if form is np.asarray else (Kind.SPARSE, Metric.COSINE)
    assert (encoder.space.kind, encoder.space.metric) == expected


@pytest.mark.parametrize("shape", [(9, 70_000), (5_000, 3), (300, 1)])
def test_variances_of_every_shape_are_those_of_the_definition(shape):
    rows = np.random.default_rng(0).normal(size=shape).astype(np.float32) + 100
    np.testing.assert_allclose(feature_scores.variances(rows), rows.astype(np.float64).var(axis=0), rtol=1e-9)
