"""What a comparison measures beyond its table, and how it is judged."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.experiment.baseline import Baseline


@dataclass(frozen=True)
class CompareOptions:
    """The options of a comparison; by default, nothing beyond the table is measured.

    Attributes
    ----------
    health : bool
        Whether to measure the health of the spaces too, on a sample; see `retrieval.experiment.health`.
    budgets : tuple of int
        Bytes per item to which every space is brought; see `retrieval.experiment.byte_budgets`.
    baseline : Baseline or None
        An earlier comparison, which must be of the same items and queries; see `Baseline.changes`.
    """

    health: bool = False
    budgets: tuple[int, ...] = ()
    baseline: Baseline | None = None


#: The default: the table alone.
NOTHING_MORE = CompareOptions()
