"""Figures of a comparison of anomaly detectors: recall by false alarms, precision by recall, p-values."""

from __future__ import annotations

import numpy as np

from retrieval.applications.anomaly.comparison import DetectorComparison, DetectorResult
from retrieval.applications.anomaly.conformal import percent
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.plots import Series, lines_svg

#: Shares of normal items at which recall is drawn, and recalls at which precision is drawn.
ALARMS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
RECALLS = tuple(round(0.1 * step, 1) for step in range(1, 11))
#: Rates of false alarms at which the p-values are drawn.
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def recall_svg(found: DetectorComparison, key: str) -> tuple[str, Markup]:
    """Draw the recall of each detector by the share of normal test items that are flagged; return title and figure."""
    grid = [alarm for alarm in ALARMS if alarm * found.n_normal >= 1]
    series = [Series(one.name, recalls(one, found, grid)) for one in found.results]
    title = f"How many anomalies are found, by the share of normal items that is flagged (AUROC of {found.best.name}: "
    title += f"{found.best.auroc.value:.3f})"
    return title, lines_svg(key, title, grid, series, "share of normal items flagged", "recall", logarithmic=True)


def recalls(one: DetectorResult, found: DetectorComparison, alarms: list[float]) -> list[float]:
    """Return the share of anomalies that are stranger than each share of the normal test items."""
    normal = np.sort(one.scores[~found.anomalous])[::-1]
    strange = one.scores[found.anomalous]
    allowed = [int(alarm * len(normal) + 1e-9) for alarm in alarms]
    bounds = [normal[count] if count < len(normal) else -np.inf for count in allowed]
    return [float((strange > bound).mean()) for bound in bounds]


def precision_svg(found: DetectorComparison, key: str) -> tuple[str, Markup]:
    """Draw the precision of each detector by its recall; return title and figure."""
    series = [Series(one.name, precisions(one, found)) for one in found.results]
    title = f"How many of the flagged items are anomalies, by recall (a random order: {found.base_rate:.3f})"
    return title, lines_svg(key, title, RECALLS, series, "recall", "precision")


def precisions(one: DetectorResult, found: DetectorComparison) -> list[float]:
    """Return the precision where each of `RECALLS` is reached first."""
    strange = np.sort(one.scores[found.anomalous])[::-1]
    shares = []
    for recall in RECALLS:
        bound = strange[max(1, int(np.ceil(recall * len(strange) - 1e-9))) - 1]
        hits, alarms = (strange >= bound).sum(), (one.scores[~found.anomalous] >= bound).sum()
        shares.append(float(hits / (hits + alarms)))
    return shares


def p_values_svg(found: DetectorComparison, key: str) -> tuple[str, Markup]:
    """Draw how many normal items and anomalies the best space flags, by the rate asked; return title and figure."""
    best = found.best
    p = best.p_values
    grid = [rate for rate in RATES if rate >= p.min()]
    series = [
        Series("anomalies", [float((p[found.anomalous] <= rate).mean()) for rate in grid]),
        Series("normal items", [float((p[~found.anomalous] <= rate).mean()) for rate in grid]),
        Series("as asked", grid),
    ]
    title = (
        f"{best.name}: with {percent(found.rate)} false alarms asked, {best.false_alarms:.1%} of the normal items and "
        f"{best.recall:.1%} of the anomalies are flagged"
    )
    return title, lines_svg(key, title, grid, series, "false alarms asked", "share flagged", logarithmic=True)
