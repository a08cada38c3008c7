"""The arrays of an .npz file; those that are stored without compression are mapped."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import one_line
from encoders.npy import read_header, read_npy_stream, require_bytes
from encoders.plain_file import open_plain

#: A local header of a zip: its fixed part, and where it says the lengths of what follows.
_HEADER, _LENGTHS = 30, slice(26, 30)


#: What zipfile and its decompressors raise for damaged files.
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, lzma.LZMAError)


@contextmanager
def _unzipping() -> Iterator[None]:
    """Raise ValueError for a damaged file."""
    try:
        yield
    except _DAMAGED as error:
        raise ValueError(f"it is not an .npz file, or damaged ({one_line(error) or type(error).__name__})") from None


class NpzArrays:
    """The arrays of an .npz file by name.

    Raises
    ------
    ValueError
        When it is not an .npz file.
    OSError
        When it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _unzipping(), open_plain(path) as file, zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
        self._infos = {info.filename.removesuffix(".npy"): info for info in infos}

    @property
    def names(self) -> list[str]:
        """The names of the arrays."""
        return list(self._infos)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array, from its header."""
        with (
            _unzipping(),
            open_plain(self._path) as file,
            zipfile.ZipFile(file) as archive,
            archive.open(self._infos[name]) as stream,
        ):
            return read_header(stream).shape  # type: ignore[arg-type]

    def read(self, name: str) -> NDArray[Any]:
        """Return an array, mapped if it is not compressed."""
        info = self._infos[name]
        with _unzipping(), open_plain(self._path) as file:
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
                with zipfile.ZipFile(file) as archive, archive.open(info) as stream:
                    return read_npy_stream(stream, info.file_size)  # type: ignore[arg-type]
            file.seek(info.header_offset)
            local = file.read(_HEADER)
            lengths = np.frombuffer(local[_LENGTHS], "<u2")
            if len(local) < _HEADER or not local.startswith(b"PK\x03\x04"):
                raise ValueError("its list of arrays does not fit their places")
            file.seek(info.header_offset + _HEADER + int(lengths.sum()))
            begin = file.tell()
            header = read_header(file)
            require_bytes(header, info.file_size - (file.tell() - begin))
            if not header.bytes:
                return np.empty(header.shape, header.dtype)
            order: Any = "F" if header.fortran_order else "C"
            mapped: Any = np.memmap(file, header.dtype, "r", file.tell(), header.shape, order)
            array: NDArray[Any] = mapped.view(np.ndarray)
            return array
