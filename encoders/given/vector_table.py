"""A table of vectors by id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError, DimensionError


class VectorTable:
    """Vectors in a file, found by their ids.

    Parameters
    ----------
    path : Path
        The file, for messages.
    matrix : ndarray (n, dim)
        Numbers of any type, in memory or mapped; rows become float32 when they are read.
    ids : sequence of str, optional
        One for each row; None: the numbers of the rows, from 0.

    Raises
    ------
    DimensionError
        When the matrix has another shape.
    BadItemError
        When ids and rows differ in number, or two rows have one id.

    Examples
    --------
    >>> table = VectorTable(Path("v.npy"), np.array([[3, 4], [0, 1]]), ["a", "b"])
    >>> table.rows(["b", "a"]).tolist(), "c" in table
    ([[0.0, 1.0], [3.0, 4.0]], False)
    """

    def __init__(self, path: Path, matrix: NDArray[Any], ids: Sequence[str] | None = None) -> None:
        if matrix.ndim != 2 or not matrix.shape[1] or matrix.dtype.kind not in "fiu":
            raise DimensionError(f"{path} holds {matrix.dtype} of shape {matrix.shape}; expected numbers (n, dim)")
        names = list(map(str, range(len(matrix)))) if ids is None else list(ids)
        if len(names) != len(matrix):
            raise BadItemError(
                f"{path} has {len(matrix):,} vectors, but there are {len(names):,} ids: give each its own"
            )
        self.path, self.ids, self._matrix = path, names, matrix
        #: Whether ids are the numbers of the rows, as the file has none.
        self.is_numbered = ids is None
        self._row_of = {name: row for row, name in enumerate(names)}
        if len(self._row_of) < len(names):
            twice = next(name for row, name in enumerate(names) if self._row_of[name] != row)
            raise BadItemError(f"two vectors of {path} have the id '{twice}': give each its own")

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, name: object) -> bool:
        return name in self._row_of

    @property
    def dim(self) -> int:
        """Numbers of each vector."""
        return int(self._matrix.shape[1])

    def rows(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of some ids.

        Raises
        ------
        BadItemError
            When a vector holds NaN, an infinite number, or one beyond float32.
        """
        with np.errstate(over="ignore"):  # beyond float32: infinite, and refused below
            vectors = np.asarray(self._matrix[[self._row_of[name] for name in names]], dtype=np.float32)
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            name = names[int(finite.argmin())]
            raise BadItemError(
                f"the vector of '{name}' in {self.path} holds NaN or infinite numbers: embed that item again"
            )
        return vectors.reshape(len(names), self.dim)
