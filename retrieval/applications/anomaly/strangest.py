"""The strangest items of a batch with their explanations, for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from encoders.progress import progress
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.explanation import Explanation
from retrieval.corpora.base import Corpus
from retrieval.search.result import Shown, show

#: Items that are explained on a page.
EXPLAINED = 12
#: Nearest normal items beside each.
NEAREST = 3


@dataclass(frozen=True)
class ExplainedItem:
    """A strange item as it is shown, and why it is strange."""

    shown: Shown
    explanation: Explanation


def explain_items(detector: AnomalyDetector, corpus: Corpus, positions: Sequence[int]) -> list[ExplainedItem]:
    """Explain items of a corpus, in the order of their positions given; the corpus is read once.

    Parameters
    ----------
    detector : AnomalyDetector
    corpus : Corpus
    positions : sequence of int
    """
    wanted, made = set(positions), {}
    with progress("explaining the strangest items", len(wanted), "items") as bar:
        for position, item in enumerate(corpus):
            if position in wanted:
                made[position] = ExplainedItem(show(item), detector.explain(item.content, NEAREST))
                bar.update(1)
            if len(made) == len(wanted):
                break
    return [made[position] for position in positions if position in made]
