"""The result of a comparison: the values behind the table, the JSON, the TREC files and the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes
from retrieval.evaluation.multiple_comparison import MultipleComparison
from retrieval.evaluation.ranking import Rankings
from retrieval.experiment.byte_budgets.result import ByteBudgets
from retrieval.experiment.fusion import Fusion
from retrieval.experiment.health.result import Health
from retrieval.experiment.loss import Loss
from retrieval.experiment.query_set import QuerySet
from retrieval.search.result import Answer, Shown
from retrieval.spaces.training_history import Phase


@dataclass(frozen=True)
class SpaceResult:
    """The result of one space in one index: a row of the table.

    Attributes
    ----------
    spec, index : str
        The encoder's spec and the index's description.
    dim, kind, metric : int, str, str
        The geometry of the space.
    bytes_per_item : float
        Bytes of the codes, divided by the number of items; the same in every index.
    fit_seconds, encode_per_second, query_ms : float
        Seconds of training, items encoded per second, milliseconds of one query (encode + search).
    measures : dict of str to float
        Measure, such as ``nDCG@10`` -> mean over the queries (expected under a random order of equal scores), in the
        order of the table.
    per_query : dict of str to ndarray float64 (n_queries,)
        Measure -> its value for every query, for intervals and tests of significance.
    tie_range : dict of str to (float, float)
        Measure -> its mean when relevant items come last, and first, among equal scores; only when the two differ.
    tied_with_best : dict of str to bool
        Measure -> whether the space does not differ significantly from the best one; see `Comparison.significance`.
    precision_recall : ndarray float64 (11,) or None
        Interpolated precision at recall 0, .1, ..., 1, mean over the queries; None when the index gives too few
        answers for it.
    options : str
        The full configuration with every default, e.g. ``bm25:k1=0.9,...``.
    phases : list of Phase
        The training history of stages that are trained by gradient descent.
    bytes_on_disk_per_item : float or None
        Bytes of the saved index (codes, graph, lists, ids), divided by the number of items; None when a server keeps
        several spaces in one index.
    several_indexes : bool
        Whether the same space has several rows, one for each index, so that its spec alone does not name the row.
    means_of_seeds : dict of str to list of float
        Measure -> its mean for every seed with which the space was fitted; empty for one seed.
    rankings : Rankings, optional
        The answers to every query, in the order of ``Comparison.query_set.queries``.
    loss : Loss, optional
        Where the row loses; None when every index of the space is exact.
    influence : dict of str to ndarray float64 (n_queries,)
        Measure -> what every query contributes to the values of the others (decision 49); nothing where queries are
        independent.
    sample_codes : codes, optional
        The codes of the items ``Comparison.sample``; None when the index does not hold them.
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
    rankings: Rankings | None = None
    means_of_seeds: dict[str, list[float]] = field(default_factory=dict)
    loss: Loss | None = None
    sample_codes: Codes | None = None
    influence: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def stored_bytes_per_item(self) -> float:
        """Bytes of an item on disk, or of its codes when the former is unknown."""
        return self.bytes_per_item if self.bytes_on_disk_per_item is None else self.bytes_on_disk_per_item

    @property
    def label(self) -> str:
        """The name of the row; see `row_label`."""
        return row_label(self.spec, self.index, self.several_indexes)


def row_label(spec: str, index: str, several_indexes: bool) -> str:
    """The name of a row: its spec, with its index when spaces have several.

    Examples
    --------
    >>> row_label("pixels", "exact", False), row_label("pixels", "faiss:HNSW32", True)
    ('pixels', 'pixels @ faiss:HNSW32')
    """
    return f"{spec} @ {index}" if several_indexes else spec


@dataclass(frozen=True)
class Overlap:
    """The agreement of two rows, given by their labels, on the neighbours of the same queries (means, in [0, 1]).

    `k` is the number of neighbours compared: 10, or fewer in a small corpus.
    """

    first: str
    second: str
    jaccard: float
    rbo: float
    k: int = 10


@dataclass(frozen=True)
class Example:
    """A query with the answers of every space, in the order of ``Comparison.spaces``."""

    query: Shown
    answers: list[list[Answer]]


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison."""

    corpus: str
    modality: str
    n_items: int
    n_queries: int
    judged_by: str
    """``qrels``, ``labels``, ``known-item`` or ``agreement``: see `retrieval.experiment.label_ladder.rung`."""
    spaces: list[SpaceResult]
    overlaps: list[Overlap]
    examples: list[Example]
    provenance: dict[str, Any] = field(default_factory=dict)
    """Command, seed, versions, machine, digest of the corpus: whatever makes a number traceable."""
    notes: list[str] = field(default_factory=list)
    """One sentence each: which queries, items or spaces are left out, and why."""
    significance: dict[str, MultipleComparison] = field(default_factory=dict)
    """Measure -> the differences of all pairs of spaces (by their labels), and what the queries can show."""
    chance: dict[str, float] = field(default_factory=dict)
    """Measure -> its mean for a random order of the items."""
    above_chance: dict[str, bool] = field(default_factory=dict)
    """Measure -> whether the best space is significantly better than a random order."""
    health: Health | None = None
    """What is wrong with each space, on a sample; None when it was not asked for."""
    byte_budgets: ByteBudgets | None = None
    """Quality against bytes, if budgets were asked for."""
    query_set: QuerySet | None = None
    """The queries and their relevance, from which the TREC files are written."""
    sample: NDArray[np.int64] | None = None
    """The rows of the items on the maps of the page."""
    fusion: Fusion | None = None
    """The fusions of every pair of spaces and of all, when they were asked for."""

    @property
    def first_seed_note(self) -> str:
        """What stands beside numbers of one fit, where the table has means over several; else an empty text."""
        if not any(space.means_of_seeds for space in self.spaces):
            return ""
        return "These numbers are of the first seed of each space: they may differ from the means over seeds."
