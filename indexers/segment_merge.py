"""Small indexes beside a large one, and one index made from several; see `indexers.segmented`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError
from indexers.base import Index
from indexers.checked_index import CheckedIndex
from indexers.registry import create_index


def small_index(first: Index) -> Index:
    """Return an empty index for few items beside `first`: one that needs no learning, and compares every item.

    Examples
    --------
    >>> from encoders.codes import Kind, Metric, Space
    >>> small_index(create_index("faiss:HNSW16", Space(2, Kind.DENSE, Metric.COSINE))).description
    'exact'
    """
    return create_index(small_description(first.description), first.space, first.lexicon)


def small_description(description: str) -> str:
    """Return the description of the index for few items beside an index of this description.

    Examples
    --------
    >>> small_description("sparse"), small_description("faiss:IVF64,PQ8?nprobe=4")
    ('sparse', 'exact')
    """
    return description if description == "sparse" else "exact"


def joined(parts: Sequence[Index], limit: int) -> list[Index]:
    """Return indexes with the same items, where small neighbours are one index: each index costs a search its time.

    Parameters
    ----------
    parts : sequence of Index
        Exact ones that hold their codes.
    limit : int
        Largest number of items of an index made from several.
    """
    indexes: list[Index] = []
    fresh = False  # whether the last one was made here
    for part in parts:
        last = indexes[-1] if indexes else None
        if last is None or len(last) + len(part) > limit or not _can_join(last, part):
            indexes.append(part)
            fresh = False
            continue
        if not fresh:
            indexes[-1] = create_index(part.description, part.space, part.lexicon)
            indexes[-1].add(list(last.ids), last.codes())
            fresh = True
        indexes[-1].add(list(part.ids), part.codes())
    return indexes


def _can_join(one: Index, other: Index) -> bool:
    """Return whether both store codes as they are given, and no id (of an item removed from one) is in both."""
    plain = all(isinstance(index, CheckedIndex) and index.stores_plain for index in (one, other))
    return plain and set(one.ids).isdisjoint(other.ids)


def over_file(parts: Sequence[Index], removed: NDArray[np.int64], path: Path) -> Index | None:
    """Return one index with the items of several, whose codes are in a file; None if its type reads no file.

    Parameters
    ----------
    parts : sequence of Index
        They are not changed.
    removed : ndarray int64
        Removed rows, counted through all parts.
    path : Path
        A .npy file with the codes of the items that are left, in their order.
    """
    names = np.array(list(chain.from_iterable(part.ids for part in parts)), object)
    whole = small_index(parts[0])
    return whole if whole.add_file(np.delete(names, removed).tolist(), path) else None


def merged(parts: Sequence[Index], removed: NDArray[np.int64]) -> Index:
    """Return one index with the items of several; the first part is changed: give one that has no other reader.

    Parameters
    ----------
    parts : sequence of Index
        All but the first hold their codes.
    removed : ndarray int64
        Removed rows, counted through all parts.
    """
    first, *others = parts
    offset = len(first)
    first.remove([first.ids[row] for row in removed[removed < offset].tolist()])
    if isinstance(first, CheckedIndex):
        first.drop_removed()
    for part in others:
        keep = np.ones(len(part), bool)
        keep[removed[(removed >= offset) & (removed < offset + len(part))] - offset] = False
        codes: Any = part.codes()
        first.add([name for name, kept in zip(part.ids, keep, strict=True) if kept], codes[keep])
        offset += len(part)
    return first


def rebuilt(index: Index, codes: Index | None) -> Index:
    """Return an index built again from the codes of its items, if it holds more removed items than others.

    Otherwise, the index itself is returned; so it is when it has too few items to learn from.

    Parameters
    ----------
    index : Index
    codes : Index or None
        The codes of the same items, if they are kept beside the index.
    """
    if codes is None or not isinstance(index, CheckedIndex) or index.removed_inside <= len(index):
        return index
    made = create_index(index.description, index.space, index.lexicon)
    try:
        made.fill(codes.ids, codes.codes())
    except BadItemError:
        return index
    return made
