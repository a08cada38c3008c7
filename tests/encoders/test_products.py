"""Products with a fixed matrix: sparse rows give the same digits with and without the columns that they do not use."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from encoders.products import Product, sparse_product


@pytest.mark.parametrize("density", [0.0, 0.01, 0.3, 0.9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_unused_columns_change_no_digit(density, dtype):
    generator = np.random.default_rng(0)
    rows = csr_array(random_array((7, 400), density=density, rng=generator), dtype=dtype)
    matrix = generator.standard_normal((5, 400)).astype(dtype)
    np.testing.assert_array_equal(sparse_product(rows, matrix), rows @ matrix.T)


def test_a_sparse_row_alone_is_as_in_a_batch():
    generator = np.random.default_rng(1)
    rows = csr_array(random_array((60, 300), density=0.05, rng=generator), dtype=np.float32)
    product = Product(generator.standard_normal((9, 300)).astype(np.float32))
    alone = np.concatenate([product(rows[row : row + 1]) for row in range(60)])
    np.testing.assert_array_equal(alone, product(rows))
