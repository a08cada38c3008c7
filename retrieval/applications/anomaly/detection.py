"""The score, p-value and verdict of every item of a batch."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import OptionError
from encoders.numbers import counted
from retrieval.applications.anomaly import conformal
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.drift import Drift, drift_of, effective_size
from retrieval.applications.anomaly.repeats import content_digest, groups_of, with_identical
from retrieval.corpora.base import Corpus, Item
from retrieval.search.result import show

#: The share of normal items that is flagged by default.
FALSE_ALARMS = 0.01


@dataclass(frozen=True)
class Rule:
    """How items are flagged.

    Attributes
    ----------
    kind : str
        ``false-alarms``: a p-value of at most the rate; ``fdr``: Benjamini-Hochberg over the batch.
    rate : float
    """

    kind: str
    rate: float

    @classmethod
    def read(cls, false_alarms: float | None, fdr: float | None) -> Rule:
        """Return the rule that is asked for; by default 1% false alarms.

        Raises
        ------
        OptionError
            When both are given, or a rate is not a share.
        """
        if false_alarms is not None and fdr is not None:
            raise OptionError("--false-alarms and --fdr are two ways to flag items: give one of them")
        rule = (
            cls("fdr", fdr)
            if fdr is not None
            else cls("false-alarms", FALSE_ALARMS if false_alarms is None else false_alarms)
        )
        if not 0 < rule.rate < 1:
            raise OptionError(f"--{rule.kind} is a share between 0% and 100%; got {conformal.percent(rule.rate)}")
        return rule

    def require_calibration(self, detector: AnomalyDetector) -> None:
        """Raise an error if a detector has too few calibration scores for the rate.

        Raises
        ------
        OptionError
        """
        conformal.require_calibration(detector.record.n_distinct, self.rate, f"--{self.kind}")

    def flags(self, p: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which items of a batch are flagged, by their p-values (n,)."""
        return conformal.benjamini_hochberg(p, self.rate) if self.kind == "fdr" else p <= self.rate

    @property
    def text(self) -> str:
        """The rule in words."""
        rate = conformal.percent(self.rate)
        if self.kind == "fdr":
            return f"of the flagged items, {rate} are expected to be normal (Benjamini-Hochberg)"
        return f"of the normal items, {rate} are expected to be flagged"


@dataclass(frozen=True)
class Detection:
    """The verdicts on a batch, in the order of the batch.

    Attributes
    ----------
    ids : list of str
    labels, titles : list of str or None
    scores, p_values : ndarray float64 (n,)
    flagged : ndarray bool (n,)
    rule : Rule
    drift : Drift or None
        If the batch was said to be normal.
    n_calibration : int
        Different items among those that gave the calibration scores.
    digests : ndarray uint64 (n,)
        Items with the same content have the same digest.
    """

    corpus: str
    spaces: list[str]
    ids: list[str]
    labels: list[str | None]
    titles: list[str | None]
    scores: NDArray[np.float64]
    p_values: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    rule: Rule
    drift: Drift | None
    n_calibration: int
    digests: NDArray[np.uint64]

    @cached_property
    def groups(self) -> list[list[int]]:
        """The items by score, strangest first; each group has the items of the same content."""
        return with_identical(self.order.tolist(), self.digests)

    def identical_ids(self, group: Sequence[int]) -> list[str]:
        """Return the ids of the other items of a group."""
        return [self.ids[row] for row in group[1:]]

    @property
    def order(self) -> NDArray[np.int64]:
        """The items by score, strangest first; equal ones in their order."""
        return np.argsort(-self.scores, kind="stable")

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield each item as JSON values, strangest first; `identical_to` is the first item of the same content."""
        first = {row: self.ids[group[0]] for group in self.groups for row in group[1:]}
        for rank, row in enumerate(self.order.tolist(), start=1):
            yield {
                "rank": rank,
                "id": self.ids[row],
                "label": self.labels[row],
                "score": float(self.scores[row]),
                "p_value": float(self.p_values[row]),
                "flagged": bool(self.flagged[row]),
                "identical_to": first.get(row),
            }

    @property
    def note(self) -> str:
        """A sentence about a batch so large that a single anomaly cannot be flagged by the false discovery rate."""
        smallest, count = conformal.smallest_p_value(self.n_calibration), len(self.ids)
        needed = int(np.ceil(smallest * count / self.rule.rate - 1e-9))
        if self.rule.kind != "fdr" or needed <= 1:
            return ""
        return (
            f"with {counted(self.n_calibration, 'calibration score')} the smallest p-value is {smallest:.2g}: at least "
            f"{needed} of {count:,} items must be that strange before any is flagged"
        )


class _Seen(Corpus):
    """A corpus that notes the items as they are read."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus, self.name, self.modality = corpus, corpus.name, corpus.modality
        self.ids: list[str] = []
        self.labels: list[str | None] = []
        self.titles: list[str | None] = []
        self.digests = array("Q")

    def __iter__(self) -> Iterator[Item]:
        self.ids, self.labels, self.titles, self.digests = [], [], [], array("Q")
        for item in self.corpus:
            self.digests.append(content_digest(item.content))
            self.ids.append(item.id)
            self.labels.append(item.label)
            self.titles.append(show(item).title)
            yield item

    @property
    def size(self) -> int | None:
        """Number of items, where it is known."""
        return self.corpus.size


def detect(detector: AnomalyDetector, corpus: Corpus, rule: Rule | None = None, as_normal: bool = False) -> Detection:
    """Score the items of a corpus and flag the strange ones.

    Parameters
    ----------
    detector : AnomalyDetector
    corpus : Corpus
    rule : Rule, optional
        By default, 1% of the normal items are flagged.
    as_normal : bool
        All items are known to be normal: test whether their scores differ from the calibration scores.

    Raises
    ------
    BadItemError, DimensionError
        When the items are of another sort or width.
    OptionError
        When the detector has too few calibration scores for the rate.
    """
    from retrieval.applications.anomaly.changed_columns import say_changed_columns

    rule = rule or Rule.read(None, None)
    rule.require_calibration(detector)
    detector.require_same_sort(corpus)
    say_changed_columns(detector, corpus)
    seen = _Seen(corpus)
    scores = detector.combined([member.scores(seen) for member in detector.members])
    p = detector.p_values_of(scores)
    digests = np.array(seen.digests, np.uint64)
    drift = _drift(detector, scores, digests) if as_normal and len(scores) else None
    spaces = [str(encoder) for encoder in detector.encoders]
    return Detection(
        corpus.name, spaces, seen.ids, seen.labels, seen.titles, scores, p, rule.flags(p), rule, drift,
        detector.record.n_distinct, digests,
    )  # fmt: skip


def _drift(detector: AnomalyDetector, scores: NDArray[np.float64], digests: NDArray[np.uint64]) -> Drift:
    """Compare scores with those of the calibration; repeats of an item say nothing new, as in a p-value."""
    calibration = detector.calibration
    if detector.record.n_distinct == len(calibration):
        known = float(len(calibration))
    else:  # a detector keeps the scores of its calibration items, not the items: equal ones have equal scores
        known = effective_size(groups_of(calibration.view(np.uint64)))
    return drift_of(calibration, scores, (known, effective_size(groups_of(digests))))
