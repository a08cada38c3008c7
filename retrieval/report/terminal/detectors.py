"""A comparison of anomaly detectors as plain lines of a terminal, and as JSON."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

from retrieval.applications.anomaly.conformal import percent
from retrieval.applications.anomaly.detector_comparison import DetectorComparison, DetectorResult
from retrieval.evaluation.detection_curves import Curve
from retrieval.evaluation.detection_measures import Measured
from retrieval.report.anomaly_words import verdict_lines
from retrieval.report.json import plain
from retrieval.report.terminal.listing import WIDTH, aligned


def detectors_lines(comparison: DetectorComparison) -> list[str]:
    """Return the table of detectors, who is best, and what is suspicious."""
    head = ["space", "score", "AUROC", "95%", "AP", "95%", "recall", "prec.", "alarms"]
    rows = [_row(result, comparison) for result in comparison.results]
    normal = ", ".join(comparison.normal)
    verdict = [part for line in verdict_lines(comparison) for part in wrap(line, WIDTH, subsequent_indent="  ")]
    return [
        f"{comparison.corpus}: normal is {normal}",
        f"normal items: {comparison.n_training:,} to train, {comparison.n_held_out:,} to calibrate, "
        f"{comparison.n_normal:,} to test; "
        f"anomalies: {comparison.n_anomalies:,} (AP at random: {comparison.base_rate:.3f})",
        "",
        *aligned(head, rows, right=range(2, len(head)), specs=[0]),
        "recall and precision of the flagged items; alarms: share of normal items flagged, asked "
        f"{percent(comparison.rate)}",
        *verdict,
    ]


def _row(result: DetectorResult, comparison: DetectorComparison) -> list[str]:
    best = (
        "*"
        if result is comparison.best
        else "="
        if result.against_best is not None and not result.against_best.found
        else " "
    )
    precision = "–" if result.precision != result.precision else f"{result.precision:.3f}"
    return [
        result.name, result.score, f"{result.auroc.value:.3f}{best}", _interval(result.auroc),
        f"{result.average_precision.value:.3f}", _interval(result.average_precision), f"{result.recall:.3f}", precision,
        f"{result.false_alarms:.1%}",
    ]  # fmt: skip


def _interval(value: Measured) -> str:
    """Return an interval without leading zeros, which would make the table too wide."""
    return "-".join(f"{bound:.3f}".removeprefix("0")[:4] for bound in value.interval)


def detectors_json(comparison: DetectorComparison) -> dict[str, Any]:
    """Return the comparison as JSON values, without the scores of the items."""
    value = {
        "corpus": comparison.corpus,
        "normal": comparison.normal,
        "n_training": comparison.n_training,
        "n_held_out": comparison.n_held_out,
        "n_normal": comparison.n_normal,
        "n_anomalies": comparison.n_anomalies,
        "false_alarms_asked": comparison.rate,
        "verdict": verdict_lines(comparison),
        "detectors": [_result_json(result, result is comparison.best) for result in comparison.results],
    }
    written: dict[str, Any] = plain(value)
    return written


def _result_json(result: DetectorResult, best: bool) -> dict[str, Any]:
    gap = result.against_best
    return {
        "name": result.name,
        "score": result.score,
        "baseline": result.is_baseline,
        "best": best,
        "auroc": result.auroc.value,
        "auroc_interval": list(result.auroc.interval),
        "average_precision": result.average_precision.value,
        "average_precision_interval": list(result.average_precision.interval),
        "recall_curve": _curve_json(result.recall_curve, "false_alarms", "recall"),
        "precision_curve": _curve_json(result.precision_curve, "recall", "precision"),
        "recall": result.recall,
        "precision": result.precision,
        "false_alarms": result.false_alarms,
        "false_alarms_interval": list(result.false_alarms_interval),
        "excess_p_value": result.excess_p_value,
        "threshold": result.threshold,
        "letters": result.letters,
        "detectable_difference": result.detectable,
        "against_best": None
        if gap is None
        else {"difference": gap.value, "interval": list(gap.interval), "p_value": gap.p_value, "found": gap.found},
    }


def _curve_json(curve: Curve, across: str, upward: str) -> dict[str, Any]:
    """Return a curve as arrays of numbers: where, the value there, and the ends of its 95% band."""
    return {across: curve.at, upward: curve.values, "low": curve.low, "high": curve.high}
