"""The chance level of a health value: the same numbers, shuffled within every component."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, issparse


def shuffled(rows: Any, seed: int = 0) -> Any:
    """Return rows whose components are independent: each is permuted by itself over the items.

    Number of items, width, mean, variance and sparsity of each component stay as they are; only what the components
    know of one another is lost.

    Parameters
    ----------
    rows : array (n, dim) or csr_array
    seed : int

    Examples
    --------
    >>> rows = np.arange(8.0).reshape(4, 2)
    >>> sorted(shuffled(rows)[:, 0].tolist()) == rows[:, 0].tolist(), shuffled(rows).shape
    (True, (4, 2))
    """
    generator = np.random.default_rng(seed)
    if not issparse(rows):
        return generator.permuted(rows, axis=0)
    columns = csc_array(rows)
    n, counts = columns.shape[0], np.diff(columns.indptr)
    places = [generator.permutation(n)[:count] for count in counts[counts > 0]]
    indices = np.concatenate(places) if places else np.empty(0, np.int64)
    return csr_array(csc_array((columns.data, indices, columns.indptr), shape=columns.shape))
