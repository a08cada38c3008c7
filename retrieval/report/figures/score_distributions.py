"""The scores of several groups of items in one figure: which share of each group has a larger score."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from retrieval.report.figures.markup import Markup
from retrieval.report.figures.plots import Series, lines_svg

Floats = NDArray[np.float64]
#: Scores at which the shares are drawn.
POINTS = 33
#: A ratio of the largest to the smallest score from which the axis is logarithmic.
_WIDE = 20.0
#: The share of each group that may be beyond the end of the axis.
_BEYOND = 0.01


def distributions_svg(
    key: str, title: str, groups: Mapping[str, Floats], threshold: float, log_allowed: bool = True
) -> Markup:
    """Draw the share of each group with a larger score, by the score; the threshold is marked.

    Parameters
    ----------
    key, title : str
    groups : mapping of str to ndarray float64 (n,)
        At least one; those without scores are left out.
    threshold : float
        Above it, items are flagged; not marked if it is infinite.
    log_allowed : bool
        Whether the axis may be logarithmic, where all scores are above 0 and differ much.
    """
    drawn = {name: np.asarray(scores) for name, scores in groups.items() if len(scores)}
    across, logarithmic = positions(list(drawn.values()), threshold, log_allowed)
    series = [Series(name, shares_above(scores, across)) for name, scores in drawn.items()]
    mark = threshold if math.isfinite(threshold) else None
    return lines_svg(
        key, title, across, series, "score" + (" (logarithmic)" if logarithmic else ""),
        "share of items with a larger score", mark=mark, logarithmic=logarithmic, dots=False,
    )  # fmt: skip


def shares_above(scores: Floats, across: list[float]) -> list[float]:
    """Return the share of scores that are larger than each position.

    Examples
    --------
    >>> shares_above(np.array([1.0, 2.0, 3.0, 4.0]), [0.0, 2.0, 4.0])
    [1.0, 0.5, 0.0]
    """
    ordered = np.sort(scores)
    above = len(ordered) - np.searchsorted(ordered, across, side="right")
    shares: list[float] = (above / len(ordered)).tolist()
    return shares


def positions(groups: list[Floats], threshold: float, log_allowed: bool = True) -> tuple[list[float], bool]:
    """Return the scores at which shares are drawn, ascending with the threshold among them, and if by logarithm."""
    low = min(float(np.quantile(scores, 0.001)) for scores in groups)
    high = max(float(np.quantile(scores, 1 - _BEYOND)) for scores in groups)
    if math.isfinite(threshold):
        low, high = min(low, threshold), max(high, threshold)
    high = min(high, 1e300)  # a text without any known word is beyond all
    if not high > low:
        high = low + (abs(low) or 1.0)
    logarithmic = log_allowed and low > 0 and high / low > _WIDE
    spaced = np.geomspace(low, high, POINTS) if logarithmic else np.linspace(low, high, POINTS)
    marked = [threshold] if math.isfinite(threshold) else []
    return sorted(
        {float(f"{value:.6g}") if value != threshold else value for value in [*spaced.tolist(), *marked]}
    ), logarithmic
