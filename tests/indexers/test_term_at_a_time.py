"""Term-at-a-time search gives what SciPy's public product of sparse matrices gives, to the bit and in the same order."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse import csr_array

from encoders.codes import Kind, Metric, Space
from indexers import sparse, term_at_a_time
from indexers.registry import create_index
from indexers.term_at_a_time import in_place


def drawn(rows, dim, density, seed, whole=False):
    draw = np.random.default_rng(seed)
    values = draw.integers(-1, 4, (rows, dim)) if whole else draw.standard_normal((rows, dim)) + 0.5
    matrix = csr_array((values * (draw.random((rows, dim)) < density)).astype(np.float32))
    matrix.eliminate_zeros()
    return matrix


@pytest.fixture(params=[None, "each list by itself", "few scores at a time"])
def limits(request, monkeypatch):
    if request.param == "each list by itself":
        monkeypatch.setattr(term_at_a_time, "COPIED", 0)
    if request.param == "few scores at a time":
        monkeypatch.setattr(term_at_a_time, "HELD", 1)
        monkeypatch.setattr(term_at_a_time, "SHORTEST", 2)


@pytest.mark.parametrize("metric", [Metric.DOT, Metric.COSINE])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (70, 1), (70, 10), (70, 70), (3000, 10), (3000, 2999)])
def test_the_answers_are_those_of_a_product(monkeypatch, limits, metric, whole, n, k):
    index = create_index("sparse", Space(50, Kind.SPARSE, metric))
    index.add([str(row) for row in range(n)], drawn(n, 50, 0.1, 0, whole))
    queries = csr_array(scipy.sparse.vstack([drawn(90, 50, 0.15, 1, whole), csr_array((2, 50), dtype=np.float32)]))
    found = index.search_rows(queries, k)
    one = index.search_rows(queries[[3]], k)
    monkeypatch.setattr(sparse, "in_place", lambda: None)
    wanted = index.search_rows(queries, k)
    assert np.array_equal(found.rows, wanted.rows)
    assert np.array_equal(found.scores, wanted.scores)
    assert (found.rows[-1] == -1).all()
    assert np.array_equal(one.rows[0], wanted.rows[3])


def test_many_equal_scores_come_in_the_order_of_the_items():
    index = create_index("sparse", Space(3, Kind.SPARSE, Metric.DOT))
    index.add([str(row) for row in range(5000)], csr_array(np.ones((5000, 3), np.float32)))
    found = index.search_rows(csr_array(np.ones((2, 3), np.float32)), 7)
    assert found.rows.tolist() == [list(range(7))] * 2


def test_functions_that_do_something_else_are_not_used(monkeypatch):
    from scipy.sparse import _sparsetools

    in_place.cache_clear()
    assert in_place() is not None
    for name, other in [("csc_matvec", lambda *_: None), ("csr_row_index", lambda *_: None)]:
        with monkeypatch.context() as changed:
            changed.setattr(_sparsetools, name, other)
            in_place.cache_clear()
            assert in_place() is None
            changed.delattr(_sparsetools, name)
            in_place.cache_clear()
            assert in_place() is None
    in_place.cache_clear()
