"""A comparison of anomaly detectors as one HTML file, which loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retrieval.applications.anomaly.conformal import percent
from retrieval.applications.anomaly.detector_comparison import DetectorComparison, DetectorResult
from retrieval.evaluation.detection_measures import Measured
from retrieval.output import writing
from retrieval.report.anomaly_words import identical_sentence, number, p_value_text, verdict_lines
from retrieval.report.figures.detection_curves import p_values_svg, precision_svg, recall_svg
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.score_distributions import distributions_svg
from retrieval.report.html.provenance import provenance_data
from retrieval.report.html.strange_items import strange_items
from retrieval.report.html.template import render


def write_detectors(comparison: DetectorComparison, provenance: Mapping[str, Any], folder: Path) -> Path:
    """Write ``anomalies.html`` into a folder; return its path.

    Raises
    ------
    ArtifactError
        When it cannot be written.
    """
    with writing(folder / "anomalies.html") as file:
        file.write(page(comparison, provenance).encode())
    return folder / "anomalies.html"


def page(comparison: DetectorComparison, provenance: Mapping[str, Any]) -> str:
    """Return the page: the answer, the table, the figures, the strangest items, how it was measured."""
    answer, *notes = verdict_lines(comparison)
    figures = [_scores_figure(comparison)]
    figures += [
        draw(comparison, key) for key, draw in (("p", p_values_svg), ("roc", recall_svg), ("pr", precision_svg))
    ]
    return render(
        "anomalies.html",
        title=f"nearby: anomalies in {comparison.corpus}",
        corpus=comparison.corpus,
        facts=f"normal is {', '.join(comparison.normal)} · {comparison.n_training:,} normal items to train, "
        f"{comparison.n_held_out:,} to calibrate, {comparison.n_normal:,} to test · "
        f"{comparison.n_anomalies:,} anomalies",
        answer=answer.removeprefix("* "),
        notes=[note.removeprefix("= ") for note in notes],
        rows=[_row(result, comparison) for result in comparison.results],
        asked=percent(comparison.rate),
        base_rate=f"{comparison.base_rate:.3f}",
        figures=figures,
        best=comparison.best.name,
        detectable=_detectable(comparison),
        explained=strange_items(comparison.explained, _kinds(comparison)[: len(comparison.explained)]),
        strangest=_strangest(comparison),
        titled=bool(comparison.titles),
        provenance_entries=provenance_data(provenance),
    )


def _row(result: DetectorResult, comparison: DetectorComparison) -> dict[str, Any]:
    gap = result.against_best
    return {
        "name": result.name,
        "score": result.score,
        "best": result is comparison.best,
        "same": gap is not None and not gap.found,
        "auroc": f"{result.auroc.value:.3f}",
        "cells": [
            _interval(result.auroc),
            result.letters,
            f"{result.average_precision.value:.3f}",
            _interval(result.average_precision),
            f"{result.recall:.3f}",
            "–" if result.precision != result.precision else f"{result.precision:.3f}",
            f"{result.false_alarms:.1%}",
        ],
    }


def _interval(value: Measured) -> str:
    return f"{value.interval.low:.3f} to {value.interval.high:.3f}"


def _scores_figure(comparison: DetectorComparison) -> tuple[str, Markup]:
    """Draw the scores of the best space: training, held-out and test items, with the threshold."""
    best = comparison.best
    title = (
        f"{best.name}: {best.recall:.1%} of the anomalies and {best.false_alarms:.1%} of the normal test items are "
        f"above the threshold for {percent(comparison.rate)} false alarms"
    )
    groups = {
        "anomalies": best.scores[comparison.anomalous],
        "normal test items": best.scores[~comparison.anomalous],
        "held-out normal items": best.calibration,
        "training items": best.training,
    }
    return title, distributions_svg("scores", title, groups, best.threshold)


def _detectable(comparison: DetectorComparison) -> str:
    """Return how small a difference of AUROC this many test items show."""
    others = [result for result in comparison.results if result is not comparison.best]
    sizes = sorted(result.detectable for result in others)
    if not sizes:
        return ""
    size = f"{sizes[0]:.3f}" if len(sizes) == 1 else f"{sizes[0]:.3f} to {sizes[-1]:.3f}, by the detector,"
    return f"Smallest detectable difference: an AUROC {size} below the best would be found 4 times in 5."


def _kinds(comparison: DetectorComparison) -> list[str]:
    return ["anomaly" if comparison.anomalous[row] else "normal item" for row in comparison.strangest]


def _strangest(comparison: DetectorComparison) -> list[dict[str, str]]:
    best = comparison.best
    p = best.p_values
    return [
        {
            "id": comparison.ids[row],
            "identical": identical_sentence(comparison.identical_ids(group)),
            "label": comparison.labels[row] or "",
            "title": comparison.titles.get(row, ""),
            "score": number(float(best.scores[row])),
            "p": p_value_text(float(p[row])),
            "kind": "anomaly" if comparison.anomalous[row] else "normal",
        }
        for group in comparison.groups
        for row in group[:1]
    ]
