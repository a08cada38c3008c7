"""Contents of many items in files that are mapped into memory, so that a large corpus needs no memory of its size."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.sound import Sound
from retrieval.corpora.base import Item

#: Bytes of sounds and pictures that stay in memory; the contents of later items go to files.
IN_MEMORY = 2**28
#: Bytes of a file, if it holds no larger content.
CHUNK = 2**26


class SpilledContents:
    """Keeps the sounds and pictures of items: the first in memory, the others in temporary files.

    The operating system holds in memory what is used and fits. The files have no names, so that each is gone when the
    last of its contents is.

    Examples
    --------
    >>> spilled = SpilledContents(in_memory=0)
    >>> spilled.kept(Item("1", Sound(np.arange(3, dtype=np.int16), 8000))).content.samples
    array([0, 1, 2], dtype=int16)
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._left = in_memory
        self._chunk: Any = np.empty(0, np.uint8)

    def kept(self, item: Item) -> Item:
        """Return the same item; its content may be in a file."""
        content = item.content
        if isinstance(content, Sound):
            samples = self._stored(content.samples)
            return item if samples is content.samples else replace(item, content=Sound(samples, content.rate))
        if isinstance(content, np.ndarray) and content.dtype == np.uint8:
            picture = self._stored(content)
            return item if picture is content else replace(item, content=picture)
        return item

    def _stored(self, values: NDArray[Any]) -> NDArray[Any]:
        if self._left >= values.nbytes:
            self._left -= values.nbytes
            return values
        self._left = 0
        size = values.nbytes + values.nbytes % 2  # samples of two bytes begin at even positions
        if size > len(self._chunk):
            self._grow(max(size, CHUNK))
        stored: NDArray[Any] = self._chunk[: values.nbytes].view(values.dtype).reshape(values.shape)
        stored[...] = values
        self._chunk = self._chunk[size:]
        return stored

    def _grow(self, size: int) -> None:
        with tempfile.TemporaryFile() as file:  # the mapping keeps it
            file.write(bytes(size))  # an empty file would break the mapping when the disk is full
            file.flush()
            self._chunk = np.asarray(np.memmap(file, np.uint8, "r+", 0, (size,)))
