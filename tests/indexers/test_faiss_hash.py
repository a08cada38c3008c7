"""FAISS' hash tables of bits: the look-up of semantic hashing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from encoders.errors import OptionError
from indexers.base import Index
from indexers.registry import check_description, create_index, load_index

SPACE = Space(28, Kind.BINARY, Metric.HAMMING)


def filled(description: str) -> Index:
    index = create_index(description, SPACE)
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 2, (50, 28), dtype=np.uint8)
    bits = centres[rng.integers(0, 50, 2000)] ^ (rng.random((2000, 28)) < 0.06)
    index.add([str(row) for row in range(2000)], np.packbits(bits, axis=1))
    return index


@pytest.mark.parametrize(
    ("factory", "reach"), [("BHash28?nflip=2", 2), ("Hash16?nflip=3", 3), ("BHash2x14?nflip=1", 3)]
)
def test_everything_within_reach_is_found(factory: str, reach: int, tmp_path: Path) -> None:
    exact, index = filled("exact"), filled(f"faiss:{factory}")
    queries = exact.codes()[:40]
    again = load_index(index.save(tmp_path / "index"))
    truth = exact.search_rows(queries, 2000).scores
    for one in (index, again):
        found = one.search_rows(queries, 2000).scores
        assert ((found >= -reach).sum(axis=1) == (truth >= -reach).sum(axis=1)).all()
    assert again.description == f"faiss:{factory}"
    again.remove(["0"])
    assert "0" not in [hit.id for hit in again.search(queries[:1], 5)[0]]


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        ("BHash16?nflip=17", "0 to 16; got '17'"),  # FAISS would search without end
        ("BHash16?nflip=1.5", "0 to 16; got '1.5'"),
        ("BHash16?nflop=1", "no search parameter 'nflop'"),
        ("BHash0", "a key has from 1 to"),  # FAISS would build and save it, but not read it
        ("BHush16", "FAISS has no index 'BHush16'"),
    ],
)
def test_what_no_bits_can_have_is_refused_at_once(factory: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        check_description(f"faiss:{factory}")


def test_a_key_is_no_wider_than_the_codes() -> None:
    check_description("faiss:BHash4x32")  # fits 128 bits and more
    with pytest.raises(OptionError, match="from 1 to 32 bits, here it has 40"):
        create_index("faiss:BHash40", SPACE)
