"""A comparison of anomaly detectors as one HTML file, which loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retrieval.applications.anomaly.conformal import percent
from retrieval.applications.anomaly.detector_comparison import DetectorComparison, DetectorResult
from retrieval.evaluation.detection_measures import Measured
from retrieval.output import writing
from retrieval.report.anomaly_words import identical_sentence, number, verdict_lines
from retrieval.report.figures.detection_curves import p_values_svg, precision_svg, recall_svg
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.score_distributions import distributions_svg
from retrieval.report.html.provenance import provenance_data
from retrieval.report.html.strange_items import strange_items
from retrieval.report.html.template import render


def write_detectors(found: DetectorComparison, provenance: Mapping[str, Any], folder: Path) -> Path:
    """Write ``anomalies.html`` into a folder; return its path.

    Raises
    ------
    ArtifactError
        When it cannot be written.
    """
    with writing(folder / "anomalies.html") as file:
        file.write(page(found, provenance).encode())
    return folder / "anomalies.html"


def page(found: DetectorComparison, provenance: Mapping[str, Any]) -> str:
    """Return the page: the answer, the table, the figures, the strangest items, how it was measured."""
    answer, *notes = verdict_lines(found)
    figures = [_scores_figure(found)]
    figures += [draw(found, key) for key, draw in (("p", p_values_svg), ("roc", recall_svg), ("pr", precision_svg))]
    return render(
        "anomalies.html",
        title=f"nearby: anomalies in {found.corpus}",
        corpus=found.corpus,
        facts=f"normal is {', '.join(found.normal)} · {found.n_training:,} normal items to train, "
        f"{found.n_held_out:,} to calibrate, {found.n_normal:,} to test · {found.n_anomalies:,} anomalies",
        answer=answer.removeprefix("* "),
        notes=[note.removeprefix("= ") for note in notes],
        rows=[_row(one, found) for one in found.results],
        asked=percent(found.rate),
        base_rate=f"{found.base_rate:.3f}",
        figures=figures,
        best=found.best.name,
        detectable=_detectable(found),
        explained=strange_items(found.explained, _kinds(found)[: len(found.explained)]),
        strangest=_strangest(found),
        titled=bool(found.titles),
        provenance_entries=provenance_data(provenance),
    )


def _row(one: DetectorResult, found: DetectorComparison) -> dict[str, Any]:
    gap = one.against_best
    return {
        "name": one.name,
        "score": one.score,
        "best": one is found.best,
        "same": gap is not None and not gap.found,
        "auroc": f"{one.auroc.value:.3f}",
        "cells": [
            _interval(one.auroc),
            one.letters,
            f"{one.average_precision.value:.3f}",
            _interval(one.average_precision),
            f"{one.recall:.3f}",
            "–" if one.precision != one.precision else f"{one.precision:.3f}",
            f"{one.false_alarms:.1%}",
        ],
    }


def _interval(value: Measured) -> str:
    return f"{value.interval.low:.3f} to {value.interval.high:.3f}"


def _scores_figure(found: DetectorComparison) -> tuple[str, Markup]:
    """Draw the scores of the best space: training, held-out and test items, with the threshold."""
    best = found.best
    title = (
        f"{best.name}: {best.recall:.1%} of the anomalies and {best.false_alarms:.1%} of the normal test items are "
        f"above the threshold for {percent(found.rate)} false alarms"
    )
    groups = {
        "anomalies": best.scores[found.anomalous],
        "normal test items": best.scores[~found.anomalous],
        "held-out normal items": best.calibration,
        "training items": best.training,
    }
    return title, distributions_svg("scores", title, groups, best.threshold)


def _detectable(found: DetectorComparison) -> str:
    """Return how small a difference of AUROC this many test items show."""
    others = [one for one in found.results if one is not found.best]
    sizes = sorted(one.detectable for one in others)
    if not sizes:
        return ""
    size = f"{sizes[0]:.3f}" if len(sizes) == 1 else f"{sizes[0]:.3f} to {sizes[-1]:.3f}, by the detector,"
    return f"Smallest detectable difference: an AUROC {size} below the best would be found 4 times in 5."


def _kinds(found: DetectorComparison) -> list[str]:
    return ["anomaly" if found.anomalous[row] else "normal item" for row in found.strangest]


def _strangest(found: DetectorComparison) -> list[dict[str, str]]:
    best = found.best
    p = best.p_values
    return [
        {
            "id": found.ids[row],
            "identical": identical_sentence(found.identical_ids(group)),
            "label": found.labels[row] or "",
            "title": found.titles.get(row, ""),
            "score": number(float(best.scores[row])),
            "p": f"{p[row]:.4f}",
            "kind": "anomaly" if found.anomalous[row] else "normal",
        }
        for group in found.groups
        for row in group[:1]
    ]
