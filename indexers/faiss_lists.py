"""The lists of an inverted file: their lengths are found first, so that none grows while it is filled.

FAISS gives a full list twice its memory: 300,000 codes of 146 MiB, added block by block, took 200 MiB.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexers.faiss_factory import downcast


def has_plain_lists(index: Any) -> bool:
    """Return whether an index puts codes into lists in memory, each by the nearest centroid alone."""
    import faiss

    inverted = downcast(index)
    # their subclasses (fast scan, refinement) add in other ways
    if type(inverted) not in (faiss.IndexIVFFlat, faiss.IndexIVFScalarQuantizer, faiss.IndexIVFPQ):
        return False
    return isinstance(faiss.downcast_InvertedLists(inverted.invlists), faiss.ArrayInvertedLists)


def assigned(index: Any, blocks: Iterable[NDArray[np.float32]]) -> NDArray[np.int64]:
    """Return the list of every row, int64 (n,), as FAISS chooses it when it adds blocks of `BLOCK_ROWS`."""
    quantizer = downcast(index).quantizer
    return np.concatenate([quantizer.search(block, 1)[1][:, 0] for block in blocks])


def make_room(index: Any, lists: NDArray[np.int64]) -> None:
    """Let every list of an empty index have room for exactly the rows that it will get."""
    inverted = downcast(index)
    for number, length in enumerate(np.bincount(lists[lists >= 0], minlength=inverted.nlist).tolist()):
        if length:
            inverted.invlists.resize(number, length)
            inverted.invlists.resize(number, 0)  # a vector keeps its room


def add_to_lists(index: Any, codes: NDArray[np.float32], lists: NDArray[np.int64]) -> None:
    """Add codes (n, dim) to lists (n,) that were found before; `index.add` would find them again."""
    import faiss

    pointer = typing.cast("Any", faiss).swig_ptr
    codes, lists = np.ascontiguousarray(codes, np.float32), np.ascontiguousarray(lists)
    downcast(index).add_core(len(codes), pointer(codes), None, pointer(lists))
