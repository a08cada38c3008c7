"""The chance level of a health value: the same numbers, shuffled within every component."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
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
    indices = _places(n, counts, generator)
    return csr_array(csc_array((columns.data, indices, columns.indptr), shape=columns.shape))


def _places(n: int, counts: NDArray[np.integer[Any]], generator: np.random.Generator) -> NDArray[np.int64]:
    """Return `counts[j]` different random rows for every column j, one column after the other."""
    owner = np.repeat(np.arange(len(counts)), counts)
    places = generator.integers(0, n, len(owner))
    again = np.flatnonzero(_repeats(owner * n + places) & (counts[owner] <= n // 4))
    while len(again):  # rows that a column has twice are drawn again
        places[again] = generator.integers(0, n, len(again))
        again = np.flatnonzero(_repeats(owner * n + places) & (counts[owner] <= n // 4))
    starts = np.cumsum(counts) - counts
    for column in np.flatnonzero(counts > n // 4):  # there it would take long
        places[starts[column] : starts[column] + counts[column]] = generator.permutation(n)[: counts[column]]
    return places


def _repeats(keys: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Return which keys an earlier place has already."""
    first = np.zeros(len(keys), bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return ~first
