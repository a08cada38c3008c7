"""An index that is filled at once: the same as one whose codes are added block by block, in less memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from encoders.errors import BadItemError
from indexers import base, checked_index, faiss, unit, validation
from indexers.faiss_lists import has_plain_lists
from indexers.registry import create_index

WIDTH, N = 16, 700


@pytest.fixture(autouse=True)
def blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 700 rows be three blocks."""
    for module in (base, checked_index, faiss, unit, validation):
        monkeypatch.setattr(module, "BLOCK_ROWS", 256)


def codes(n: int = N) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, WIDTH), dtype=np.float32)


FACTORIES = "exact faiss:Flat faiss:IVF8,Flat faiss:IVF8,SQ8 faiss:IVF8,PQ4x4 faiss:IVF8,PQ4x4fs faiss:HNSW8 faiss:SQ8"
OTHERS = " faiss:OPQ4,IVF8,PQ4x4 faiss:IVF8,PQ4x4,RFlat faiss:IVF8_HNSW4,Flat faiss:IVF8,RaBitQ"


@pytest.mark.parametrize("description", (FACTORIES + OTHERS).split())
@pytest.mark.parametrize("metric", [Metric.EUCLIDEAN, Metric.COSINE, Metric.DOT])
def test_filled_at_once_is_added_block_by_block(description: str, metric: Metric, tmp_path: Path) -> None:
    space, ids = Space(WIDTH, Kind.DENSE, metric), [str(row) for row in range(N)]
    filled, added = create_index(description, space), create_index(description, space)
    filled.fill(ids, codes())
    added.fit(codes())
    for start in range(0, N, 256):
        added.add(ids[start : start + 256], codes()[start : start + 256])
    assert list(filled.ids) == list(added.ids)
    one, other = filled.save(tmp_path / "filled"), added.save(tmp_path / "added")
    for path in one.glob("*"):
        if path.suffix in (".faiss", ".npy"):
            assert path.read_bytes() == (other / path.name).read_bytes()
    more = codes(N + 5)[N:]
    for index in (filled, added):  # and it can still change
        index.add([f"new {row}" for row in range(5)], more)
        index.remove(["3"])
    assert filled.search(codes()[:20], 9) == added.search(codes()[:20], 9)


def test_room_is_made_for_what_each_list_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    index, made = faiss.Faiss(Space(WIDTH, Kind.DENSE, Metric.EUCLIDEAN), "IVF8,Flat"), []
    monkeypatch.setattr(faiss, "make_room", lambda index, lists: made.append(np.bincount(lists, minlength=8)))
    index.fill([str(row) for row in range(N)], codes())
    assert [counts.tolist() for counts in made] == [[index._index.invlists.list_size(number) for number in range(8)]]
    assert index._lists is None  # what is added later finds its list by itself


@pytest.mark.parametrize(("factory", "plain"), [("IVF8,Flat", True), ("IVF8,PQ4x4fs", False), ("HNSW8", False)])
def test_which_indexes_have_plain_lists(factory: str, plain: bool) -> None:
    assert has_plain_lists(faiss.Faiss(Space(WIDTH, Kind.DENSE, Metric.EUCLIDEAN), factory)._index) is plain


@pytest.mark.parametrize("ids", [["a", "a"], ["a"], ["a", 3]])
def test_bad_ids_are_refused_before_anything_is_learnt(ids: list[str]) -> None:
    index = create_index("faiss:IVF1,Flat", Space(WIDTH, Kind.DENSE, Metric.EUCLIDEAN))
    with pytest.raises(BadItemError):
        index.fill(ids, codes(2))
    assert len(index) == 0


def test_a_number_that_is_none_ends_it() -> None:
    index = create_index("faiss:IVF8,Flat", Space(WIDTH, Kind.DENSE, Metric.EUCLIDEAN))
    bad = codes()
    bad[600, 3] = np.nan
    with pytest.raises(BadItemError, match="row 600 "), index:
        index.fill([str(row) for row in range(N)], bad)
