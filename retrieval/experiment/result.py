"""The outcome of comparing spaces: plain values, from which the table, the JSON and the page are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.search.result import Answer, Shown
from retrieval.spaces.history import Phase


@dataclass(frozen=True)
class SpaceResult:
    """The row of one space, or of one space in one of several indexes.

    Attributes
    ----------
    spec, index : str
        The encoder's spec and the index's description.
    dim, kind, metric : int, str, str
        The geometry of the space.
    bytes_per_item : float
        Bytes of the codes, divided by the number of items: what the space is, in whatever index.
    fit_seconds, encode_per_second, query_ms : float
        Cost: training, items encoded a second, one query (encode + search) in milliseconds.
    measures : dict of str to float
        ``nDCG@10``, ``AP``, ... -> mean over the queries (expected under a random order of equal scores), in the
        order in which they are to be shown.
    per_query : dict of str to ndarray float64 (n_queries,)
        The same before averaging, for tests of significance.
    tie_range : dict of str to (float, float)
        Measure -> its mean when relevant items come last, and first, among equal scores; only where the two differ.
    tied_with_best : dict of str to bool
        Measure -> not distinguishable from the best space (paired randomisation test, p >= .05).
    precision_recall : ndarray float64 (11,) or None
        Interpolated precision at recall 0, .1, ..., 1, averaged over the queries; None where the index gives too few
        answers for it.
    options : str
        The full configuration with every default, e.g. ``bm25:k1=0.9,...``.
    phases : list of Phase
        The training of what was trained by gradient descent.
    bytes_on_disk_per_item : float or None
        Bytes of the saved index (codes, graph, lists, ids), divided by the number of items; None where a server keeps
        several spaces in one index.
    several_indexes : bool
        Whether the same space is there in other indexes too, so that its spec alone does not name the row.
    """

    spec: str
    index: str
    dim: int
    kind: str
    metric: str
    bytes_per_item: float
    fit_seconds: float
    encode_per_second: float
    query_ms: float
    measures: dict[str, float]
    per_query: dict[str, NDArray[np.float64]]
    tied_with_best: dict[str, bool]
    precision_recall: NDArray[np.float64] | None
    options: str
    phases: list[Phase] = field(default_factory=list)
    several_indexes: bool = False
    bytes_on_disk_per_item: float | None = None
    tie_range: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def stored_bytes_per_item(self) -> float:
        """What an item takes on disk; of the codes alone where that is not known."""
        return self.bytes_per_item if self.bytes_on_disk_per_item is None else self.bytes_on_disk_per_item

    @property
    def label(self) -> str:
        """What the row is called; see `row_label`."""
        return row_label(self.spec, self.index, self.several_indexes)


def row_label(spec: str, index: str, several_indexes: bool) -> str:
    """Return what tells a row from all others: its spec, with its index where spaces are in several.

    Examples
    --------
    >>> row_label("pixels", "exact", False), row_label("pixels", "faiss:HNSW32", True)
    ('pixels', 'pixels @ faiss:HNSW32')
    """
    return f"{spec} @ {index}" if several_indexes else spec


@dataclass(frozen=True)
class Overlap:
    """How far two rows, by their labels, agree on the neighbours of the same queries (means, in [0, 1]).

    The first `k` neighbours are compared: fewer than 10 in a small corpus.
    """

    first: str
    second: str
    jaccard: float
    rbo: float
    k: int = 10


@dataclass(frozen=True)
class Example:
    """One query with the answers of every space, in the order of ``Comparison.spaces``."""

    query: Shown
    answers: list[list[Answer]]


@dataclass(frozen=True)
class Comparison:
    """Everything that a comparison found."""

    corpus: str
    modality: str
    n_items: int
    n_queries: int
    judged_by: str
    """``qrels`` or ``labels``."""
    spaces: list[SpaceResult]
    overlaps: list[Overlap]
    examples: list[Example]
    provenance: dict[str, Any] = field(default_factory=dict)
    """Command, seed, versions, machine, digest of the corpus: what makes a number traceable."""
    notes: list[str] = field(default_factory=list)
    """One sentence each: which queries, items or spaces are left out, and why."""
