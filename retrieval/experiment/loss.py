"""Where a row of a comparison loses: the losses of every step, the recall against exact search, the size on disk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.attribution import Attribution


@dataclass(frozen=True)
class DiskBytes:
    """The size of a row on disk; None where it is not known.

    Attributes
    ----------
    index : int or None
        Files of the index: lists, graph, codebooks, ids, and the codes as the index stores them.
    codes : int or None
        The codes at full precision beside the index; 0 when the index holds them itself.
    items : int or None
        The items of a collection; None for a corpus, whose items nearby does not store.
    """

    index: int | None
    codes: int | None
    items: int | None


@dataclass(frozen=True)
class Loss:
    """Where one row loses.

    Attributes
    ----------
    queries : list of str
        The ids of the queries that were measured: all, or as many as `loss_runs.MAX_QUERIES`.
    measures : dict of str to Attribution
        Measure -> its losses, query by query.
    recall : ndarray float64 (n_queries,)
        Share of the first ten answers that are as near as the tenth answer of exact search.
    disk : DiskBytes
    is_exact : bool
        Whether the index compares every item by the codes as they were added.
    is_joint : bool
        Whether the index quantises, but does not give its codes: the loss of the quantisation is then part of the
        loss of the approximation.
    """

    queries: list[str]
    measures: dict[str, Attribution]
    recall: NDArray[np.float64]
    disk: DiskBytes
    is_exact: bool
    is_joint: bool
