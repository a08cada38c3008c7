"""Mean and scatter matrix of rows in one pass, without storing the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Batches, slices
from encoders.errors import BadItemError

#: Largest width for which the (dim, dim) scatter matrix is computed: 512 MiB in float64.
MAX_WIDTH = 8192
#: Rows per float64 block.
ROWS = 4096


def moments(batches: Batches) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Return count, mean (dim,) and scatter about the mean (dim, dim), float64, from one pass.

    Rows are centred at the mean of the first block, so that digits do not cancel far from the origin. The caller must
    check that rows are not wider than `MAX_WIDTH`.

    Raises
    ------
    BadItemError
        When there are no rows.

    Examples
    --------
    >>> from encoders.codes import Batch
    >>> count, mean, scatter = moments([Batch(np.array([[0.0, 1.0], [2.0, 1.0]]))])
    >>> count, mean.tolist(), scatter.tolist()
    (2, [1.0, 1.0], [[2.0, 0.0], [0.0, 0.0]])

    References
    ----------
    Chan, Golub & LeVeque, Algorithms for computing the sample variance, American Statistician 37(3), 1983, §2 (shifted
    data).
    """
    total, centre, shift, scatter = 0, np.empty(0), np.empty(0), np.empty(0)
    for batch in batches:
        for piece in slices(batch.items, ROWS):
            rows: Any = np.array(piece.toarray() if issparse(piece) else piece, dtype=np.float64)
            if total == 0:
                centre = rows.mean(axis=0)
                shift, scatter = np.zeros(rows.shape[1]), np.zeros((rows.shape[1], rows.shape[1]))
            rows -= centre
            shift += np.ones(len(rows)) @ rows  # faster than NumPy's sum for narrow rows
            scatter += rows.T @ rows
            total += len(rows)
    if total == 0:
        raise BadItemError("there is nothing to fit on: the corpus holds no items")
    shift /= total
    scatter -= np.outer(shift * total, shift)
    return total, centre + shift, scatter
