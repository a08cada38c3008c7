"""Facts about sparse coding, against scikit-learn's lasso."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import MiniBatchDictionaryLearning, sparse_encode

from encoders.projection.sparse_coding import SparseCoding

DIGITS = (load_digits().data[:600] / 16).astype(np.float32)


@pytest.fixture(scope="module")
def fitted() -> SparseCoding:
    return SparseCoding(24, alpha=0.1, epochs=4, batch_size=100).fit(DIGITS)


def objective(encoder, rows, codes) -> float:
    left = rows - encoder.mean - codes @ encoder.components
    return float(0.5 * np.square(left).sum() + encoder.alpha * np.abs(codes).sum())


def test_codes_are_those_of_the_lasso(fitted):
    codes = fitted.encode(DIGITS[:50])
    theirs = sparse_encode(DIGITS[:50] - fitted.mean, fitted.components, algorithm="lasso_lars", alpha=fitted.alpha)
    assert objective(fitted, DIGITS[:50], codes) <= 1.001 * objective(fitted, DIGITS[:50], theirs)
    np.testing.assert_allclose(codes, theirs, atol=0.02)


def test_codes_meet_the_conditions_of_the_minimum(fitted):
    codes = fitted.encode(DIGITS[:50])
    slope = (DIGITS[:50] - fitted.mean - codes @ fitted.components) @ fitted.components.T
    there = np.abs(codes) > 1e-3
    np.testing.assert_allclose(slope[there], fitted.alpha * np.sign(codes[there]), atol=0.01)
    assert np.abs(slope).max() < fitted.alpha + 0.01


def test_a_larger_alpha_is_sparser():
    shares = []
    for alpha in (0.02, 0.1, 0.5):
        codes = SparseCoding(24, alpha=alpha, epochs=2, batch_size=100).fit(DIGITS).encode(DIGITS)
        shares.append(float((codes == 0).mean()))
    assert shares[0] < shares[1] - 0.05 < shares[2] - 0.1


def test_a_price_that_nothing_is_worth_gives_codes_of_nought(fitted):
    encoder = SparseCoding(24, alpha=0.1, epochs=1, batch_size=100).fit(DIGITS)
    encoder.alpha = float(np.abs((DIGITS - encoder.mean) @ encoder.components.T).max()) * 1.001
    assert not encoder.encode(DIGITS).any()
    encoder.alpha *= 0.99
    assert np.count_nonzero(encoder.encode(DIGITS)) >= 1


def test_atoms_stay_in_the_unit_ball(fitted):
    assert np.linalg.norm(fitted.components, axis=1).max() <= 1 + 1e-5


def test_training_lowers_the_objective(fitted):
    errors = []
    for epochs in (1, 8):
        encoder = SparseCoding(24, alpha=0.1, epochs=epochs, batch_size=100).fit(DIGITS)
        errors.append(objective(encoder, DIGITS, encoder.encode(DIGITS)))
    first = SparseCoding(24, alpha=0.1, epochs=1, batch_size=100).fit(DIGITS)
    first.components = first._first_atoms(DIGITS, np.random.default_rng(0))
    assert errors[1] < errors[0] < 0.9 * objective(first, DIGITS, first.encode(DIGITS))


def test_the_dictionary_is_as_good_as_scikit_learns():
    theirs = MiniBatchDictionaryLearning(24, alpha=0.1, max_iter=2, batch_size=100, random_state=0, transform_algorithm="lasso_lars")  # fmt: skip
    theirs.fit(DIGITS - DIGITS.mean(axis=0))
    ours = SparseCoding(24, alpha=0.1, epochs=2, batch_size=100).fit(DIGITS)
    error = objective(ours, DIGITS, ours.encode(DIGITS))
    ours.components = theirs.components_.astype(np.float32)
    assert error < 1.02 * objective(ours, DIGITS, ours.encode(DIGITS))


def test_decoding_is_the_sum_of_the_atoms(fitted):
    codes = fitted.encode(DIGITS[:20])
    np.testing.assert_allclose(fitted.decode(codes), codes @ fitted.components + fitted.mean, atol=1e-6)
    assert np.square(fitted.decode(codes) - DIGITS[:20]).sum() < 0.4 * np.square(DIGITS[:20] - fitted.mean).sum()


def test_more_atoms_than_numbers_are_allowed():
    encoder = SparseCoding(100, alpha=0.05, epochs=1, batch_size=100).fit(DIGITS)
    assert encoder.components.shape == (100, 64)
    assert (encoder.encode(DIGITS) != 0).sum(axis=1).max() <= 64
