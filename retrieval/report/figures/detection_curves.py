"""Figures of a comparison of anomaly detectors: recall by false alarms, precision by recall, p-values."""

from __future__ import annotations

from retrieval.applications.anomaly.conformal import percent
from retrieval.applications.anomaly.detector_comparison import DetectorComparison
from retrieval.evaluation.detection_curves import Curve
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.plots import Band, Series, lines_svg

#: Rates of false alarms at which the p-values are drawn.
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def recall_svg(comparison: DetectorComparison, key: str) -> tuple[str, Markup]:
    """Draw the recall of each detector by the share of normal test items that are flagged; return title and figure."""
    series = [_series(result.name, result.recall_curve) for result in comparison.results]
    title = "How many anomalies are found, by the share of normal items that is flagged "
    title += f"(AUROC of {comparison.best.name}: {comparison.best.auroc.value:.3f})"
    at = comparison.best.recall_curve.at
    return title, lines_svg(key, title, at, series, "share of normal items flagged", "recall", logarithmic=True)


def precision_svg(comparison: DetectorComparison, key: str) -> tuple[str, Markup]:
    """Draw the precision of each detector by its recall; return title and figure."""
    series = [_series(result.name, result.precision_curve) for result in comparison.results]
    title = f"How many of the flagged items are anomalies, by recall (a random order: {comparison.base_rate:.3f})"
    return title, lines_svg(key, title, comparison.best.precision_curve.at, series, "recall", "precision")


def _series(name: str, curve: Curve) -> Series:
    return Series(name, curve.values.tolist(), Band(curve.low.tolist(), curve.high.tolist()))


def p_values_svg(comparison: DetectorComparison, key: str) -> tuple[str, Markup]:
    """Draw how many normal items and anomalies the best space flags, by the rate asked; return title and figure."""
    best = comparison.best
    p = best.p_values
    grid = [rate for rate in RATES if rate >= p.min()]
    series = [
        Series("anomalies", [float((p[comparison.anomalous] <= rate).mean()) for rate in grid]),
        Series("normal items", [float((p[~comparison.anomalous] <= rate).mean()) for rate in grid]),
        Series("as asked", grid),
    ]
    title = (
        f"{best.name}: with {percent(comparison.rate)} false alarms asked, {best.false_alarms:.1%} of the normal "
        f"items and {best.recall:.1%} of the anomalies are flagged"
    )
    return title, lines_svg(key, title, grid, series, "false alarms asked", "share flagged", logarithmic=True)
