"""Facts about the solvers of PCA, and about whitening."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA as Theirs
from sklearn.decomposition import IncrementalPCA

from encoders.codes import Batch
from encoders.errors import OptionError
from encoders.projection import pca_solvers
from encoders.projection.pca import PCA

DIGITS = load_digits().data.astype(np.float32)
SOLVERS = ("exact", "randomized", "incremental")
FORMS = pytest.mark.parametrize("form", [np.asarray, csr_array], ids=["dense", "sparse"])


@pytest.mark.parametrize("solver", SOLVERS)
@FORMS
def test_every_solver_finds_scikit_learns_components(solver, form):
    theirs = Theirs(6, svd_solver="full").fit(DIGITS.astype(np.float64))
    ours = PCA(6, solver=solver).fit(form(DIGITS))
    np.testing.assert_allclose(np.abs(ours.components @ theirs.components_.T), np.eye(6), atol=2e-3)
    np.testing.assert_allclose(ours.mean, theirs.mean_, atol=1e-5)
    share = ours.explained_variance / ours.total_variance
    np.testing.assert_allclose(share, theirs.explained_variance_ratio_, rtol=1e-3)


@FORMS
def test_every_solver_gives_the_same_codes(form):
    exact, *others = (PCA(4, solver=solver).fit_encode(form(DIGITS)) for solver in SOLVERS)
    for codes in others:
        np.testing.assert_allclose(codes, exact, atol=0.05)  # of codes as large as 30


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_total_variance_far_from_the_origin(solver):
    far = DIGITS[:300] + 3000
    assert PCA(3, solver=solver).fit(far).total_variance[0] == pytest.approx(DIGITS[:300].var(axis=0).sum(), rel=1e-4)


def test_the_mean_of_many_sparse_rows_is_summed_exactly():
    level = np.tile(np.float32([0.1, 7.7, 0]), (30_000, 1))
    level[::2, 2] = 1
    fitted = PCA(1, solver="randomized").fit(csr_array(level))
    np.testing.assert_allclose(fitted.mean, [0.1, 7.7, 0.5], rtol=1e-6)
    assert fitted.total_variance[0] == pytest.approx(0.25)


def test_the_incremental_solver_holds_a_few_thousand_rows(monkeypatch):
    monkeypatch.setattr(pca_solvers, "STEP_ROWS", 50)
    taken, partial_fit = [], IncrementalPCA.partial_fit
    monkeypatch.setattr(
        IncrementalPCA, "partial_fit", lambda self, rows: taken.append(len(rows)) or partial_fit(self, rows)
    )
    parts = [Batch(DIGITS[start : start + 130]) for start in range(0, 1700, 130)]
    fitted = PCA(4, solver="incremental").fit(parts)
    assert sum(taken) == len(DIGITS[:1820])
    assert max(taken) < 150
    share = PCA(4).fit(DIGITS).explained_variance / fitted.explained_variance
    np.testing.assert_allclose(share, 1, atol=0.02)


def test_batches_smaller_than_k_are_joined():
    parts = [Batch(DIGITS[start : start + 3]) for start in range(0, 60, 3)]
    assert PCA(8, solver="incremental").fit(parts).components.shape == (8, 64)


@pytest.mark.parametrize("solver", SOLVERS)
@FORMS
def test_whitened_codes_have_variance_one_and_are_uncorrelated(solver, form):
    codes = PCA(5, whiten=True, solver=solver).fit_encode(form(DIGITS))
    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(codes.T, bias=True), np.eye(5), atol=5e-3)


def test_whitening_is_undone_by_decoding():
    plain, white = PCA(5).fit(DIGITS), PCA(5, whiten=True).fit(DIGITS)
    np.testing.assert_allclose(white.decode(white.encode(DIGITS)), plain.decode(plain.encode(DIGITS)), atol=1e-3)
    whole = PCA(64, whiten=True).fit(DIGITS)  # of which 3 components never vary
    np.testing.assert_allclose(whole.decode(whole.encode(DIGITS)), DIGITS, atol=1e-2)


def test_power_iterations_sharpen_the_randomized_solver():
    flat = np.random.default_rng(0).normal(size=(400, 300)).astype(np.float32)  # no direction stands out: hard
    best = PCA(5).fit(flat).explained_variance.sum()
    lost = [
        best - PCA(5, solver="randomized", iterations=count).fit(flat).explained_variance.sum() for count in (0, 20)
    ]
    rounding = 1e-6 * best  # float32 sums: the order of additions differs between machines
    assert -rounding <= lost[1] < 0.1 * lost[0]


def decaying(rows: int, width: int) -> np.ndarray:
    """Return rows whose variance falls from direction to direction, as that of pictures and texts does."""
    generator = np.random.default_rng(0)
    side = min(rows, width)
    scales = np.float32(np.arange(1, side + 1) ** -0.7)
    left, right = (generator.standard_normal(shape, dtype=np.float32) for shape in ((rows, side), (side, width)))
    return (left * scales) @ right / np.float32(np.sqrt(width)) + 1


#: Shapes with the solver that ``auto`` takes for 6 components of them.
SHAPES = [((40, 900), "exact"), ((900, 40), "exact"), ((620, 640), "randomized"), ((640, 620), "randomized")]


@pytest.mark.parametrize(("shape", "solver"), SHAPES)
@FORMS
def test_every_shape_gives_the_components_of_the_scatter_matrix(shape, solver, form):
    rows = decaying(*shape)
    assert pca_solvers.choose([Batch(form(rows))], 6)[0] == solver
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(rows))
    for parts in ([Batch(form(rows))], [Batch(form(part)) for part in np.array_split(rows, 7)]):
        found = PCA(6).fit(parts)
        np.testing.assert_allclose(np.abs(found.components @ vectors[:, :-7:-1]), np.eye(6), atol=1e-4)
        np.testing.assert_allclose(found.explained_variance, values[:-7:-1], rtol=1e-5)
        assert found.total_variance[0] == pytest.approx(values.sum(), rel=1e-5)


@pytest.mark.parametrize("size", [1e-25, 1e15])
@pytest.mark.parametrize("shape", [shape for shape, _ in SHAPES])
def test_the_unit_of_the_data_changes_no_direction(shape, size):
    rows = decaying(*shape)
    found = PCA(6).fit(rows * np.float32(size))
    np.testing.assert_allclose(np.abs(found.components @ PCA(6).fit(rows).components.T), np.eye(6), atol=1e-3)


def test_the_matrix_that_is_decomposed_is_never_larger_than_the_smaller_side(monkeypatch):
    sizes, solve = [], pca_solvers._leading
    monkeypatch.setattr(pca_solvers, "_leading", lambda matrix, k: sizes.append(len(matrix)) or solve(matrix, k))
    for shape in ((30, 4000), (4000, 30), (700, 720)):
        PCA(5).fit(decaying(*shape))
    assert sizes == [30, 30, 75]


@pytest.mark.parametrize("shape", [(8, 30), (30, 8)])
def test_as_many_components_as_there_can_be_are_orthogonal(shape):
    rows = np.repeat(decaying(*shape)[: shape[0] // 2], 2, axis=0)  # half of the directions hold nothing
    found = PCA(8).fit(rows)
    np.testing.assert_allclose(found.components @ found.components.T, np.eye(8), atol=1e-5)
    np.testing.assert_allclose(found.decode(found.encode(rows)), rows, atol=1e-5)
    assert (np.diff(found.explained_variance) <= 0).all()


def test_a_corpus_that_does_not_fit_is_read_batch_by_batch(monkeypatch):
    monkeypatch.setattr(pca_solvers, "HELD_NUMBERS", 620 * 100)
    rows = decaying(640, 620)
    parts = [Batch(part) for part in np.array_split(rows, 16)]
    solver, batches = pca_solvers.choose(parts, 6)
    assert (solver, batches) == ("exact", parts)  # not one that was collected
    monkeypatch.undo()
    np.testing.assert_allclose(
        PCA(6, solver="exact").fit(parts).explained_variance, PCA(6).fit(rows).explained_variance, rtol=1e-5
    )


def test_what_the_exact_solver_cannot_hold_goes_to_the_randomized_one(monkeypatch):
    monkeypatch.setattr(pca_solvers, "MAX_SIDE", 50)
    monkeypatch.setattr(pca_solvers, "SMALL_SIDE", 50)
    asked, solve = [], pca_solvers.randomized
    monkeypatch.setattr(pca_solvers, "randomized", lambda *args: asked.append(args) or solve(*args))
    PCA(3).fit(DIGITS[:100, 20:60])
    PCA(3).fit(DIGITS[:45])
    assert not asked
    PCA(3).fit(DIGITS[:100])
    assert asked
    with pytest.raises(OptionError, match="up to 50 items, or vectors of up to 50 numbers; both are at least 64: use"):
        PCA(3, solver="exact").fit(DIGITS[:100])


@pytest.mark.parametrize("solver", SOLVERS)
def test_more_components_than_items_are_refused(solver):
    with pytest.raises(OptionError, match="n-components=9 is more than 8 items of 64 numbers can give"):
        PCA(9, solver=solver).fit(DIGITS[:8])


@pytest.mark.parametrize("solver", SOLVERS)
def test_bytes_are_numbers(solver):
    pictures, numbers = (PCA(3, solver=solver).fit(rows) for rows in (DIGITS[:200].astype(np.uint8), DIGITS[:200]))
    np.testing.assert_array_equal(pictures.components, numbers.components)
    np.testing.assert_array_equal(pictures.total_variance, numbers.total_variance)
