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
from retrieval.applications.anomaly.detector import AnomalyDetector, FitRecord
from retrieval.applications.anomaly.member import Member
from retrieval.applications.anomaly.normal_items import NormalItems, kept_count
from retrieval.applications.anomaly.parts import HELD_OUT, SHOWN_LABELS, TRAINING, UNUSED, Part, read_labels, split
from retrieval.applications.anomaly.stages import Stages
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.sample import draw
from retrieval.spaces.build import encoder_of, fitted, planned

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FitRequest:
    """What is asked of a fit; see `AnomalyDetector.fit`."""

    specs: tuple[str, ...]
    score: str = "auto"
    normal: tuple[str, ...] = ()
    contaminated: float = 0.0
    hold_out: float = 0.2
    by_order: bool = False
    k: int = 5
    standardise: bool | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.specs:
            raise OptionError("name at least one space, as in vectors+pca:8")
        if not 0 <= self.contaminated < 0.5:
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
    uses = split(labelled.normal, request.hold_out, by_order=request.by_order, seed=request.seed)
    return fit_on_parts(corpus, uses, request, say)


def fit_on_parts(
    corpus: Corpus, uses: NDArray[np.uint8], request: FitRequest, say: ProgressCallback
) -> AnomalyDetector:
    """Fit a detector on the training items of a split and calibrate it on the held-out ones.

    Parameters
    ----------
    corpus : Corpus
    uses : ndarray uint8 (n,)
        The use of each item; see `parts.split`.
    request : FitRequest
    say : callable
    """
    members, kept = _members(corpus, uses, request, say)
    if request.contaminated:
        uses = _trimmed(corpus, uses, members, request)
        left = counted(int((uses == TRAINING).sum()), "item")
        say(
            f"the strangest {percent(request.contaminated)} of the training items are left out; fitting again on {left}"
        )
        members, kept = _members(corpus, uses, request, say)
    training, held_out = Part(corpus, uses, TRAINING), Part(corpus, uses, HELD_OUT)
    say(f"calibrating on {counted(held_out.size, 'held-out item')}")
    scores = [member.scores(held_out) for member in members]
    if request.contaminated:
        scores = _without_strangest(scores, request.contaminated)
        say(
            f"the strangest {percent(request.contaminated)} of the held-out items are left out too: if fewer were "
            "strange, more normal items are flagged than asked for"
        )
    calibration = _calibrated(members, scores, request.seed)
    first: Any = kept[0].content
    record = FitRecord(
        corpus.name, corpus.modality, list(request.normal), training.size, len(scores[0]), request.contaminated,
        request.by_order, request.seed,
        list(first.shape) if isinstance(first, np.ndarray) else None,
        first.rate if isinstance(first, Sound) else None,
    )  # fmt: skip
    return AnomalyDetector(members, np.sort(calibration), NormalItems.of(kept, corpus.modality), record)


def _members(
    corpus: Corpus, uses: NDArray[np.uint8], request: FitRequest, say: ProgressCallback
) -> tuple[list[Member], list[Item]]:
    """Return the fitted spaces, and the training items that are kept."""
    training = Part(corpus, uses, TRAINING)
    encoders = request.planned(corpus.modality)
    for encoder in encoders:
        say(_begun(encoder, training.size))
        fitted(encoder, training.batches(label_field=encoder.label_field))
    kept = draw(training, kept_count(encoders, training.size), request.seed)
    members = [Member.fit(one, training, kept, request.score, request.k, request.standardise) for one in encoders]
    return members, kept


def _begun(encoder: Encoder, count: int) -> str:
    if encoder.__sklearn_is_fitted__():
        return f"{encoder} is already fitted: make sure that it has seen neither anomalies nor the held-out items"
    return f"fitting {encoder} on {counted(count, 'item')}"


def _trimmed(
    corpus: Corpus, uses: NDArray[np.uint8], members: Sequence[Member], request: FitRequest
) -> NDArray[np.uint8]:
    """Return the uses without the strangest training items."""
    training = Part(corpus, uses, TRAINING)
    scores = [member.scores(training) for member in members]
    strangeness = scores[0] if len(scores) == 1 else mean_rank(scores, scores)
    count = round(request.contaminated * len(strangeness))
    order = np.argsort(strangeness, kind="stable")
    trimmed = uses.copy()
    trimmed[np.flatnonzero(uses == TRAINING)[order[len(order) - count :]]] = UNUSED
    return trimmed


def _without_strangest(scores: list[Floats], share: float) -> list[Floats]:
    strangeness = scores[0] if len(scores) == 1 else mean_rank(scores, scores)
    kept = np.argsort(strangeness, kind="stable")[: max(1, len(strangeness) - round(share * len(strangeness)))]
    kept = np.sort(kept)
    return [one[kept] for one in scores]


def _calibrated(members: Sequence[Member], scores: list[Floats], seed: int) -> Floats:
    """Return the calibration scores; with several spaces, half of the held-out items give the ranks.

    An item must not be ranked among scores that its own is one of: it would not be exchangeable with a new item.
    """
    if len(members) == 1:
        return scores[0]
    order = np.random.default_rng(seed).permutation(len(scores[0]))
    if len(order) < 2:
        raise OptionError("a combination of spaces needs at least 2 held-out items: give more data")
    ranking, others = order[: len(order) // 2], order[len(order) // 2 :]
    for member, own in zip(members, scores, strict=True):
        member.reference = np.sort(own[ranking])
    return mean_rank([member.reference for member in members], [own[others] for own in scores])
