"""Facts about the factorisation of ratings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from encoders.base import Encoder
from encoders.codes import Batch, Kind, Metric
from encoders.errors import BadItemError
from encoders.projection.factors import fold_in, pack, predict, unpack
from encoders.projection.matrix_factorization import MatrixFactorization

NAN = float("nan")
#: Five people, four figures, five ratings missing.
EXAMPLE = np.array([[5, 3, NAN, 1], [4, 3, NAN, 1], [1, 1, NAN, 5], [1, NAN, 4, 4], [NAN, 1, 5, 4]], dtype=np.float32)
PLAIN = {"biases": False, "regularization": 0.02, "exponent": 0.0}
RNG = np.random.default_rng(0)
#: 80 x 40 ratings of two hidden tastes, biases and a little noise, 60 % of them missing.
TRUTH = (
    3 + 0.5 * RNG.normal(size=(80, 1)) + 0.5 * RNG.normal(size=40) + RNG.normal(size=(80, 2)) @ RNG.normal(size=(2, 40))
)
GONE = RNG.random(TRUTH.shape) < 0.6
RATINGS = np.where(GONE, NAN, TRUTH + 0.1 * RNG.normal(size=TRUTH.shape)).astype(np.float32)
SOLVERS = pytest.mark.parametrize("solver", ["variational", "als", "sgd"])


def as_sparse(rows) -> csr_array:
    there = ~np.isnan(rows)
    return csr_array((rows[there], np.nonzero(there)), shape=rows.shape)


def fitted_cells(encoder) -> np.ndarray:
    cells = np.indices((len(encoder.factors.rows), len(encoder.factors.columns)))
    return predict(encoder.factors, cells[0].ravel(), cells[1].ravel()).reshape(cells[0].shape)


def objective(encoder, rows) -> float:
    """Return what als and sgd minimise, by loops."""
    factors, total = encoder.factors, 0.0
    strength, exponent = encoder.regularization, encoder.exponent
    for row, line in enumerate(rows):
        for column, value in enumerate(line):
            if not np.isnan(value):
                guess = factors.mean + factors.row_bias[row] + factors.column_bias[column]
                total += (value - guess - factors.rows[row] @ factors.columns[column]) ** 2
    counts = [(~np.isnan(rows)).sum(axis=axis) for axis in (1, 0)]
    for sizes, bias, lines in zip(counts, (factors.row_bias, factors.column_bias), (factors.rows, factors.columns), strict=True):  # fmt: skip
        total += float((strength * sizes**exponent * (bias**2 + np.square(lines).sum(axis=1))).sum())
    return total


@pytest.mark.parametrize(("solver", "epochs"), [("als", 200), ("sgd", 2000)])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_worked_example(solver, epochs, seed):
    encoder = MatrixFactorization(2, solver=solver, epochs=epochs, seed=seed, **PLAIN).fit(EXAMPLE)
    assert np.nansum(np.square(fitted_cells(encoder) - EXAMPLE)) <= 0.30
    assert encoder.decode(encoder.encode(EXAMPLE)).shape == (5, 4)


def test_the_missing_ratings_of_the_example_are_not_identifiable():
    # several factorisations fit what is there equally well, and do not agree on what is missing
    guesses = [
        fitted_cells(MatrixFactorization(2, solver="sgd", epochs=2000, seed=seed, **PLAIN).fit(EXAMPLE))[0, 2]
        for seed in (0, 3)
    ]
    assert abs(guesses[0] - guesses[1]) > 1


@SOLVERS
def test_what_is_missing_is_predicted_better_than_by_biases(solver):
    errors = []
    for d in (1, 4):
        encoder = MatrixFactorization(d, solver=solver, epochs=60).fit(RATINGS)
        errors.append(np.sqrt(np.square(fitted_cells(encoder) - TRUTH)[GONE].mean()))
    by_mean = np.sqrt(np.square(np.nanmean(RATINGS) - TRUTH)[GONE].mean())
    assert errors[1] < 0.75 * errors[0] < 0.75 * by_mean


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_als_ends_where_no_step_lowers_the_objective(biases, exponent):
    encoder = MatrixFactorization(3, solver="als", biases=biases, regularization=0.5, exponent=exponent, epochs=300)
    least = objective(encoder.fit(RATINGS), RATINGS)
    for name in ("rows", "columns", *(("row_bias", "column_bias") if biases else ())):
        values = getattr(encoder.factors, name)
        kept = values.copy()
        for step in (1e-2, -1e-2):
            values += step * np.random.default_rng(1).normal(size=values.shape)
            assert objective(encoder, RATINGS) > least
            values[:] = kept


def test_sgd_and_als_minimise_the_same():
    errors = {
        solver: objective(
            MatrixFactorization(2, solver=solver, epochs=epochs, regularization=0.3).fit(RATINGS), RATINGS
        )
        for solver, epochs in (("als", 300), ("sgd", 600))
    }
    assert errors["sgd"] == pytest.approx(errors["als"], rel=0.05)


@SOLVERS
@pytest.mark.parametrize("biases", [True, False])
def test_folding_in_a_training_row_gives_its_factors_again(solver, biases):
    # exact for als, whose rows solve that very regression; near for the others
    encoder = MatrixFactorization(2, solver=solver, biases=biases, epochs=600).fit(RATINGS)
    codes, factors = encoder.encode(RATINGS), encoder.factors
    expected = np.column_stack([factors.row_bias, factors.rows]) if biases else factors.rows
    assert encoder.space.dim == expected.shape[1]
    np.testing.assert_allclose(codes, expected, atol={"als": 2e-3, "variational": 2e-3, "sgd": 0.15}[solver])


def test_folding_in_is_ridge_regression():
    encoder = MatrixFactorization(3, solver="als", regularization=0.7).fit(RATINGS)
    new = np.where(np.random.default_rng(5).random(40) < 0.5, NAN, 4).astype(np.float32)
    there = ~np.isnan(new)
    design = np.column_stack([np.ones(there.sum()), encoder.factors.columns[there]])
    target = new[there] - encoder.factors.mean - encoder.factors.column_bias[there]
    ridge = 0.7 * there.sum() ** 0.5 * np.eye(4)
    expected = np.linalg.solve(design.T @ design + ridge, design.T @ target)
    np.testing.assert_allclose(encoder.encode(new[None])[0], expected, rtol=1e-4, atol=1e-5)


@SOLVERS
def test_sparse_ratings_and_nan_are_the_same(solver):
    options = {"solver": solver, "epochs": 10}
    sparse = MatrixFactorization(3, **options).fit(as_sparse(RATINGS))
    dense = MatrixFactorization(3, **options).fit(RATINGS)
    np.testing.assert_allclose(sparse.encode(as_sparse(RATINGS)), dense.encode(RATINGS), atol=1e-5)


def test_many_batches_teach_the_same_as_one():
    parts = [Batch(as_sparse(RATINGS[:30])), Batch(as_sparse(RATINGS[30:]))]
    whole = MatrixFactorization(3).fit(as_sparse(RATINGS)).encode(RATINGS)
    np.testing.assert_allclose(MatrixFactorization(3).fit(parts).encode(RATINGS), whole, atol=1e-6)


@SOLVERS
def test_a_stored_nought_is_a_rating(solver):
    rows = np.round(RATINGS - 3)  # many of which are 0
    sparse, options = as_sparse(rows), {"solver": solver, "epochs": 10}
    assert sparse.nnz > np.count_nonzero(sparse.data)
    predicted = [fitted_cells(MatrixFactorization(2, **options).fit(form)) for form in (sparse, rows)]
    np.testing.assert_allclose(*predicted, atol=1e-5)
    unknown = np.where(rows == 0, NAN, rows)
    without = fitted_cells(MatrixFactorization(2, **options).fit(unknown))
    at = rows == 0
    assert np.square(predicted[0][at]).mean() < 0.8 * np.square(without[at]).mean()


@pytest.mark.parametrize("form", [np.asarray, as_sparse], ids=["dense", "sparse"])
def test_a_row_without_ratings_is_refused_and_encodes_to_nought(form):
    rows = RATINGS.copy()
    rows[[7, 9]] = NAN
    with pytest.raises(BadItemError, match=r"row 7 \(and 1 more\) has no rating"):
        MatrixFactorization(2).fit(form(rows))
    codes = MatrixFactorization(2).fit(RATINGS).encode(form(rows))
    assert not codes[7].any()
    assert codes[8].any()


def test_a_cell_rated_twice_is_refused():
    twice = csr_array((np.ones(3, np.float32), np.array([0, 0, 1]), np.array([0, 2, 3])), shape=(2, 2))
    with pytest.raises(BadItemError, match="has two ratings"):
        MatrixFactorization(1).fit(twice)


def test_a_column_without_ratings_gets_the_rest_of_the_prediction():
    rows = RATINGS.copy()
    rows[:, 4] = NAN
    factors = MatrixFactorization(2).fit(rows).factors
    assert not factors.columns[4].any()
    assert factors.column_bias[4] == 0


def test_the_variational_fit_drops_factors_that_noise_does_not_support():
    noise = np.where(GONE, NAN, RNG.normal(size=GONE.shape)).astype(np.float32)
    sizes = [float(np.square(fit.factors.rows @ fit.factors.columns.T).mean()) for fit in
             (MatrixFactorization(3, solver=solver, regularization=0.01, epochs=100).fit(noise) for solver in ("variational", "als"))]  # fmt: skip
    assert sizes[0] < 0.05 * sizes[1]


@SOLVERS
@pytest.mark.parametrize("biases", [True, False])
def test_what_is_saved_predicts_the_same(tmp_path, solver, biases):
    encoder = MatrixFactorization(3, solver=solver, biases=biases, epochs=5).fit(RATINGS)
    loaded = Encoder.load(encoder.save(tmp_path / "mf"))
    np.testing.assert_allclose(loaded.encode(RATINGS), encoder.encode(RATINGS), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(fitted_cells(loaded), fitted_cells(encoder))
    assert loaded.bounds == encoder.bounds == (float(np.nanmin(RATINGS)), float(np.nanmax(RATINGS)))
    assert (loaded.space.kind, loaded.space.metric, loaded.space.dim) == (Kind.DENSE, Metric.COSINE, 3 + biases)


def test_symmetric_matrices_are_packed_and_unpacked():
    matrices = RNG.normal(size=(4, 3, 3))
    matrices += matrices.transpose(0, 2, 1)
    np.testing.assert_array_equal(unpack(pack(matrices), 3), matrices)


#: Tables that hold hardly anything to learn from.
DEGENERATE = {
    "all equal": np.where(np.random.default_rng(0).random((9, 6)) < 0.6, 1.0, NAN),
    "all 0": np.zeros((4, 3)),
    "one rating": np.array([[4.0]]),
    "one user": np.array([[1.0, NAN, 5.0, 2.0]]),
    "one item": np.array([[1.0], [3.0], [5.0], [2.0]]),
    "one differs": np.where(np.arange(20).reshape(5, 4) == 7, 5.0, 1.0),
}
DEGENERATE["all equal"][:, 0] = 1.0
SOLVERS = ("variational", "als", "sgd")


@pytest.mark.filterwarnings("ignore:mf")
@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("table", DEGENERATE)
def test_degenerate_tables_give_finite_predictions(table, solver, biases):
    ratings = DEGENERATE[table]
    encoder = MatrixFactorization(3, solver=solver, biases=biases).fit(ratings)
    for values in encoder.state().values():
        assert np.isfinite(values).all()
    codes = encoder.encode(ratings)
    predicted = encoder.decode(codes)
    assert np.isfinite(codes).all()
    given = ratings[~np.isnan(ratings)]
    if given.min() == given.max():
        np.testing.assert_allclose(predicted, given[0], atol=1e-6)


def test_a_small_table_keeps_its_factors():
    blocks = np.array([[5, 3, 4, 1], [4, 3, 4, 1], [1, 1, 5, 5], [1, 1, 5, 4]], dtype=np.float32)
    with pytest.warns(UserWarning, match="too few for solver=variational.*als is used instead"):
        encoder = MatrixFactorization().fit(blocks)
    assert np.abs(encoder.factors.columns).max() > 0.1
    assert np.square(encoder.decode(encoder.encode(blocks)) - blocks).mean() < 0.5 * blocks.var()


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_unit_of_the_ratings_does_not_matter(solver):
    random = np.random.default_rng(3)
    ratings = np.clip(np.rint(3 + random.standard_normal((40, 2)) @ random.standard_normal((2, 25))), 1, 5)
    ratings[random.random(ratings.shape) < 0.5] = NAN
    ratings[:, 0] = 3
    wide = MatrixFactorization(3, solver=solver, epochs=5).fit(ratings * 64)
    tiny = MatrixFactorization(3, solver=solver, epochs=5).fit(ratings * 2.0**-20)
    np.testing.assert_allclose(wide.factors.columns, tiny.factors.columns, rtol=1e-4, atol=1e-6)
    a, b = (encoder.decode(encoder.encode(ratings * unit)) for encoder, unit in ((wide, 64), (tiny, 2.0**-20)))
    np.testing.assert_allclose(a / 64, b * 2.0**20, rtol=1e-3, atol=1e-3)
    column = np.arange(40, dtype=np.float64) % 5  # of a new item, folded in
    new = [
        fold_in(encoder.factors.transposed, np.array([0, 40]), np.arange(40), column * unit)[1]
        for encoder, unit in ((wide, 64), (tiny, 2.0**-20))
    ]
    np.testing.assert_allclose(*new, rtol=1e-3, atol=1e-4)
