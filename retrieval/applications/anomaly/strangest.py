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
    """A strange item as it is shown, why it is strange, and the ids of items of the same content."""

    shown: Shown
    explanation: Explanation
    identical: tuple[str, ...] = ()


def explain_items(
    detector: AnomalyDetector, corpus: Corpus, groups: Sequence[Sequence[int]], ids: Sequence[str]
) -> list[ExplainedItem]:
    """Explain the first item of each group of identical ones; the corpus is read once.

    Parameters
    ----------
    detector : AnomalyDetector
    corpus : Corpus
    groups : sequence of sequences of int
        Positions in the corpus.
    ids : sequence of str
        Of all items of the corpus.
    """
    wanted, made = {group[0]: tuple(ids[row] for row in group[1:]) for group in groups}, {}
    with progress("explaining the strangest items", len(wanted), "items") as bar:
        for position, item in enumerate(corpus):
            if position in wanted:
                made[position] = ExplainedItem(show(item), detector.explain(item.content, NEAREST), wanted[position])
                bar.update(1)
            if len(made) == len(wanted):
                break
    return [made[position] for position in wanted if position in made]
