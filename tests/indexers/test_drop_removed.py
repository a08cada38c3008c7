"""A FAISS index that drops what was removed: the same file as one to which it was never added."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from indexers.faiss import INDEX, LIVE, Faiss
from indexers.registry import create_index, load_index
from indexers.segment_merge import merged, rebuilt

WIDTH, N = 16, 600
DROPS = "Flat SQ8 PQ4x4 RaBitQ IVF8,Flat IVF8,SQ8 IVF8,PQ4x4 IVF8,RaBitQ"
#: They project, and products round by the size of the block that is added.
PROJECT = "LSH PCA8,Flat OPQ4,IVF8,PQ4x4 PCA8,IVF8,Flat"
KEEPS = "HNSW8 IVF8,PQ4x4fs IVF8,Flat,RFlat IVF8,PQ4+4 IVF8,FlatDedup HNSW8,SQ8"
IDS = [str(row) for row in range(N)]


def codes() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((N, WIDTH), dtype=np.float32)


def built(factory: str, metric: Metric, rows: np.ndarray) -> Faiss:
    """Return an index that learnt from all codes and holds some."""
    index = create_index(f"faiss:{factory}", Space(WIDTH, Kind.DENSE, metric))
    assert isinstance(index, Faiss)
    index.fit(codes())
    index.add([IDS[row] for row in rows], codes()[rows])
    return index


@pytest.mark.parametrize("factory", DROPS.split())
@pytest.mark.parametrize("metric", [Metric.EUCLIDEAN, Metric.COSINE])
@pytest.mark.parametrize("gone", [[0], [N - 1], list(range(0, N, 3)), list(range(1, N))], ids=len)
def test_the_file_is_that_of_the_rest(factory: str, metric: Metric, gone: list[int], tmp_path: Path) -> None:
    kept = np.delete(np.arange(N), gone)
    dropped, rest = built(factory, metric, np.arange(N)), built(factory, metric, kept)
    dropped.remove([IDS[row] for row in gone[:1]])
    dropped.drop_removed()
    if gone[1:]:
        dropped.remove([IDS[row] for row in gone[1:]])
        dropped.drop_removed()
    dropped.save(tmp_path / "dropped")
    rest.save(tmp_path / "rest")
    assert (tmp_path / "dropped" / INDEX).read_bytes() == (tmp_path / "rest" / INDEX).read_bytes()
    assert not (tmp_path / "dropped" / LIVE).exists()


@pytest.mark.parametrize("factory", f"{DROPS} {PROJECT} {KEEPS}".split())
def test_answers_stay_the_same_and_items_can_be_added(factory: str) -> None:
    index, other = (built(factory, Metric.EUCLIDEAN, np.arange(N)) for _ in range(2))
    for one in (index, other):
        one.remove(IDS[::3])
    index.drop_removed()
    assert (index._index.ntotal == len(index)) == (factory in f"{DROPS} {PROJECT}".split())
    for one in (index, other):
        one.add(IDS[:9:3], codes()[:9:3])
    assert list(index.ids) == list(other.ids)
    np.testing.assert_array_equal(index.search_rows(codes()[:50], 7).rows, other.search_rows(codes()[:50], 7).rows)


def test_all_items_can_be_removed_and_a_mapped_index_stays_as_it_is(tmp_path: Path) -> None:
    index = built("IVF8,Flat", Metric.EUCLIDEAN, np.arange(N))
    index.remove(IDS[:10])
    index.save(tmp_path / "index")
    mapped = load_index(tmp_path / "index", mmap=True)
    assert isinstance(mapped, Faiss)
    mapped.drop_removed()
    assert mapped.search(codes()[20:21], 1)[0][0].id == "20"
    index.drop_removed()
    index.remove(index.ids)
    index.drop_removed()
    assert not len(index)
    index.add(IDS[:5], codes()[:5])
    assert [hit.id for hit in index.search(codes()[3:4], 1)[0]] == ["3"]


def test_merged_segments_hold_no_removed_code(tmp_path: Path) -> None:
    first = built("IVF8,Flat", Metric.EUCLIDEAN, np.arange(N - 100))
    second = create_index("exact", first.space)
    second.add(IDS[N - 100 :], codes()[N - 100 :])
    whole = merged([first, second], np.arange(0, N, 2))
    whole.save(tmp_path / "merged")
    built("IVF8,Flat", Metric.EUCLIDEAN, np.arange(1, N, 2)).save(tmp_path / "rest")
    assert (tmp_path / "merged" / INDEX).read_bytes() == (tmp_path / "rest" / INDEX).read_bytes()


@pytest.mark.parametrize("factory", KEEPS.split())
def test_an_index_of_mostly_removed_items_is_built_again(factory: str) -> None:
    index = built(factory, Metric.EUCLIDEAN, np.arange(N))
    kept = np.arange(0, N, 2)
    index.remove([IDS[row] for row in range(1, N, 2)])
    exact = create_index("exact", index.space)
    exact.add([IDS[row] for row in kept], codes()[kept])
    assert index.removed_inside == N // 2
    assert rebuilt(index, exact) is index  # half of them are there
    index.remove(["0"])
    exact.remove(["0"])
    assert rebuilt(index, None) is index
    made = rebuilt(index, exact)
    assert isinstance(made, Faiss)
    assert made.description == index.description
    assert made.removed_inside == 0
    assert list(made.ids) == list(index.ids)
    answers = made.search(codes()[kept[1:20]], 3)
    assert all(IDS[row] in [hit.id for hit in hits] for row, hits in zip(kept[1:20], answers, strict=True))


def test_an_index_that_cannot_learn_from_so_few_items_stays() -> None:
    index = built("IVF8,PQ4x4fs", Metric.EUCLIDEAN, np.arange(N))
    index.remove(IDS[5:])
    exact = create_index("exact", index.space)
    exact.add(IDS[:5], codes()[:5])
    assert rebuilt(index, exact) is index
