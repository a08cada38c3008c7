"""Which of several detectors differ, all pairs compared, as letters; and how small a difference the test can find."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from statistics import NormalDist

from retrieval.evaluation.detection_measures import Measured, differences
from retrieval.evaluation.letter_display import letter_display

#: The share of false differences, and how often a difference of the size said is found.
LEVEL, POWER = 0.05, 0.8


def detector_letters(results: Mapping[str, Measured]) -> dict[str, str]:
    """Return letters: two detectors that share one do not differ by paired bootstrap, Holm over all pairs.

    Parameters
    ----------
    results : mapping of str to Measured
        A measure of each, on the same bootstrap samples.

    References
    ----------
    Piepho, An algorithm for a letter-based representation of all-pairwise comparisons, Journal of Computational and
    Graphical Statistics 13, 2004.
    """
    order = sorted(results, key=lambda name: -results[name].value)
    pairs = list(combinations(order, 2))
    pair_differences = differences([(results[first], results[second]) for first, second in pairs]) if pairs else []
    different = [pair for pair, one in zip(pairs, pair_differences, strict=True) if one.found]
    return letter_display(order, different)


def detectable_difference(first: Measured, second: Measured, pairs: int = 1) -> float:
    """Return the difference that is found four times in five, with as many items and pairs as there are.

    It is (z of 1 - 0.025 / pairs + z of 0.8) standard errors of the paired bootstrap.

    References
    ----------
    Cohen, Statistical power analysis for the behavioral sciences, 2nd edition, 1988, §2.4.

    Examples
    --------
    >>> import numpy as np
    >>> from retrieval.evaluation.significance import Interval
    >>> drawn = np.random.default_rng(0).normal(0, 0.01, 2000)
    >>> one, other = (Measured(0.9, Interval(0.8, 1.0), values) for values in (drawn, np.zeros(2000)))
    >>> round(detectable_difference(one, other), 3)
    0.028
    """
    critical = NormalDist().inv_cdf(1 - LEVEL / 2 / max(1, pairs)) + NormalDist().inv_cdf(POWER)
    return float(critical * (first.samples - second.samples).std(ddof=1))
