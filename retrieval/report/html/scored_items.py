"""The scores of a batch as one HTML file: distributions, the strangest items with reasons, how it was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from encoders.numbers import counted
from retrieval.applications.anomaly.conformal import percent, threshold
from retrieval.applications.anomaly.detection import Detection
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.neighbours import Neighbours
from retrieval.applications.anomaly.strangest import ExplainedItem
from retrieval.output import writing
from retrieval.report.anomaly_words import drift_lines, identical_sentence, number, p_value_text
from retrieval.report.figures.score_distributions import distributions_svg
from retrieval.report.html.provenance import provenance_data
from retrieval.report.html.strange_items import strange_items
from retrieval.report.html.template import render

#: Items in the table below those that are explained.
LISTED = 50


def write_scored_items(
    detection: Detection, explained: Sequence[ExplainedItem], detector: AnomalyDetector, provenance: Mapping[str, Any],
    path: Path,
) -> None:  # fmt: skip
    """Write the page.

    Raises
    ------
    ArtifactError
        When it cannot be written.
    """
    with writing(path) as file:
        file.write(page(detection, explained, detector, provenance).encode())


def page(
    detection: Detection, explained: Sequence[ExplainedItem], detector: AnomalyDetector, provenance: Mapping[str, Any]
) -> str:
    """Return the page: the answer, the scores, the strangest items, how it was measured."""
    flagged, count = int(detection.flagged.sum()), len(detection.ids)
    limit = threshold_of(detection, detector)
    ranks = {row: rank for rank, row in enumerate(detection.order.tolist(), start=1)}
    title = "Which share of the items has a larger score"
    if math.isfinite(limit):
        share = percent(flagged / max(1, count))
        title = f"Of the scored items, {share} are flagged: their scores are above {number(limit)}"
    groups = {
        "training items": detector.training,
        "held-out normal items": detector.calibration,
        "scored items": detection.scores,
    }
    return render(
        "scored_items.html",
        title=f"nearby: anomalies in {detection.corpus}",
        corpus=detection.corpus,
        facts=f"{counted(count, 'item')} scored by {', '.join(detection.spaces)}",
        answer=f"{flagged:,} of {counted(count, 'item')} are flagged",
        notes=[
            f"{detection.rule.text[:1].upper()}{detection.rule.text[1:]}.",
            *filter(None, [detection.note]),
            *drift_lines(detection),
        ],
        figure_title=title,
        figure=distributions_svg("scores", title, groups, limit),
        training_note=training_note(detector),
        ranked_note=f"The {len(explained)} strangest of {count:,}, strangest first, each with what raises its score. "
        "Identical items are shown once.",
        strange=strange_items(
            explained,
            [
                "flagged" if detection.flagged[group[0]] else "not flagged"
                for group in detection.groups[: len(explained)]
            ],
        ),
        rows=[
            {
                "rank": ranks[at],
                "id": detection.ids[at],
                "identical": identical_sentence(detection.identical_ids(group)),
                "score": number(float(detection.scores[at])),
                "p": p_value_text(float(detection.p_values[at])),
                "flagged": "yes" if detection.flagged[at] else "no",
                "label": detection.labels[at] or "",
            }
            for group in detection.groups[len(explained) : len(explained) + LISTED]
            for at in group[:1]
        ],
        method="A p-value is the share of normal items that are at least as strange, from the scores of "
        f"{counted(len(detector.calibration), 'held-out normal item')} ({detector.record.n_distinct:,} different).",
        provenance_entries=provenance_data(provenance),
    )


def threshold_of(detection: Detection, detector: AnomalyDetector) -> float:
    """Return the score above which items are flagged; of a false discovery rate, the smallest flagged one."""
    if detection.rule.kind == "fdr":
        return float(detection.scores[detection.flagged].min()) if detection.flagged.any() else math.inf
    return threshold(detector.calibration, detection.rule.rate, detector.record.n_distinct)


def training_note(detector: AnomalyDetector) -> str:
    """Return a remark on the scores of training items."""
    uses_neighbours = any(isinstance(member.score, Neighbours) for member in detector.members)
    return ", so that their scores are smaller" + (": each is its own nearest neighbour" if uses_neighbours else "")
