"""The lists of an inverted file: filled without growing, and freed of removed codes.

FAISS gives a full list twice its memory: 300,000 codes of 146 MiB, added block by block, took 200 MiB. So the lengths
of lists are found first.
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


def keep_only(index: Any, live: NDArray[np.int64]) -> bool:
    """Drop all codes but some from an index in memory, and number those from 0; return False where its type cannot.

    Parameters
    ----------
    index : faiss.Index
        Codes one after the other (``Flat``, ``SQ8``, ...) or in lists of arrays, also behind a projection. Graphs and
        fast-scan lists cannot drop codes.
    live : ndarray int64 (m,)
        Numbers of the codes that stay, ascending.
    """
    import faiss

    outer: Any = downcast(index)
    inner = downcast(outer.index) if isinstance(outer, faiss.IndexPreTransform) else outer
    if isinstance(inner, faiss.IndexFlatCodes):
        index.remove_ids(np.delete(np.arange(index.ntotal), live))
        return True
    # their subclasses have more that is numbered (copies of equal codes, refinement)
    plain = (faiss.IndexIVFFlat, faiss.IndexIVFScalarQuantizer, faiss.IndexIVFPQ, faiss.IndexIVFRaBitQ)
    if type(inner) not in plain or not inner.direct_map.no():
        return False
    lists: Any = faiss.downcast_InvertedLists(inner.invlists)
    if not isinstance(lists, faiss.ArrayInvertedLists):
        return False
    position = np.full(index.ntotal, -1, np.int64)
    position[live] = np.arange(len(live))
    for number in range(inner.nlist):
        _keep_in_list(lists, number, position)
    outer.ntotal = inner.ntotal = len(live)
    return True


def _keep_in_list(lists: Any, number: int, position: NDArray[np.int64]) -> None:
    """Move the codes that have a new position to the start of their list; FAISS' own removal changes their order."""
    import faiss

    view: Any = typing.cast("Any", faiss).rev_swig_ptr
    length = lists.list_size(number)
    if not length:
        return
    ids = view(lists.get_ids(number), length)
    kept = np.flatnonzero(position[ids] >= 0)
    codes = view(lists.get_codes(number), length * lists.code_size).reshape(length, lists.code_size)
    ids[: len(kept)] = position[ids[kept]]
    if len(kept) < length:
        codes[: len(kept)] = codes[kept]
        lists.resize(number, len(kept))
