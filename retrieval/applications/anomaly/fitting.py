"""The fit of a detector: spaces on training items, statistics on the same, calibration on held-out items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import OptionError
from encoders.numbers import counted
from encoders.progress import ProgressCallback
from encoders.sound import Sound
from retrieval.applications.anomaly.choice import score_class
from retrieval.applications.anomaly.combination import mean_rank
from retrieval.applications.anomaly.conformal import percent
from retrieval.applications.anomaly.contamination import ESTIMATE
from retrieval.applications.anomaly.detector import AnomalyDetector, FitRecord
from retrieval.applications.anomaly.member import ROWS, Member
from retrieval.applications.anomaly.normal_items import NormalItems, kept_count
from retrieval.applications.anomaly.parts import (
    HELD_OUT,
    SHOWN_LABELS,
    TRAINING,
    UNUSED,
    Labelled,
    Part,
    read_labels,
    split,
)
from retrieval.applications.anomaly.stages import Stages
from retrieval.applications.anomaly.trimming import Trimmed, trimmed
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.sample import draw
from retrieval.spaces.fit import fitted
from retrieval.spaces.space_encoder import encoder_of, planned

Floats = NDArray[np.float64]
#: The most training items whose scores are kept.
TRAINING_SCORES = 4096


@dataclass(frozen=True)
class FitRequest:
    """What is asked of a fit; see `AnomalyDetector.fit`."""

    specs: tuple[str, ...]
    score: str = "auto"
    normal: tuple[str, ...] = ()
    contaminated: float | str = 0.0
    hold_out: float = 0.2
    by_order: bool = False
    k: int = 5
    standardise: bool | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.specs:
            raise OptionError("name at least one space, as in vectors+pca:8")
        if isinstance(self.contaminated, str):
            if self.contaminated != ESTIMATE:
                raise OptionError(f"contaminated is a share or '{ESTIMATE}'; got '{self.contaminated}'")
        elif not 0 <= self.contaminated < 0.5:
            raise OptionError(
                "the share of strange items in contaminated data is from 0% to below 50%; got "
                f"{percent(self.contaminated)}"
            )
        if not 0 < self.hold_out < 1:
            raise OptionError(f"the share to hold out is between 0% and 100%; got {percent(self.hold_out)}")
        if self.k < 1:
            raise OptionError(f"k should be at least 1; got {self.k}")

    def modality(self) -> Modality:
        """Return what the first space reads."""
        return encoder_of(self.specs[0]).reads

    def planned(self, modality: Modality) -> list[Encoder]:
        """Return the encoders, or raise an error before any work.

        Raises
        ------
        NearbyError
            For a space that does not exist, reads other items, or has no such score.
        """
        encoders = [planned(spec, None, modality) for spec in dict.fromkeys(self.specs)]
        for encoder in encoders:
            score_class(self.score, Stages.of(encoder))
        return encoders


def fit_detector(corpus: Corpus, request: FitRequest, say: ProgressCallback) -> AnomalyDetector:
    """Fit a detector; see `AnomalyDetector.fit`."""
    request.planned(corpus.modality)
    labelled = read_labels(corpus, request.normal)
    if not request.normal and len(labelled.names) > 1:
        names = ", ".join(labelled.names[:SHOWN_LABELS]) + (", ..." if len(labelled.names) > SHOWN_LABELS else "")
        say(
            f"all {len(labelled.labels):,} items are taken as normal, whatever their label ({names}); "
            "--normal LABEL picks"
        )
    uses = split(
        labelled.normal, request.hold_out, by_order=request.by_order, seed=request.seed, groups=labelled.groups
    )  # fmt: skip
    return fit_on_parts(corpus, uses, labelled, request, say)


def fit_on_parts(
    corpus: Corpus, uses: NDArray[np.uint8], labelled: Labelled, request: FitRequest, say: ProgressCallback
) -> AnomalyDetector:
    """Fit a detector on the training items of a split and calibrate it on the held-out ones.

    Parameters
    ----------
    corpus : Corpus
    uses : ndarray uint8 (n,)
        The use of each item; see `parts.split`.
    labelled : Labelled
        Says which items are equal; see `parts.read_labels`.
    request : FitRequest
    say : callable
    """
    used = 0.0
    if request.contaminated:
        uses, used = _without_strange(corpus, uses, labelled, request, say)
    members, kept = _members(corpus, uses, request, say)
    training, held_out = Part(corpus, uses, TRAINING), Part(corpus, uses, HELD_OUT)
    say(f"calibrating on {counted(held_out.size, 'held-out item')}")
    scores, held_out_groups = [member.scores(held_out) for member in members], labelled.groups[uses == HELD_OUT]
    calibration, distinct = _calibrated(members, scores, held_out_groups, request.seed)
    first: Any = kept[0].content
    record = FitRecord(
        corpus.name, corpus.modality, list(request.normal), training.size, len(scores[0]), used,
        request.by_order, request.seed, distinct,
        list(first.shape) if isinstance(first, np.ndarray) else None,
        first.rate if isinstance(first, Sound) else None,
    )  # fmt: skip
    detector = AnomalyDetector(members, np.sort(calibration), NormalItems.of(kept, corpus.modality), record)
    detector.training = _training_scores(detector, kept)
    return detector


def _training_scores(detector: AnomalyDetector, kept: Sequence[Item]) -> Floats:
    """Return the scores of some training items, ascending: a page shows how they differ from those held out."""
    some: list[Any] = [item.content for item in kept[:TRAINING_SCORES]]
    return np.sort(np.concatenate([detector.score(some[at : at + ROWS]) for at in range(0, len(some), ROWS)]))


def _members(
    corpus: Corpus, uses: NDArray[np.uint8], request: FitRequest, say: ProgressCallback
) -> tuple[list[Member], list[Item]]:
    """Return the fitted spaces, and the training items that are kept."""
    training = Part(corpus, uses, TRAINING)
    encoders = request.planned(corpus.modality)
    for encoder in encoders:
        say(_begun(encoder, training.size))
        fitted(encoder, training.batches_for(encoder))
    kept = draw(training, kept_count(encoders, training.size), request.seed)
    members = [Member.fit(one, training, kept, request.score, request.k, request.standardise) for one in encoders]
    return members, kept


def _begun(encoder: Encoder, count: int) -> str:
    if encoder.__sklearn_is_fitted__():
        return f"{encoder} is already fitted: make sure that it has seen neither anomalies nor the held-out items"
    return f"fitting {encoder} on {counted(count, 'item')}"


def _without_strange(
    corpus: Corpus, uses: NDArray[np.uint8], labelled: Labelled, request: FitRequest, say: ProgressCallback
) -> Trimmed:
    """Return the uses without the items that look strange, and the share of those."""

    def scores_of_halves(halves: NDArray[np.uint8], fitted: NDArray[np.uint8]) -> list[Floats]:
        return _scores_of_halves(corpus, halves, fitted, request, say)

    return trimmed(uses, labelled.groups, labelled.digests, request.contaminated, scores_of_halves, request.seed, say)


def _scores_of_halves(
    corpus: Corpus, halves: NDArray[np.uint8], fitted: NDArray[np.uint8], request: FitRequest, say: ProgressCallback
) -> list[Floats]:
    """Return the scores of all items in each space: each half by spaces that were fitted on the other half."""
    taken = halves != UNUSED
    scores = [np.zeros(int(taken.sum())) for _ in dict.fromkeys(request.specs)]
    for half, other in ((TRAINING, HELD_OUT), (HELD_OUT, TRAINING)):
        fitted_on = np.where(fitted == half, np.uint8(TRAINING), np.uint8(UNUSED))
        members, _ = _members(corpus, fitted_on, request, say)
        for values, member in zip(scores, members, strict=True):
            values[halves[taken] == other] = member.scores(Part(corpus, halves, other))
    return scores


def _calibrated(
    members: Sequence[Member], scores: list[Floats], groups: NDArray[np.int64], seed: int
) -> tuple[Floats, int]:
    """Return the calibration scores, and of how many different items they are.

    With several spaces, half of the held-out items give the ranks. An item must not be ranked among scores that its own
    is one of: it would not be exchangeable with a new item. So repeats are in the same half.
    """
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    if len(members) == 1:
        return scores[0], len(first)
    if len(first) < 2:
        raise OptionError("a combination of spaces needs at least 2 different held-out items: give more data")
    order = np.random.default_rng(seed).permutation(np.argsort(first))
    is_ranking = np.zeros(len(first), dtype=bool)
    is_ranking[order[: len(order) // 2]] = True
    ranking, others = is_ranking[inverse], ~is_ranking[inverse]
    for member, member_scores in zip(members, scores, strict=True):
        member.reference = np.sort(member_scores[ranking])
    combined = mean_rank([member.reference for member in members], [member_scores[others] for member_scores in scores])
    return combined, int((~is_ranking).sum())
