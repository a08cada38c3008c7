"""What a comparison measures beyond its table, and how it is judged."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.experiment.baseline import Baseline
from retrieval.experiment.label_ladder.rung import HIGHEST


@dataclass(frozen=True)
class CompareOptions:
    """The options of a comparison; by default, nothing beyond the table is measured.

    Attributes
    ----------
    judged_by : str
        What is relevant: a rung of the label ladder (`retrieval.experiment.label_ladder.rung`), by default the highest
        that the corpus has.
    fusion : bool
        Whether to fuse every pair of spaces and all of them; see `retrieval.experiment.fusion`.
    health : bool
        Whether to measure the health of the spaces too, on a sample; see `retrieval.experiment.health.health`.
    budgets : tuple of int
        Bytes per item to which every space is brought; see `retrieval.experiment.byte_budgets.byte_budgets`.
    seeds : int
        Number of seeds with which each space that has one is fitted; see `retrieval.experiment.seeds`.
    baseline : Baseline or None
        An earlier comparison, which must be of the same items and queries; see `Baseline.changes`.
    whole_baseline : bool
        Whether no space of the baseline may be left out: for a gate.
    """

    judged_by: str = HIGHEST
    fusion: bool = False
    health: bool = False
    budgets: tuple[int, ...] = ()
    seeds: int = 1
    baseline: Baseline | None = None
    whole_baseline: bool = False


#: The default: the table alone.
NOTHING_MORE = CompareOptions()
