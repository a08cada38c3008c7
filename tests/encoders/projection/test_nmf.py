"""Facts about non-negative matrix factorisation, against Lee & Seung's formulas and scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array
from sklearn.datasets import load_digits
from sklearn.decomposition import NMF as Theirs
from sklearn.exceptions import ConvergenceWarning

from encoders.errors import BadItemError, OptionError
from encoders.projection import nmf_updates
from encoders.projection.nmf import NMF

DIGITS = load_digits().data[:600].astype(np.float32)
RNG = np.random.default_rng(0)
WORDS = csr_array(random_array((120, 60), density=0.15, random_state=0, dtype=np.float32) * 5)
WORDS.data = np.ceil(WORDS.data).astype(np.float32)
KINDS = [("cd", "frobenius"), ("mu", "frobenius"), ("mu", "divergence")]
UPDATES = pytest.mark.parametrize(("solver", "objective"), KINDS)
FORMS = pytest.mark.parametrize("form", [np.asarray, csr_array], ids=["dense", "sparse"])


def missing(rows, share: float, seed: int = 0):
    return np.where(np.random.default_rng(seed).random(rows.shape) < share, np.nan, rows).astype(np.float32)


def half_error(rows, encoder) -> float:
    return float(np.nansum(np.square(rows - encoder.decode(encoder.encode(rows)), dtype=np.float64))) / 2


@UPDATES
@pytest.mark.parametrize("rows", [DIGITS[:150], WORDS, missing(DIGITS[:150], 0.2)], ids=["dense", "sparse", "missing"])
def test_the_objective_never_rises(solver, objective, rows):
    objectives = np.asarray(NMF(8, solver, objective, iterations=60, tolerance=0).fit(rows).objectives)
    assert len(objectives) == 60
    assert objectives[-1] < 0.9 * objectives[0]
    if not np.isnan(rows.data if isinstance(rows, csr_array) else rows).any():
        assert np.diff(objectives).max() <= 2e-6 * objectives[0]  # what rounding leaves


@pytest.mark.parametrize("solver", ["cd", "mu"])
def test_the_error_on_the_entries_that_are_there_never_rises(solver):
    rows = missing(DIGITS[:150], 0.3)
    errors = []
    for iterations in (1, 2, 5, 10, 20):
        encoder = NMF(6, solver, iterations=iterations, tolerance=0).fit(rows)
        errors.append(half_error(rows, encoder))
    assert errors == sorted(errors, reverse=True)


def factors(rows, k: int = 5):
    draw = [np.abs(RNG.normal(size=(k, size))).astype(np.float32) + 0.05 for size in rows.shape]
    return draw[0], draw[1]


@FORMS
def test_multiplicative_updates_of_the_squared_error_are_theorem_1(form):
    w, h = factors(WORDS)
    v, W, H = WORDS.toarray().astype(float), w.T.astype(float), h.astype(float)
    H *= (W.T @ v) / (W.T @ W @ H)
    nmf_updates.multiplicative(h, w @ w.T, np.asarray(w @ form(WORDS.toarray())), 1)
    np.testing.assert_allclose(h, H, rtol=1e-4)
    W *= (v @ H.T) / (W @ H @ H.T)
    nmf_updates.multiplicative(w, h @ h.T, np.ascontiguousarray((form(WORDS.toarray()) @ h.T).T), 1)
    np.testing.assert_allclose(w.T, W, rtol=1e-4)


@FORMS
def test_multiplicative_updates_of_the_divergence_are_theorem_2(form):
    w, h = factors(WORDS)
    v, W, H = WORDS.toarray().astype(float), w.T.astype(float), h.astype(float)
    expected = H * (W.T @ (v / (W @ H))) / W.sum(axis=0)[:, None]
    np.testing.assert_allclose(
        nmf_updates.multiplicative_divergence_components(form(WORDS.toarray()), w, h), expected, rtol=1e-4
    )
    expected = W * ((v / (W @ H)) @ H.T) / H.sum(axis=1)
    np.testing.assert_allclose(
        nmf_updates.multiplicative_divergence(form(WORDS.toarray()), w, h).T, expected, rtol=1e-4
    )


@FORMS
def test_work_by_blocks_is_the_same(form, monkeypatch):
    w, h = factors(WORDS)
    rows = form(WORDS.toarray())

    def all_of_them():
        product = np.ascontiguousarray((rows @ h.T).T)
        descended = w.copy()
        nmf_updates.coordinate_descent(descended, h @ h.T, product, 2)
        return [
            descended,
            nmf_updates.multiplicative_divergence(rows, w, h),
            nmf_updates.multiplicative_divergence_components(rows, w, h),
            nmf_updates.divergence(rows, w, h),
        ]

    whole = all_of_them()
    for name, size in (("ROWS", 7), ("BLOCK", 11), ("ENTRIES", 30)):
        monkeypatch.setattr(nmf_updates, name, size)
    for found, expected in zip(all_of_them(), whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@FORMS
def test_objectives_are_those_of_the_paper(form):
    w, h = factors(WORDS)
    v, product = WORDS.toarray().astype(float), w.T.astype(float) @ h
    assert nmf_updates.squared_error(form(WORDS.toarray()), w, h) == pytest.approx(
        np.square(v - product).sum(), rel=1e-4
    )
    logs = np.where(v > 0, v * np.log(np.where(v > 0, v, 1) / product), 0)
    assert nmf_updates.divergence(form(WORDS.toarray()), w, h) == pytest.approx((logs - v + product).sum(), rel=1e-4)


def test_coordinate_descent_ends_at_the_non_negative_least_squares():
    from scipy.optimize import nnls

    w, h = factors(DIGITS[:30])
    nmf_updates.coordinate_descent(w, h @ h.T, np.ascontiguousarray(h @ DIGITS[:30].T), 500)
    expected = [nnls(h.T.astype(float), row.astype(float))[0] for row in DIGITS[:30]]
    np.testing.assert_allclose(w.T, expected, atol=2e-3)


@UPDATES
def test_as_good_as_scikit_learns(solver, objective):
    loss = {"frobenius": "frobenius", "divergence": "kullback-leibler"}[objective]
    ours, theirs = [], []
    for seed in range(4):  # each start ends in a minimum of its own
        model = Theirs(16, solver=solver, beta_loss=loss, init="random", random_state=seed, max_iter=100, tol=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            theirs.append(model.fit(DIGITS).reconstruction_err_ ** 2 / 2)  # scikit-learn returns sqrt(2 D)
        ours.append(NMF(16, solver, objective, iterations=100, tolerance=0, seed=seed).fit(DIGITS).objectives[-1])
    assert np.mean(ours) <= 1.01 * np.mean(theirs)


def test_a_fifth_missing_costs_one_percent():
    whole = NMF(8, tolerance=1e-5).fit(DIGITS)
    rows = missing(DIGITS, 0.2)
    some = NMF(8, tolerance=1e-5, iterations=400).fit(rows)
    error = np.square(DIGITS - some.decode(some.encode(DIGITS))).mean()  # of the parts, on whole digits
    assert error <= 1.01 * np.square(DIGITS - whole.decode(whole.encode(DIGITS))).mean()


def test_missing_entries_are_guessed_better_than_by_the_mean():
    rows = missing(DIGITS, 0.2)
    gone = np.isnan(rows)
    encoder = NMF(8).fit(rows)
    guess = encoder.decode(encoder.encode(rows))
    by_mean = np.broadcast_to(np.nanmean(rows, axis=0), rows.shape)
    assert np.square(guess - DIGITS)[gone].mean() < 0.6 * np.square(by_mean - DIGITS)[gone].mean()


def test_nan_is_not_written_over_and_a_row_of_nothing_else_is_no_error():
    rows = missing(DIGITS[:60], 0.2)
    before = rows.copy()
    encoder = NMF(5, iterations=5).fit(rows)
    np.testing.assert_array_equal(rows, before)
    assert np.isfinite(encoder.encode(np.full((1, 64), np.nan))).all()


@UPDATES
@FORMS
def test_parts_and_codes_are_never_negative(solver, objective, form):
    encoder = NMF(6, solver, objective, iterations=20).fit(form(DIGITS[:100]))
    assert encoder.components.min() >= 0
    assert encoder.encode(form(DIGITS[100:200])).min() >= 0


@UPDATES
def test_sparse_rows_are_factorised_as_dense_rows(solver, objective):
    sparse, dense = (
        NMF(5, solver, objective, iterations=10, tolerance=0).fit(rows) for rows in (WORDS, WORDS.toarray())
    )
    np.testing.assert_allclose(sparse.objectives, dense.objectives, rtol=1e-3)
    np.testing.assert_allclose(sparse.encode(WORDS), dense.encode(WORDS.toarray()), atol=1e-2)


def test_parts_are_found_again():
    parts = np.zeros((3, 12), dtype=np.float32)
    parts[0, :4], parts[1, 4:8], parts[2, 8:] = 1, 2, 3
    weights = (RNG.random((80, 3)) * (RNG.random((80, 3)) < 0.7)).astype(np.float32)
    found = NMF(3, iterations=400, tolerance=0).fit(weights @ parts).components
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    alike = found @ (parts / np.linalg.norm(parts, axis=1, keepdims=True)).T
    np.testing.assert_allclose(np.sort(alike.max(axis=1)), 1, atol=0.01)
    assert sorted(alike.argmax(axis=1).tolist()) == [0, 1, 2]


def test_tolerance_ends_it():
    objectives = NMF(8, tolerance=1e-2).fit(DIGITS).objectives
    assert len(objectives) < 40
    assert objectives[-2] - objectives[-1] < 1e-2 * objectives[0] <= objectives[-3] - objectives[-2]


@FORMS
def test_negative_entries_are_refused(form):
    with pytest.raises(BadItemError, match="reads values of 0 and above, and found -16: put it after pixels"):
        NMF(3).fit(form(-DIGITS[:50]))
    encoder = NMF(3, iterations=2).fit(form(DIGITS[:50]))
    with pytest.raises(BadItemError, match="found -16"):
        encoder.encode(form(-DIGITS[:50]))


@pytest.mark.parametrize("rows", [np.zeros((9, 8)), csr_array((9, 8)), np.full((9, 8), np.nan)], ids=["zeros", "sparse", "nan"])  # fmt: skip
def test_nothing_to_factorise_is_said(rows):
    with pytest.raises(BadItemError, match="nothing to factorise"):
        NMF(3).fit(rows)


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(OptionError, match="n-components=9 is more than 8 items of 64 numbers can give"):
        NMF(9).fit(DIGITS[:8])
    with pytest.raises(OptionError, match="for the divergence use solver=mu"):
        NMF(9, "cd", "divergence")
