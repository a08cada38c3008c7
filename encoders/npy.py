"""Reader of .npy files; the header is checked against the file size before memory is allocated."""

from __future__ import annotations

import io
import math
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.plain_file import open_plain

#: Headers of NumPy have 128 bytes; those of wide records are longer.
_LONGEST_HEADER = 10_000
#: The first bytes of every .npy file.
MAGIC = b"\x93NUMPY"
#: Bytes read at a time, so that a decompressed array is not in memory twice.
_BLOCK = 2**20


class Header(NamedTuple):
    """Shape, order and type of the numbers in a .npy file."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        """Size of the numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def map_npy(path: Path) -> NDArray[Any]:
    """Map a .npy file into memory, read-only.

    Raises
    ------
    ValueError
        When it is not a .npy file of plain values, or is shorter than its header says.
    OSError
        When it is missing, is not a plain file, or cannot be read.
    """
    with open_plain(path) as file:
        header = read_header(file)
        start, size = file.tell(), os.fstat(file.fileno()).st_size
        require_bytes(header, size - start)
        if not header.bytes:  # an empty range cannot be mapped
            return np.empty(header.shape, header.dtype)
        order: Any = "F" if header.fortran_order else "C"
        mapped: Any = np.memmap(file, header.dtype, "r", start, header.shape, order)
        array: NDArray[Any] = mapped.view(np.ndarray)
        return array


def release(array: Any) -> None:
    """Let the system drop what it has read of a mapped array, which is read again when needed; others are unchanged.

    Call it after each block that is read of a mapped file: otherwise all of the file stays in this process.

    Examples
    --------
    >>> release(np.zeros(3))
    """
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    # a map that can be written to may hold changes that are in no file
    if isinstance(base, mmap.mmap) and hasattr(base, "madvise") and memoryview(base).readonly:
        base.madvise(mmap.MADV_DONTNEED)


def released(codes: Any, rows: int) -> Iterator[Any]:
    """Yield consecutive parts of at most `rows` rows; what was read of a mapped array is released after each part."""
    for start in range(0, codes.shape[0], rows):
        yield codes[start : start + rows]
        release(codes)


def read_npy(path: Path) -> NDArray[Any]:
    """Read a .npy file into memory; raises as `map_npy` does."""
    with open_plain(path) as file:
        header = read_header(file)
        return _array(file, header, os.fstat(file.fileno()).st_size - file.tell())


def read_npy_stream(stream: BinaryIO, size: int) -> NDArray[Any]:
    """Read an array from a stream of `size` bytes, including the header; raises ValueError as `map_npy` does."""
    header = read_header(stream)
    return _array(stream, header, size)


def read_header(stream: BinaryIO) -> Header:
    """Read the header of a .npy stream; the numbers come next in the stream.

    Raises
    ------
    ValueError
        When there is no header, or it has Python objects or impossible sizes.
    """
    from numpy.lib import format as npy

    magic = stream.read(8)
    if len(magic) < 8 or not magic.startswith(MAGIC) or magic[6] not in (1, 2):
        raise ValueError("it does not begin as a .npy file does")
    width = 2 if magic[6] == 1 else 4
    prefix = stream.read(width)
    length = int.from_bytes(prefix, "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"its header would have {length:,} bytes")
    read_array_header = npy.read_array_header_1_0 if width == 2 else npy.read_array_header_2_0
    try:
        header = Header(*read_array_header(io.BytesIO(prefix + stream.read(length))))
    except Exception as error:  # NumPy parses it as Python, which can raise almost any error
        raise ValueError(f"its header cannot be read: {' '.join(str(error).split())[:100]}") from None
    if header.dtype.hasobject:
        raise ValueError("it holds Python objects, which are never read")
    if not header.dtype.itemsize:
        raise ValueError("its numbers have no bytes")
    if any(isinstance(length, bool) or length < 0 for length in header.shape):
        raise ValueError(f"its header says the shape {header.shape}")
    if len(header.shape) > 32 or max(header.bytes, math.prod(filter(None, header.shape))) >= 2**62:
        raise ValueError("its header says more numbers than any file holds")
    return header


def require_bytes(header: Header, size: int) -> None:
    """Raise ValueError if the header promises more bytes than there are."""
    if header.bytes > size:
        raise ValueError(f"its header says {header.bytes:,} bytes of numbers, there are {max(size, 0):,}")


def _array(stream: BinaryIO, header: Header, size: int) -> NDArray[Any]:
    require_bytes(header, size)
    values = np.empty(math.prod(header.shape) if header.bytes else 0, header.dtype)
    buffer, filled = values.view(np.uint8), 0
    while filled < header.bytes:
        block = stream.read(min(_BLOCK, header.bytes - filled))
        if not block:
            require_bytes(header, filled)
        buffer[filled : filled + len(block)] = np.frombuffer(block, np.uint8)
        filled += len(block)
    order: Any = "F" if header.fortran_order else "C"
    return values.reshape(header.shape, order=order) if header.bytes else np.empty(header.shape, header.dtype)
