"""Facts about random projections: Johnson & Lindenstrauss, Achlioptas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist

from encoders.projection.random_projection import RandomProjection

ROWS = np.random.default_rng(0).normal(size=(60, 2000)).astype(np.float32) ** 3
ENTRIES = pytest.mark.parametrize("entries", ["gaussian", "sparse"])


@ENTRIES
def test_all_distances_are_kept_up_to_epsilon(entries):
    epsilon = 0.5
    k = int(np.ceil(4 * np.log(60) / (epsilon**2 / 2 - epsilon**3 / 3)))  # Achlioptas' Theorem 1.1 with beta = 0
    ratios = (pdist(RandomProjection(k, entries=entries).fit_encode(ROWS)) / pdist(ROWS)) ** 2
    assert 1 - epsilon < ratios.min() < ratios.max() < 1 + epsilon
    assert ratios.mean() == pytest.approx(1, abs=0.03)


@ENTRIES
def test_more_directions_keep_distances_better(entries):
    spread = [
        np.std(pdist(RandomProjection(k, entries=entries).fit_encode(ROWS)) / pdist(ROWS)) for k in (25, 400)
    ]  # as 1 / sqrt(k)
    assert spread[0] / spread[1] == pytest.approx(4, rel=0.35)


def test_two_thirds_of_the_sparse_entries_are_nought():
    components = RandomProjection(300, entries="sparse").fit(ROWS).components
    assert (components == 0).mean() == pytest.approx(2 / 3, abs=0.003)
    np.testing.assert_allclose(np.unique(components), [-0.1, 0, 0.1], atol=1e-7)  # sqrt(3 / 300)
    assert (components > 0).mean() == pytest.approx(1 / 6, abs=0.003)


def test_gaussian_entries_have_variance_one_over_k():
    components = RandomProjection(300).fit(ROWS).components
    assert components.var() == pytest.approx(1 / 300, rel=0.01)
    assert (np.abs(components) > 1.96 / 300**0.5).mean() == pytest.approx(0.05, abs=0.002)


@ENTRIES
def test_nothing_but_the_width_is_learnt(entries):
    learnt = [RandomProjection(9, entries=entries).fit(rows).components for rows in (ROWS, -5 * ROWS[:3])]
    np.testing.assert_array_equal(*learnt)
    assert not np.array_equal(learnt[0], RandomProjection(9, entries=entries, seed=1).fit(ROWS).components)


@ENTRIES
def test_sparse_rows_have_the_codes_of_dense_rows(entries):
    rows = np.where(ROWS > 3, ROWS, 0)
    encoder = RandomProjection(20, entries=entries).fit(csr_array(rows))
    np.testing.assert_allclose(encoder.encode(csr_array(rows)), encoder.encode(rows), atol=1e-2)


@pytest.mark.parametrize("k", [10, 80])
def test_decoding_gives_the_shortest_item_with_the_code(k):
    rows = ROWS[:, :50]
    encoder = RandomProjection(k).fit(rows)
    codes = encoder.encode(rows)
    expected = np.linalg.lstsq(encoder.components.astype(np.float64), codes.T, rcond=None)[0].T
    np.testing.assert_allclose(encoder.decode(codes), expected, atol=1e-2)
