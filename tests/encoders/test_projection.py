"""Facts about projections, against NumPy's SVD and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from encoders.codes import Batch
from encoders.errors import BadItemError, OptionError, SpecError
from encoders.projection.binarize import Binarize
from encoders.projection.lsa import LSA
from encoders.projection.pca import PCA
from encoders.registry import create

RNG = np.random.default_rng(0)
#: Directions of clearly different variance, far from the origin.
ROWS = (RNG.normal(size=(200, 12)) * np.arange(1, 13) @ RNG.normal(size=(12, 12)) + 50).astype(np.float32)
TERMS = np.where(RNG.random((60, 40)) < 0.2, RNG.integers(1, 6, (60, 40)), 0).astype(np.float32)
TERMS[:, 0] = 1  # no empty row


def test_pca_is_the_svd_of_the_centred_data():
    encoder = PCA(5).fit(ROWS)
    centred = ROWS.astype(np.float64) - ROWS.mean(axis=0, dtype=np.float64)
    _, values, right = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(encoder.explained_variance, values[:5] ** 2 / len(ROWS), rtol=1e-4)
    np.testing.assert_allclose(np.abs(encoder.components @ right[:5].T), np.eye(5), atol=1e-4)


def test_pca_gives_scikit_learns_codes_up_to_the_sign():
    from sklearn.decomposition import PCA as Theirs

    ours, theirs = PCA(5).fit(ROWS), Theirs(5, svd_solver="full").fit(ROWS.astype(np.float64))
    np.testing.assert_allclose(np.abs(ours.encode(ROWS)), np.abs(theirs.transform(ROWS)), rtol=1e-3, atol=2e-2)
    share = ours.explained_variance / ours.total_variance
    np.testing.assert_allclose(share, theirs.explained_variance_ratio_, rtol=1e-4)


def test_pca_learns_the_same_from_many_batches_as_from_one():
    parts = [Batch(ROWS[:7]), Batch(ROWS[7:150]), Batch(ROWS[150:])]
    np.testing.assert_allclose(PCA(5).fit(parts).components, PCA(5).fit(ROWS).components, atol=1e-5)


def test_pca_of_all_components_loses_nothing():
    encoder = PCA(12).fit(ROWS)
    np.testing.assert_allclose(encoder.decode(encoder.encode(ROWS)), ROWS, atol=1e-2)


def test_pca_of_sparse_rows_equals_that_of_dense_rows():
    sparse, full = PCA(4).fit(csr_array(TERMS)), PCA(4).fit(TERMS)
    np.testing.assert_allclose(sparse.encode(csr_array(TERMS)), full.encode(TERMS), atol=1e-4)


def test_pca_loses_the_variance_that_it_says():
    encoder = PCA(3).fit(ROWS)
    lost = np.square(ROWS - encoder.decode(encoder.encode(ROWS))).sum(axis=1).mean()
    assert lost == pytest.approx(float(encoder.total_variance[0] - encoder.explained_variance.sum()), rel=1e-3)


@pytest.mark.parametrize("method", [PCA, LSA])
def test_more_components_than_the_data_have_are_refused(method):
    with pytest.raises(OptionError, match="n-components=13 is more than"):
        method(13).fit(ROWS)


def test_lsa_finds_the_singular_values_of_the_unit_rows():
    encoder = LSA(6, iterations=20).fit(csr_array(TERMS))
    unit = TERMS / np.linalg.norm(TERMS, axis=1, keepdims=True)
    _, values, right = np.linalg.svd(unit, full_matrices=False)
    np.testing.assert_allclose(encoder.singular_values, values[:6], rtol=1e-4)
    np.testing.assert_allclose(np.abs(encoder.components @ right[:6].T), np.eye(6), atol=5e-3)


def test_lsa_codes_do_not_know_a_documents_length():
    encoder = LSA(6).fit(csr_array(TERMS))
    np.testing.assert_allclose(encoder.encode(csr_array(3 * TERMS)), encoder.encode(csr_array(TERMS)), atol=1e-5)


def test_lsa_brings_words_together_that_share_company():
    # car and auto never occur together, but both occur with engine
    car, auto, engine, apple = np.eye(4, dtype=np.float32)
    documents = np.array([car + engine, auto + engine, car + engine, auto + engine, apple, apple])
    encoder = LSA(2).fit(csr_array(documents))
    codes = encoder.encode(csr_array(np.array([car, auto, apple])))
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    assert codes[0] @ codes[1] > 0.99
    assert abs(codes[0] @ codes[2]) < 0.01


def test_bits_at_the_median_are_balanced():
    skewed = np.exp(RNG.normal(size=(1000, 11)) * np.arange(1, 12)).astype(np.float32)
    bits = np.unpackbits(Binarize("median").fit(skewed).encode(skewed), axis=1, count=11)
    assert bits.sum(axis=0).tolist() == [500] * 11
    unbalanced = np.unpackbits(Binarize("mean").fit(skewed).encode(skewed), axis=1, count=11)
    assert unbalanced.sum(axis=0)[-1] < 100


def test_a_bit_decodes_to_the_mean_of_its_side():
    encoder = Binarize("zero").fit([[-4.0], [-2.0], [1.0], [9.0]])
    assert encoder.decode(encoder.encode([[-1.0], [3.0]])).tolist() == [[-3.0], [5.0]]


def test_nothing_comes_after_bits():
    with pytest.raises(SpecError, match="gives packed bits, which 'pca' cannot read: put it last"):
        create("pixels+binarize+pca:3")


def test_sparse_codes_are_not_binarized():
    with pytest.raises(BadItemError, match="put lsa, pca, random-projection or deep-ae before it"):
        Binarize().fit(csr_array(TERMS))


@pytest.mark.parametrize("threshold", ["median", "mean"])
def test_rounding_turns_no_bit_of_what_was_fitted(threshold):
    rows = np.random.default_rng(5).standard_normal((51, 8)).astype(np.float32)  # odd: medians are values of items
    rows[:, 0] = np.arange(51) % 3
    encoder = create(f"binarize:{threshold}").fit(rows)
    centre = (np.median if threshold == "median" else np.mean)(rows, axis=0)
    bits = np.unpackbits(encoder.encode(rows), axis=1)
    np.testing.assert_array_equal(bits, rows > centre)
    for sign in (-1, 1):
        moved = rows * np.float32(1 + sign * 1e-6)
        np.testing.assert_array_equal(encoder.encode(moved), encoder.encode(rows))


def test_binarize_of_neighbouring_numbers():
    low = np.float32(1)
    rows = np.array([[low], [low], [np.nextafter(low, np.float32(2))]])
    assert np.unpackbits(create("binarize").fit(rows).encode(rows), axis=1)[:, 0].tolist() == [0, 0, 1]
