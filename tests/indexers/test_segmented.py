"""Indexes in segments: every answer is that of one index with the items that were not removed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from encoders.codes import Kind, Metric, Space
from encoders.errors import BadItemError
from indexers.registry import create_index, load_index
from indexers.segment_merge import joined, merged
from indexers.segmented import Segmented

SPACES = {
    "euclidean": Space(6, Kind.DENSE, Metric.EUCLIDEAN),
    "cosine": Space(6, Kind.DENSE, Metric.COSINE),
    "dot": Space(6, Kind.DENSE, Metric.DOT),
    "words": Space(40, Kind.SPARSE, Metric.DOT),
    "sparse cosine": Space(40, Kind.SPARSE, Metric.COSINE),
    "bits": Space(12, Kind.BINARY, Metric.HAMMING),
}
#: Sizes of the parts.
SIZES = (50, 1, 20, 9)
N = sum(SIZES)


def drawn(space: Space, n: int, seed: int = 0):
    """Codes with many equal ones, so that many scores are equal."""
    draw = np.random.default_rng(seed)
    if space.kind is Kind.BINARY:
        return np.packbits(draw.integers(0, 2, (n, space.dim), dtype=np.uint8), axis=1)
    if space.kind is Kind.SPARSE:
        return csr_array(draw.integers(0, 3, (n, space.dim)).astype(np.float32) * (draw.random((n, space.dim)) < 0.2))
    return draw.integers(-1, 2, (n, space.dim)).astype(np.float32)


def segmented(space, codes, removed, description=None):
    parts, start = [], 0
    for size in SIZES:
        part = create_index(description if start == 0 else None, space)
        part.fit(codes[start : start + size])
        part.add([f"i{row}" for row in range(start, start + size)], codes[start : start + size])
        parts.append(part)
        start += size
    return Segmented(parts, removed)


def at_once(space, codes, removed):
    index, kept = create_index(None, space), np.delete(np.arange(N), removed)
    index.add([f"i{row}" for row in kept], codes[kept])
    return index


def same(a, b):
    assert np.array_equal(a.rows, b.rows)
    assert np.array_equal(a.scores, b.scores)


@pytest.mark.parametrize("gone", ["none", "some", "most", "a whole part", "the nearest"])
@pytest.mark.parametrize("name", SPACES)
def test_answers_are_those_of_one_index(name, gone):
    space, draw = SPACES[name], np.random.default_rng(3)
    codes, queries = drawn(space, N), drawn(space, 7, seed=1)
    whole = at_once(space, codes, np.empty(0, np.int64))
    removed = {
        "none": np.empty(0, np.int64),
        "some": np.sort(draw.choice(N, 15, replace=False)),
        "most": np.sort(draw.choice(N, N - 4, replace=False)),
        "a whole part": np.arange(50, 71),
        "the nearest": np.sort(whole.search_rows(queries[:1], 40).rows[0]),
    }[gone]
    removed = np.unique(removed[removed >= 0])
    found, wanted = segmented(space, codes, removed), at_once(space, codes, removed)
    assert list(found.ids) == list(wanted.ids)
    assert len(found) == len(wanted)
    assert (found.codes() != wanted.codes()).sum() == 0
    assert found.rows_of_ids(list(wanted.ids)).tolist() == list(range(len(wanted)))
    for k in (1, 5, len(wanted), N + 3):
        same(found.search_rows(queries, k), wanted.search_rows(queries, k))
        assert found.search(queries, k) == wanted.search(queries, k)
    rows = draw.integers(-1, len(wanted), (queries.shape[0], 11))
    assert np.array_equal(found.score_rows(queries, rows), wanted.score_rows(queries, rows))
    once = np.argsort(draw.random((queries.shape[0], len(wanted))), axis=1)[:, :9]
    same(found.search_among(queries, once, 4), wanted.search_among(queries, once, 4))


@pytest.mark.parametrize("name", SPACES)
def test_merging_saving_and_changing_give_one_index(name, tmp_path):
    space = SPACES[name]
    codes, queries, removed = drawn(space, N), drawn(space, 7, seed=1), np.array([0, 7, 49, 50, 60, 79])
    wanted = at_once(space, codes, removed)
    found = segmented(space, codes, removed)
    saved = load_index(found.save(tmp_path / "saved"))
    assert list(saved.ids) == list(wanted.ids)
    same(saved.search_rows(queries, 9), wanted.search_rows(queries, 9))
    assert len(found) == len(wanted)  # saving changes nothing
    parts = segmented(space, codes, removed)._parts
    same(merged(parts, removed).search_rows(queries, 9), wanted.search_rows(queries, 9))
    for index in (found, wanted):
        index.add(["new", "i0"], codes[:2])
        index.remove(["i1", "new", "i61"])
    assert list(found.ids) == list(wanted.ids)
    same(found.search_rows(queries, 9), wanted.search_rows(queries, 9))


@pytest.mark.parametrize("name", SPACES)
def test_joined_parts_give_the_same(name):
    space, removed = SPACES[name], np.array([0, 51, 60])
    codes, queries = drawn(space, N), drawn(space, 7, seed=1)
    parts = segmented(space, codes, removed)._parts
    for limit, sizes in [(0, SIZES), (22, (50, 21, 9)), (30, (50, 30)), (1000, (80,))]:
        found = joined(parts, limit)
        assert tuple(map(len, found)) == sizes
        same(Segmented(found, removed).search_rows(queries, 9), at_once(space, codes, removed).search_rows(queries, 9))
        assert tuple(map(len, parts)) == SIZES  # they are not changed


def test_parts_in_other_units_are_not_joined():
    space = SPACES["euclidean"]
    parts = [create_index(None, space) for _ in range(3)]
    for at, (part, scale) in enumerate(zip(parts, (1, 1e-30, 1e25), strict=True)):
        part.add([f"i{at}"], np.full((1, 6), scale, np.float32))
    assert len(joined(parts, 100)) == 3


def test_a_removed_item_of_an_approximate_index_never_answers():
    space = SPACES["euclidean"]
    codes = np.random.default_rng(0).standard_normal((N, 6)).astype(np.float32)
    removed = np.arange(0, N, 2)
    found = segmented(space, codes, removed, "faiss:HNSW16")
    assert (found.description, found.is_exact, found.holds_codes) == ("faiss:HNSW16", False, False)
    rows = found.search_rows(codes[removed], 5).rows
    wanted = at_once(space, codes, removed).search_rows(codes[removed], 5).rows
    assert np.mean([len(set(a) & set(b)) / 5 for a, b in zip(rows, wanted, strict=True)]) > 0.95
    assert found.quantised() is None


def test_bad_rows_and_ids_are_refused():
    found = segmented(SPACES["dot"], drawn(SPACES["dot"], N), np.array([3]))
    with pytest.raises(BadItemError, match="holds no item 'i3'"):
        found.rows_of_ids(["i2", "i3"])
    with pytest.raises(BadItemError, match="is in the index already"):
        found.add(["i2"], drawn(SPACES["dot"], 1))
    with pytest.raises(BadItemError, match="rows are whole numbers"):
        found.score_rows(drawn(SPACES["dot"], 1), np.array([[N - 1]]))
    found.add(["i3"], drawn(SPACES["dot"], 1))
    assert found.ids[-1] == "i3"
