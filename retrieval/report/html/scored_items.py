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
from retrieval.report.anomaly_words import drift_lines, identical_sentence, number
from retrieval.report.figures.score_distributions import distributions_svg
from retrieval.report.html.provenance import provenance_data
from retrieval.report.html.strange_items import strange_items
from retrieval.report.html.template import render

#: Items in the table below those that are explained.
LISTED = 50


def write_scored_items(
    found: Detection, explained: Sequence[ExplainedItem], detector: AnomalyDetector, provenance: Mapping[str, Any],
    path: Path,
) -> None:  # fmt: skip
    """Write the page.

    Raises
    ------
    ArtifactError
        When it cannot be written.
    """
    with writing(path) as file:
        file.write(page(found, explained, detector, provenance).encode())


def page(
    found: Detection, explained: Sequence[ExplainedItem], detector: AnomalyDetector, provenance: Mapping[str, Any]
) -> str:
    """Return the page: the answer, the scores, the strangest items, how it was measured."""
    flagged, count = int(found.flagged.sum()), len(found.ids)
    limit = threshold_of(found, detector)
    ranks = {row: rank for rank, row in enumerate(found.order.tolist(), start=1)}
    title = "Which share of the items has a larger score"
    if math.isfinite(limit):
        share = percent(flagged / max(1, count))
        title = f"Of the scored items, {share} are flagged: their scores are above {number(limit)}"
    groups = {
        "training items": detector.training,
        "held-out normal items": detector.calibration,
        "scored items": found.scores,
    }
    return render(
        "scored_items.html",
        title=f"nearby: anomalies in {found.corpus}",
        corpus=found.corpus,
        facts=f"{counted(count, 'item')} scored by {', '.join(found.spaces)}",
        answer=f"{flagged:,} of {counted(count, 'item')} are flagged",
        notes=[
            f"{found.rule.text[:1].upper()}{found.rule.text[1:]}.",
            *filter(None, [found.note]),
            *drift_lines(found),
        ],
        figure_title=title,
        figure=distributions_svg("scores", title, groups, limit),
        training_note=training_note(detector),
        ranked_note=f"The {len(explained)} strangest of {count:,}, strangest first, each with what raises its score. "
        "Identical items are shown once.",
        strange=strange_items(
            explained,
            ["flagged" if found.flagged[group[0]] else "not flagged" for group in found.groups[: len(explained)]],
        ),
        rows=[
            {
                "rank": ranks[at],
                "id": found.ids[at],
                "identical": identical_sentence(found.identical_ids(group)),
                "score": number(float(found.scores[at])),
                "p": f"{found.p_values[at]:.4f}",
                "flagged": "yes" if found.flagged[at] else "no",
                "label": found.labels[at] or "",
            }
            for group in found.groups[len(explained) : len(explained) + LISTED]
            for at in group[:1]
        ],
        method="A p-value is the share of normal items that are at least as strange, from the scores of "
        f"{counted(len(detector.calibration), 'held-out normal item')} ({detector.record.n_distinct:,} different).",
        provenance_entries=provenance_data(provenance),
    )


def threshold_of(found: Detection, detector: AnomalyDetector) -> float:
    """Return the score above which items are flagged; of a false discovery rate, the smallest flagged one."""
    if found.rule.kind == "fdr":
        return float(found.scores[found.flagged].min()) if found.flagged.any() else math.inf
    return threshold(detector.calibration, found.rule.rate, detector.record.n_distinct)


def training_note(detector: AnomalyDetector) -> str:
    """Return a remark on the scores of training items."""
    own = any(isinstance(member.score, Neighbours) for member in detector.members)
    return ", so that their scores are smaller" + (": each is its own nearest neighbour" if own else "")
