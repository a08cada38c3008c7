"""What holds of the inverted index in particular."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse import random as random_sparse

from encoders.codes import Kind, Metric, Space
from indexers import sparse
from indexers.registry import create_index, load_index
from indexers.sparse import Sparse


def test_nothing_in_common_is_no_answer() -> None:
    index = Sparse(Space(3, Kind.SPARSE, Metric.COSINE))
    index.add(["a", "b", "empty"], csr_array(np.array([[1, 0, 0], [0, 2, 0], [0, 0, 0]], np.float32)))
    hits = index.search(csr_array(np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], np.float32)), 5)
    assert hits == [[("b", 1.0)], [], []]


def test_terms_that_cancel_are_no_answer() -> None:
    index = Sparse(Space(2, Kind.SPARSE, Metric.DOT))
    index.add(["a", "b"], csr_array(np.array([[1, -1], [1, -3]], np.float32)))
    assert index.search(csr_array(np.array([[1, 1]], np.float32)), 5) == [[]]


@pytest.mark.parametrize("metric", [Metric.DOT, Metric.COSINE])
def test_many_queries_are_answered_like_one(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = csr_array(random_sparse(400, 60, density=0.1, random_state=0, dtype=np.float32, format="csr"))
    queries = codes[:50]
    index = Sparse(Space(60, Kind.SPARSE, metric))
    index.add([str(row) for row in range(400)], codes)
    whole = index.search_rows(queries, 7)
    monkeypatch.setattr(sparse, "BLOCK_QUERIES", 3)
    pieces = index.search_rows(queries, 7)
    assert (whole.rows == pieces.rows).all()
    assert (whole.scores == pieces.scores).all()


def test_either_integer_type_is_accepted() -> None:
    codes = csr_array(np.eye(4, dtype=np.float32))
    wide = csr_array((codes.data, codes.indices.astype(np.int64), codes.indptr.astype(np.int64)), shape=codes.shape)
    index = Sparse(Space(4, Kind.SPARSE, Metric.DOT))
    index.add(list("abcd"), wide)
    assert index.search(wide[[2]], 1) == index.search(codes[[2]], 1) == [[("c", 1.0)]]


def test_an_opened_index_reads_no_postings(tmp_path: Path) -> None:
    index = create_index(None, Space(3, Kind.SPARSE, Metric.DOT))
    index.add(["a"], csr_array(np.array([[1, 0, 2]], np.float32)))
    opened = load_index(index.save(tmp_path / "index"))
    assert isinstance(opened, Sparse)
    array = opened._postings.data
    while array.base is not None and not isinstance(array, np.memmap):
        array = array.base
    assert isinstance(array, np.memmap)


def test_no_heavy_library_is_imported() -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", "import sys, indexers.exact, indexers.sparse, indexers.folder; print(*sys.modules)"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    heavy = {"torch", "sklearn", "faiss", "sparse_dot_topn", "safetensors", "elasticsearch", "scipy.linalg"}
    assert not heavy & set(done.stdout.split())
