"""Functions of fixed-point numbers are close to the real ones, and are the same integers everywhere."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy.special import expit, ndtr

from retrieval.applications.compression.fixed_point import FRACTION, Table, activation, normal_cdf, rounded_shift

ONE = 1 << FRACTION
X = np.arange(-40 * ONE, 40 * ONE, 7, dtype=np.int64)
REAL = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x * expit(x),
    "tanh": np.tanh,
    "sigmoid": expit,
}


@pytest.mark.parametrize("name", REAL)
def test_an_activation_is_within_a_unit_of_the_real_one(name):
    found = activation(name)(X)
    assert found.dtype == np.int64
    np.testing.assert_allclose(found / ONE, REAL[name](X / ONE), atol=1 / ONE)


def test_the_distribution_function_is_that_of_scipy_and_never_falls():
    table = Table(normal_cdf, -8, 8, 8, 16, 1 << 24)
    x = np.arange(-9 << 16, 9 << 16, 11, dtype=np.int64)
    np.testing.assert_allclose(table(x) / (1 << 24), ndtr(np.clip(x / (1 << 16), -8, 8)), atol=1e-6)
    assert (np.diff(table(x)) >= 0).all()


def test_a_shift_rounds_to_the_nearest_and_may_differ_from_unit_to_unit():
    x = np.arange(-1000, 1000, dtype=np.int64)
    np.testing.assert_array_equal(rounded_shift(x, 3), np.floor(x / 8 + 0.5))
    np.testing.assert_array_equal(rounded_shift(x, 0), x)
    np.testing.assert_array_equal(rounded_shift(np.array([[8, 8]]), np.array([1, 3])), [[4, 1]])


def test_the_tables_are_the_integers_of_every_other_machine():
    # computed once; a machine on which it differs could not decode the files of others
    digest = hashlib.sha256()
    for name in ("silu", "tanh", "sigmoid"):
        digest.update(activation(name)(X).astype("<i8").tobytes())
    digest.update(Table(normal_cdf, -8, 8, 8, 16, 1 << 40).knots.astype("<i8").tobytes())
    assert digest.hexdigest()[:16] == "36d7d69bd27cd0de"
