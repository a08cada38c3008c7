"""Training rows in memory; sparse rows become dense one mini-batch at a time."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes
from encoders.errors import BadItemError
from encoders.scaling import largest_of

if TYPE_CHECKING:
    from torch import Tensor


#: Range of the largest value of the data within which the training can learn.
SMALLEST, LARGEST = 1e-4, 1e7


class Rows:
    """A matrix that gives mini-batches as float tensors."""

    def __init__(self, matrix: Codes) -> None:
        self.matrix = matrix
        self.sparse = issparse(matrix)
        if not self.sparse:
            import torch

            backwards = any(stride < 0 for stride in matrix.strides)  # torch cannot read it
            whole = matrix.copy() if backwards or not matrix.flags.writeable else matrix
            self._tensor = torch.from_numpy(whole)

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    @property
    def width(self) -> int:
        """Number of numbers in a row."""
        return int(self.matrix.shape[1])

    def digest(self) -> str:
        """Return a SHA-256 of the numbers, which identifies the training data."""
        whole: Any = self.matrix
        parts = (whole.data, whole.indices, whole.indptr) if self.sparse else (whole,)
        digest = hashlib.sha256(str(whole.shape).encode())
        for part in parts:
            digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest()

    def take(self, positions: Tensor) -> Tensor:
        """Return the rows at `positions` as a float32 tensor (len(places), width)."""
        import torch

        if not self.sparse:
            return self._tensor.index_select(0, positions)
        matrix: Any = self.matrix
        starts = matrix.indptr[positions.numpy()]
        lengths = matrix.indptr[positions.numpy() + 1] - starts
        ends = np.cumsum(lengths)
        inner = (
            np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths) + np.repeat(starts, lengths)
        )
        dense = torch.zeros(len(positions), self.width)
        row = np.repeat(np.arange(len(positions)), lengths)
        dense[torch.from_numpy(row), torch.from_numpy(matrix.indices[inner].astype(np.int64))] = torch.from_numpy(
            matrix.data[inner]
        )
        return dense


def require_moderate(name: str, rows: Rows) -> None:
    """Raise an error for values far from 1, from which a network would silently learn nothing.

    Raises
    ------
    BadItemError
    """
    largest = largest_of(rows.matrix)
    if largest and not SMALLEST <= largest <= LARGEST:
        raise BadItemError(
            f"{name}: the values go up to {largest:.1e}, but a network needs values of about 1: multiply "
            f"them by 2^{-math.frexp(largest)[1]} first"
        )


class LabelledRows:
    """Rows with the class number of each."""

    def __init__(self, rows: Rows, classes: NDArray[np.int64]) -> None:
        import torch

        self.rows, self._classes = rows, torch.from_numpy(classes)

    def __len__(self) -> int:
        return len(self.rows)

    def digest(self) -> str:
        """Return a SHA-256 of numbers and classes."""
        return hashlib.sha256(self.rows.digest().encode() + self._classes.numpy().tobytes()).hexdigest()

    def take(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Return rows (len(places), width) and their classes (len(places),)."""
        return self.rows.take(positions), self._classes.index_select(0, positions)
