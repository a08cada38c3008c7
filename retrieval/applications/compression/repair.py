"""Repair of one damaged block of some bytes: a checksum for each block, and the parity of all blocks.

A copy would cost as much as the bytes themselves. The parity (the exclusive or of all blocks) gives back any one block
whose position is known, and small checksums say which one: for n bytes about 4 √n bytes are enough.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray

#: Bytes of the checksum of a block. It locates the damage; whether all is right again, the checksum of all bytes says.
_SUM = np.dtype("<u4")
#: The smallest block: damage often has more than one byte.
_SMALLEST = 64


def block_bytes(size: int) -> int:
    """Return the size of a block with which parity and checksums together are smallest, at least 64 bytes or all.

    Examples
    --------
    >>> block_bytes(10), block_bytes(1000), block_bytes(4_000_000)
    (10, 64, 4000)
    """
    return min(size, max(_SMALLEST, math.isqrt(_SUM.itemsize * size)))


def repair_bytes(size: int) -> int:
    """Return how many bytes repair data has.

    Examples
    --------
    >>> repair_bytes(0), repair_bytes(10), repair_bytes(1000), repair_bytes(4_000_000)
    (0, 14, 128, 8000)
    """
    return block_bytes(size) + _SUM.itemsize * _count(size)


def repair_data(data: bytes) -> bytes:
    """Return parity and checksums of some bytes.

    Examples
    --------
    >>> data = bytes(range(256)) * 4
    >>> repaired(data[:710] + b"damage" + data[716:], repair_data(data)) == data
    True
    """
    return _parity(_blocks(data)).tobytes() + _sums(data).tobytes()


def repaired(data: bytes, repair: bytes) -> bytes | None:
    """Return the bytes whose one damaged block is given back by their repair data; None if that is not possible.

    What is returned is right only if its checksum is: the repair data may be damaged itself.
    """
    size = block_bytes(len(data))
    if len(repair) != repair_bytes(len(data)):
        return None
    bad = np.flatnonzero(_sums(data) != np.frombuffer(repair[size:], _SUM))
    if len(bad) != 1:
        return None
    blocks = _blocks(data)
    blocks[bad[0]] = 0
    blocks[bad[0]] = _parity(blocks) ^ np.frombuffer(repair[:size], np.uint8)
    return blocks.tobytes()[: len(data)]


def _count(size: int) -> int:
    return -(-size // block_bytes(size)) if size else 0


def _blocks(data: bytes) -> NDArray[np.uint8]:
    """Return the bytes as rows of blocks, the last one filled with 0."""
    size, count = block_bytes(len(data)), _count(len(data))
    return np.frombuffer(data.ljust(count * size, b"\0"), np.uint8).reshape(count, size).copy()


def _parity(blocks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(np.bitwise_xor.reduce(blocks, axis=0))


def _sums(data: bytes) -> NDArray[np.uint32]:
    size = block_bytes(len(data))
    return np.array([zlib.crc32(data[at : at + size]) for at in range(0, len(data), size or 1)], _SUM)
