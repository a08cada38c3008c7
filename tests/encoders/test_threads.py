"""What is computed on several cores equals what one core computes: make test gives each process one thread."""

from __future__ import annotations

import os

import numpy as np
import pytest
from scipy.sparse import random_array

from encoders import cpu_count
from encoders.checksums import file_sums
from encoders.codes import Kind, Metric, Space
from encoders.registry import create
from indexers.registry import create_index

needs_two_cores = pytest.mark.skipif(
    hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) < 2, reason="one core"
)


@pytest.fixture
def threads(monkeypatch):
    def use(count: int) -> None:
        monkeypatch.setenv("OMP_NUM_THREADS", str(count))
        assert cpu_count.available_cores() == count

    return use


@needs_two_cores
@pytest.mark.parametrize("spec", ["nmf:3,iterations=20", "patch-kmeans:8,patch=3,patches=500"])
def test_codes_are_the_same(spec, threads):
    generator = np.random.default_rng(0)
    items = generator.integers(0, 255, (300, 8, 8), dtype=np.uint8)
    if spec.startswith("nmf"):
        items = items.reshape(300, 64).astype(np.float32)
    codes = []
    for count in (1, 2):
        threads(count)
        codes.append(create(spec).fit(items).encode(items))
    np.testing.assert_allclose(codes[0], codes[1], rtol=1e-5, atol=1e-6)


@needs_two_cores
def test_answers_of_sparse_spaces_are_the_same(threads):
    rows = random_array((3_000, 200), density=0.05, format="csr", dtype=np.float32, rng=0)
    index = create_index(None, Space(200, Kind.SPARSE, Metric.COSINE))
    index.add([str(row) for row in range(3_000)], rows)
    hits = []
    for count in (1, 2):
        threads(count)
        hits.append(index.search(rows[:600], 10))
    assert hits[0] == hits[1]


@needs_two_cores
def test_digests_are_the_same(threads, tmp_path):
    (tmp_path / "large").write_bytes(bytes(range(256)) * 40_000)
    digests = []
    for count in (1, 2):
        threads(count)
        digests.append(file_sums(tmp_path / "large"))
    assert digests[0] == digests[1]
