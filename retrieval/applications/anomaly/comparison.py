"""Comparison of detectors by labels: how well each finds the anomalies, beside trivial ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from encoders.errors import CorpusError
from encoders.progress import ProgressCallback, quiet
from retrieval.applications.anomaly import conformal
from retrieval.applications.anomaly.baselines import length_scores, untrained
from retrieval.applications.anomaly.detection import FALSE_ALARMS
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.detector_comparison import DetectorComparison, DetectorResult, best_of
from retrieval.applications.anomaly.fitting import FitRequest, fit_on_parts
from retrieval.applications.anomaly.parts import (
    HELD_OUT,
    TEST,
    TRAINING,
    Labelled,
    Part,
    ids_and_digests,
    read_labels,
    split,
    titles_of,
)
from retrieval.applications.anomaly.repeats import with_identical
from retrieval.applications.anomaly.strangest import EXPLAINED, explain_items
from retrieval.corpora.base import Corpus
from retrieval.evaluation.detection_curves import measured_with_curves
from retrieval.evaluation.detection_measures import differences
from retrieval.evaluation.detector_letters import detectable_difference, detector_letters
from retrieval.evaluation.false_alarms import excess_p_value, wilson_interval

Floats = NDArray[np.float64]
#: Items in the list of the strangest.
STRANGEST = 25


@dataclass(frozen=True)
class _Scored:
    name: str
    score: str
    is_baseline: bool
    scores: Floats
    calibration: Floats
    n_distinct: int
    detector: AnomalyDetector | None = None


def compare_detectors(
    corpus: Corpus,
    specs: Sequence[str],
    normal: Sequence[str],
    *,
    score: str = "auto",
    hold_out: float = 0.2,
    test: float = 0.2,
    by_order: bool = False,
    k: int = 5,
    standardise: bool | None = None,
    false_alarms: float = FALSE_ALARMS,
    seed: int = 0,
    explain: bool = False,
    say: ProgressCallback = quiet,
) -> DetectorComparison:
    """Fit a detector for each space on the same normal items and compare what they find among the others.

    Parameters
    ----------
    corpus : Corpus
        With labels.
    specs : sequence of str
    normal : sequence of str
        The labels of normal items; all others are anomalies.
    score, k, standardise : optional
        As in `AnomalyDetector.fit`.
    hold_out, test : float
        Shares of the normal items for calibration and for the test; all anomalies are in the test.
    by_order : bool
        Train on the first normal items and test on the last.
    false_alarms : float
        Share of normal items to flag.
    seed : int
    explain : bool
        Whether the strangest test items of the best space are explained.
    say : callable

    Raises
    ------
    NearbyError
        When there is no anomaly, or too few normal items.
    """
    request = FitRequest(
        tuple(dict.fromkeys(specs)), score, tuple(normal), 0.0, hold_out, by_order, k, standardise, seed
    )
    request.planned(corpus.modality)
    labelled = read_labels(corpus, normal)
    if labelled.normal.all():
        raise CorpusError(
            f"every item of '{corpus.name}' is normal by its label: a comparison needs anomalies, so name fewer labels "
            "with --normal"
        )
    uses = split(labelled.normal, hold_out, test, by_order, seed, labelled.groups)
    distinct = len(np.unique(labelled.groups[uses == HELD_OUT]))
    conformal.require_calibration(distinct, false_alarms, "--false-alarms")
    uses[~labelled.normal] = TEST
    anomalous = ~labelled.normal[uses == TEST]
    scored = _all_scored(corpus, uses, labelled, request, say)
    copies = int((~anomalous).sum()) / len(np.unique(labelled.groups[uses == TEST][~anomalous]))
    results = _results(scored, anomalous, copies, false_alarms, seed)
    best, tested = best_of(results), Part(corpus, uses, TEST)
    ids, digests = ids_and_digests(tested)
    groups = with_identical(np.argsort(-best.scores, kind="stable").tolist(), digests)[:STRANGEST]
    titles = titles_of(tested, {group[0] for group in groups})
    detector = next(one.detector for one in scored if one.name == best.name and one.detector is not None)
    explained = explain_items(detector, tested, groups[:EXPLAINED], ids) if explain else []
    counts = {use: int((uses == use).sum()) for use in (TRAINING, HELD_OUT)}
    return DetectorComparison(
        corpus.name, list(normal), counts[TRAINING], counts[HELD_OUT], int((~anomalous).sum()), int(anomalous.sum()),
        false_alarms, results, anomalous, ids,
        [label for label, use in zip(labelled.labels, uses.tolist(), strict=True) if use == TEST], titles, groups,
        explained,
    )  # fmt: skip


def _all_scored(
    corpus: Corpus, uses: NDArray[np.uint8], labelled: Labelled, request: FitRequest, say: ProgressCallback
) -> list[_Scored]:
    tested, held_out = Part(corpus, uses, TEST), Part(corpus, uses, HELD_OUT)
    spaces, lengths, random_networks = [], {}, []
    for spec in request.specs:
        detector = fit_on_parts(corpus, uses, labelled, replace(request, specs=(spec,)), say)
        spaces.append(_scored(str(detector.encoders[0]), False, detector, tested))
        stages = detector.members[0].stages
        length_of = "L2 norm" if stages.reader is None else f"L2 norm of {stages.reader}"
        if length_of not in lengths:
            length_results = (
                length_scores(stages, tested),
                length_scores(stages, held_out),
                detector.record.n_distinct,
            )
            lengths[length_of] = _Scored(length_of, "length", True, *length_results)
        same_shape = untrained(spec)
        if same_shape is not None:
            blank = fit_on_parts(corpus, uses, labelled, replace(request, specs=(same_shape,)), say)
            random_networks.append(_scored(f"untrained {detector.encoders[0]}", True, blank, tested))
    return [*spaces, *lengths.values(), *random_networks]


def _scored(name: str, is_baseline: bool, detector: AnomalyDetector, tested: Corpus) -> _Scored:
    scores = detector.scores_of(tested)
    return _Scored(
        name, detector.members[0].score.name, is_baseline, scores, detector.calibration, detector.record.n_distinct,
        detector,
    )  # fmt: skip


def _results(
    scored: Sequence[_Scored], anomalous: NDArray[np.bool_], copies: float, rate: float, seed: int
) -> list[DetectorResult]:
    rankings = measured_with_curves([one.scores for one in scored], anomalous, seed=seed)
    both = [ranking.measures for ranking in rankings]
    spaces = [row for row, one in enumerate(scored) if not one.is_baseline]
    best = max(spaces, key=lambda row: both[row]["AUROC"].value)
    others = [row for row in range(len(scored)) if row != best]
    gaps = differences([(both[best]["AUROC"], both[row]["AUROC"]) for row in others])
    against = dict(zip(others, gaps, strict=True))
    letters = detector_letters({str(row): values["AUROC"] for row, values in enumerate(both)})
    results = []
    for row, (one, (values, recall, precision)) in enumerate(zip(scored, rankings, strict=True)):
        p = conformal.p_values(one.calibration, one.scores, distinct=one.n_distinct)
        flagged = p <= rate
        share = float(flagged[~anomalous].mean())
        different = round(int((~anomalous).sum()) / copies)  # repeats of an item say nothing new about the share
        alarms = round(share * different)
        excess = excess_p_value(alarms, different, one.n_distinct, rate)
        results.append(
            DetectorResult(
                one.name, one.score, one.is_baseline, values["AUROC"], values["AP"], recall, precision,
                float(flagged[anomalous].mean()),
                float(anomalous[flagged].mean()) if flagged.any() else math.nan,
                share, wilson_interval(alarms, different), excess,
                against.get(row), one.scores, one.calibration, p,
                np.zeros(0) if one.detector is None else one.detector.training,
                conformal.threshold(one.calibration, rate, one.n_distinct), letters[str(row)],
                0.0 if row == best else detectable_difference(both[best]["AUROC"], values["AUROC"], len(others)),
            )
        )  # fmt: skip
    return results
