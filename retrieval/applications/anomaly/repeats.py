"""Repeated items: which items of a corpus are equal, so that a split keeps them in one part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import orjson
from numpy.typing import NDArray

from encoders.row import Row, names_json
from encoders.sound import Sound
from retrieval.corpora.base import Content, content_bytes

#: An item that is repeated more often, and in more than this share of all, is a usual value and no repeat.
MOST_REPEATS, LARGEST_SHARE = 10, 0.01


def content_digest(content: Content) -> int:
    """Return 64 bits of the BLAKE2 digest of a content, its type and its shape.

    Examples
    --------
    >>> content_digest("a text") == content_digest("a text"), content_digest("a text") == content_digest("a  text")
    (True, False)
    """
    if isinstance(content, Row):
        parts = [names_json(content.names).encode(), orjson.dumps(content.values)]
    elif isinstance(content, str):
        parts = [content.encode("utf-8", "surrogatepass")]
    else:
        form = f"sound {content.rate}" if isinstance(content, Sound) else f"{content.dtype} {content.shape}"
        parts = [form.encode(), content_bytes(content)]
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return int.from_bytes(digest.digest(), "little")


def groups_of(digests: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the group of each item: equal items have one, numbered in the order of their first items.

    An item that is repeated more than ten times, and makes up more than 1% of all, is a usual value, as in a table of
    a few categories: new data has it too, so each of its repeats is a group by itself.

    Parameters
    ----------
    digests : ndarray uint64 (n,)

    Returns
    -------
    ndarray int64 (n,)

    Examples
    --------
    >>> groups_of(np.array([7, 3, 7, 5], np.uint64)).tolist()
    [0, 1, 0, 2]
    >>> len(set(groups_of(np.zeros(11, np.uint64)).tolist()))
    11
    """
    _, first, inverse, counts = np.unique(digests, return_index=True, return_inverse=True, return_counts=True)
    usual = (counts > MOST_REPEATS) & (counts > LARGEST_SHARE * len(digests))
    leader = np.where(usual[inverse], np.arange(len(digests)), first[inverse])
    return np.asarray(np.unique(leader, return_inverse=True)[1], dtype=np.int64)


def with_identical(order: Iterable[int], digests: NDArray[np.uint64]) -> list[list[int]]:
    """Return positions in their order; those of items that are equal to an earlier one stand together with it.

    Parameters
    ----------
    order : iterable of int
    digests : ndarray uint64 (n,)
        See `content_digest`.

    Examples
    --------
    >>> with_identical([3, 1, 0, 2], np.array([7, 5, 8, 7], np.uint64))
    [[3, 0], [1], [2]]
    """
    positions_by_digest: dict[int, list[int]] = {}
    for position in order:
        positions_by_digest.setdefault(int(digests[position]), []).append(position)
    return list(positions_by_digest.values())
