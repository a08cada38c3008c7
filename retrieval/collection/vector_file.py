"""The vectors of a collection's items as one matrix on disk, in the form of a .npy file that grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError
from encoders.npy import map_npy

#: Beside the file of the items.
VECTORS = "vectors.npy"
_TYPE = np.dtype("<f4")


class VectorFile:
    """Appends vectors of one width; a context manager, which writes the header at its end.

    A file is appended to in a draft only, before anything else reads it.

    Parameters
    ----------
    path : Path
        Created if it does not exist.

    Attributes
    ----------
    count : int
        Number of vectors.
    width : int or None
        None as long as there are no vectors.
    """

    def __init__(self, path: Path) -> None:
        self.count, self.width = 0, None
        if path.exists():
            present = mapped_vectors(path)
            self.count, self.width = present.shape
        self._path, self._file = path, None

    count: int
    width: int | None
    _file: BinaryIO | None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with self._file as file:
                self._write_header(file)

    def takes(self, vector: Any) -> bool:
        """Return whether a content can be stored here: float32, and as wide as the first one."""
        plain = isinstance(vector, np.ndarray) and vector.ndim == 1 and vector.dtype == _TYPE and vector.size > 0
        return plain and self.width in (None, vector.size)

    def append(self, vectors: NDArray[np.float32]) -> int:
        """Write vectors (n, width) that it `takes`, and return the row of the first one."""
        if self.width not in (None, vectors.shape[1]):
            raise ValueError(f"{self._path.name} holds vectors of width {self.width}, not {vectors.shape[1]}")
        first, self.width = self.count, int(vectors.shape[1])
        if self._file is None:
            self._file = self._opened()
        self._file.write(np.ascontiguousarray(vectors, _TYPE).data)
        self.count += len(vectors)
        return first

    def _opened(self) -> BinaryIO:
        file = self._path.open("r+b" if self._path.exists() else "x+b")
        if self._path.stat().st_size:
            file.seek(0, 2)
        else:
            self._write_header(file)
        return file

    def _write_header(self, file: BinaryIO) -> None:
        """Write the header; NumPy leaves room in it for more rows, so that its length does not change."""
        file.seek(0)
        header = {"descr": _TYPE.str, "fortran_order": False, "shape": (self.count, self.width)}
        np.lib.format.write_array_header_1_0(file, header)


class StoredVectors:
    """The vectors in a file that is complete, mapped into memory when they are first read.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mapped: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self._matrix())

    def rows(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return some rows, as a view where they follow each other.

        Raises
        ------
        ArtifactError, ValueError, OSError
            When the file is missing, is not one of vectors, or does not have these rows.
        """
        matrix, at = self._matrix(), np.asarray(rows, np.int64)
        if at.min() < 0 or at.max() >= len(matrix):
            raise ValueError(f"it names vectors that {self.path.name} does not hold")
        if at[-1] - at[0] == len(at) - 1 and (np.diff(at) == 1).all():
            return matrix[at[0] : at[-1] + 1]
        return matrix[at]

    def bytes(self) -> int:
        """Return the size of the file; 0 if there is none."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def close(self) -> None:
        """Forget the mapped file."""
        self._mapped = None

    def _matrix(self) -> NDArray[np.float32]:
        if self._mapped is None:
            if not self.path.is_file():
                raise ArtifactError(f"{self.path} is missing: the collection is incomplete")
            self._mapped = mapped_vectors(self.path)
        return self._mapped


def mapped_vectors(path: Path) -> NDArray[np.float32]:
    """Map a file of vectors (n, width) into memory.

    Raises
    ------
    ValueError
        When it does not hold float32 vectors.
    OSError
        When it cannot be read.
    """
    vectors = map_npy(path)
    if vectors.ndim != 2 or vectors.dtype != _TYPE or not vectors.flags.c_contiguous:
        raise ValueError(f"{path.name} holds {vectors.dtype} of shape {vectors.shape}, expected float32 vectors")
    return vectors
