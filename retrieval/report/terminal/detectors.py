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


def detectors_lines(found: DetectorComparison) -> list[str]:
    """Return the table of detectors, who is best, and what is suspicious."""
    head = ["space", "score", "AUROC", "95%", "AP", "95%", "recall", "prec.", "alarms"]
    rows = [_row(one, found) for one in found.results]
    normal = ", ".join(found.normal)
    verdict = [part for line in verdict_lines(found) for part in wrap(line, WIDTH, subsequent_indent="  ")]
    return [
        f"{found.corpus}: normal is {normal}",
        f"normal items: {found.n_training:,} to train, {found.n_held_out:,} to calibrate, {found.n_normal:,} to test; "
        f"anomalies: {found.n_anomalies:,} (AP at random: {found.base_rate:.3f})",
        "",
        *aligned(head, rows, right=range(2, len(head)), specs=[0]),
        "recall and precision of the flagged items; alarms: share of normal items flagged, asked "
        f"{percent(found.rate)}",
        *verdict,
    ]


def _row(one: DetectorResult, found: DetectorComparison) -> list[str]:
    best = "*" if one is found.best else "=" if one.against_best is not None and not one.against_best.found else " "
    precision = "–" if one.precision != one.precision else f"{one.precision:.3f}"
    return [
        one.name, one.score, f"{one.auroc.value:.3f}{best}", _interval(one.auroc), f"{one.average_precision.value:.3f}",
        _interval(one.average_precision), f"{one.recall:.3f}", precision, f"{one.false_alarms:.1%}",
    ]  # fmt: skip


def _interval(value: Measured) -> str:
    """Return an interval without leading zeros, which would make the table too wide."""
    return "-".join(f"{bound:.3f}".removeprefix("0")[:4] for bound in value.interval)


def detectors_json(found: DetectorComparison) -> dict[str, Any]:
    """Return the comparison as JSON values, without the scores of the items."""
    value = {
        "corpus": found.corpus,
        "normal": found.normal,
        "n_training": found.n_training,
        "n_held_out": found.n_held_out,
        "n_normal": found.n_normal,
        "n_anomalies": found.n_anomalies,
        "false_alarms_asked": found.rate,
        "verdict": verdict_lines(found),
        "detectors": [_result_json(one, one is found.best) for one in found.results],
    }
    written: dict[str, Any] = plain(value)
    return written


def _result_json(one: DetectorResult, best: bool) -> dict[str, Any]:
    gap = one.against_best
    return {
        "name": one.name,
        "score": one.score,
        "baseline": one.is_baseline,
        "best": best,
        "auroc": one.auroc.value,
        "auroc_interval": list(one.auroc.interval),
        "average_precision": one.average_precision.value,
        "average_precision_interval": list(one.average_precision.interval),
        "recall_curve": _curve_json(one.recall_curve, "false_alarms", "recall"),
        "precision_curve": _curve_json(one.precision_curve, "recall", "precision"),
        "recall": one.recall,
        "precision": one.precision,
        "false_alarms": one.false_alarms,
        "false_alarms_interval": list(one.false_alarms_interval),
        "excess_p_value": one.excess_p_value,
        "threshold": one.threshold,
        "letters": one.letters,
        "detectable_difference": one.detectable,
        "against_best": None
        if gap is None
        else {"difference": gap.value, "interval": list(gap.interval), "p_value": gap.p_value, "found": gap.found},
    }


def _curve_json(curve: Curve, across: str, upward: str) -> dict[str, Any]:
    """Return a curve as arrays of numbers: where, the value there, and the ends of its 95 % band."""
    return {across: curve.at, upward: curve.values, "low": curve.low, "high": curve.high}
