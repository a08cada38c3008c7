"""Arrays in .npy form: the header is compared with what is there before any memory is asked for."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.plain_file import open_plain

#: NumPy's own files have headers of 128 bytes; those of wide records are longer.
_LONGEST_HEADER = 10_000
#: What every .npy file begins with.
MAGIC = b"\x93NUMPY"
#: Bytes read at a time, so that an array that is decompressed is not there twice.
_PIECE = 2**20


class Header(NamedTuple):
    """What a .npy file says of itself."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        """Size of the numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def map_npy(path: Path) -> NDArray[Any]:
    """Map a .npy file into memory, to be read only.

    Raises
    ------
    ValueError
        When it is no .npy file of plain values, or shorter than its header says.
    OSError
        When it is missing, no plain file, or cannot be read.
    """
    with open_plain(path) as file:
        header = read_header(file)
        start, size = file.tell(), os.fstat(file.fileno()).st_size
        require_bytes(header, size - start)
        if not header.bytes:  # the system maps no empty range
            return np.empty(header.shape, header.dtype)
        order: Any = "F" if header.fortran_order else "C"
        mapped: Any = np.memmap(file, header.dtype, "r", start, header.shape, order)
        whole: NDArray[Any] = mapped.view(np.ndarray)
        return whole


def read_npy(path: Path) -> NDArray[Any]:
    """Read a .npy file into memory; raises as `map_npy` does."""
    with open_plain(path) as file:
        header = read_header(file)
        return _array(file, header, os.fstat(file.fileno()).st_size - file.tell())


def read_npy_stream(stream: BinaryIO, size: int) -> NDArray[Any]:
    """Read the .npy form from a stream that holds `size` bytes, header and all; raises ValueError as `map_npy` does."""
    header = read_header(stream)
    return _array(stream, header, size)


def read_header(stream: BinaryIO) -> Header:
    """Read the header of the .npy form; the numbers come next in the stream.

    Raises
    ------
    ValueError
        When there is none, or it is one of Python objects or of impossible sizes.
    """
    from numpy.lib import format as npy

    magic = stream.read(8)
    if len(magic) < 8 or not magic.startswith(MAGIC) or magic[6] not in (1, 2):
        raise ValueError("it does not begin as a .npy file does")
    width = 2 if magic[6] == 1 else 4
    told = stream.read(width)
    length = int.from_bytes(told, "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"its header would have {length:,} bytes")
    read = npy.read_array_header_1_0 if width == 2 else npy.read_array_header_2_0
    try:
        header = Header(*read(io.BytesIO(told + stream.read(length))))
    except Exception as error:  # NumPy reads it with Python's own parser, which raises nearly anything on a damaged one
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
    """Refuse a header that says more than there is; ValueError."""
    if header.bytes > size:
        raise ValueError(f"its header says {header.bytes:,} bytes of numbers, there are {max(size, 0):,}")


def _array(stream: BinaryIO, header: Header, size: int) -> NDArray[Any]:
    require_bytes(header, size)
    values = np.empty(math.prod(header.shape) if header.bytes else 0, header.dtype)
    room, filled = values.view(np.uint8), 0
    while filled < header.bytes:
        piece = stream.read(min(_PIECE, header.bytes - filled))
        if not piece:
            require_bytes(header, filled)
        room[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
        filled += len(piece)
    order: Any = "F" if header.fortran_order else "C"
    return values.reshape(header.shape, order=order) if header.bytes else np.empty(header.shape, header.dtype)
