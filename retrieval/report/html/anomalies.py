"""A comparison of anomaly detectors as one HTML file, which loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retrieval.applications.anomaly.comparison import DetectorComparison, DetectorResult
from retrieval.applications.anomaly.conformal import percent
from retrieval.evaluation.detection_measures import Measured
from retrieval.output import writing
from retrieval.report.figures.detection_curves import p_values_svg, precision_svg, recall_svg
from retrieval.report.html.provenance import provenance_data
from retrieval.report.html.template import render
from retrieval.report.terminal.anomalies import number
from retrieval.report.terminal.detectors import verdict_lines


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
    figures = [draw(found, key) for key, draw in (("p", p_values_svg), ("roc", recall_svg), ("pr", precision_svg))]
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
            f"{one.average_precision.value:.3f}",
            _interval(one.average_precision),
            f"{one.recall:.3f}",
            "–" if one.precision != one.precision else f"{one.precision:.3f}",
            f"{one.false_alarms:.1%}",
        ],
    }


def _interval(value: Measured) -> str:
    return f"{value.interval.low:.3f} to {value.interval.high:.3f}"


def _strangest(found: DetectorComparison) -> list[dict[str, str]]:
    best = found.best
    p = best.p_values
    return [
        {
            "id": found.ids[row],
            "label": found.labels[row] or "",
            "title": found.titles.get(row, ""),
            "score": number(float(best.scores[row])),
            "p": f"{p[row]:.4f}",
            "kind": "anomaly" if found.anomalous[row] else "normal",
        }
        for row in found.strangest
    ]
