"""The share of strange items among items taken as normal, from their scores alone: the adjusted boxplot."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoders.errors import OptionError

Floats = NDArray[np.float64]
#: What asks for the share to be estimated, instead of a share.
ESTIMATE = "auto"
#: Scores between which the skewness is computed: it takes the square of their number.
_PAIRED = 1001
#: Larger scores, such as that of a text without any known word, count as this one: differences stay finite.
_LARGEST = 1e300


def estimated_share(scores: ArrayLike) -> float:
    """Return the share of scores beyond the upper fence of the adjusted boxplot.

    The fence is the third quartile plus 1.5 exp(3 M) interquartile ranges (4 M where M < 0), where M is the medcouple,
    a robust skewness. About 0.4 % of the scores of clean data are beyond it, more where the tail is long. Quartiles
    hide strange items if they are many: from about 10 % on, the estimate may be too small.

    Parameters
    ----------
    scores : array-like float (n,)

    Raises
    ------
    OptionError
        When half of the scores are equal.

    References
    ----------
    Hubert & Vandervieren, An adjusted boxplot for skewed distributions, Computational Statistics & Data Analysis
    52(12), 2008, §3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> scores = np.append(rng.gamma(2, size=950), rng.uniform(20, 30, size=50))
    >>> round(estimated_share(scores), 2)
    0.05
    """
    values = np.clip(np.asarray(scores, np.float64), -_LARGEST, _LARGEST)
    low, high = np.quantile(values, [0.25, 0.75])
    if not high > low:
        raise OptionError(
            "--contaminated cannot estimate the share of strange items, because half of the scores are equal: give the "
            "share, as in --contaminated 5%"
        )
    skewness = medcouple(values)
    fence = high + 1.5 * np.exp((3 if skewness >= 0 else 4) * skewness) * (high - low)
    return float((values > fence).mean())


def medcouple(values: ArrayLike) -> float:
    """Return the medcouple, a skewness from -1 to 1 that a quarter of strange values cannot move to its bounds.

    Of more than 1,001 values, as many quantiles stand for all. Values equal to the median are paired as symmetric.

    References
    ----------
    Brys, Hubert & Struyf, A robust measure of skewness, Journal of Computational and Graphical Statistics 13(4), 2004.

    Examples
    --------
    >>> medcouple([1.0, 2.0, 3.0]), medcouple([1.0, 2.0, 3.0, 5.0, 9.0]) > 0
    (0.0, True)
    """
    ordered = np.sort(np.asarray(values, np.float64))
    if len(ordered) > _PAIRED:
        ordered = np.quantile(ordered, np.linspace(0, 1, _PAIRED), method="nearest")
    middle = float(np.median(ordered))
    above, below = ordered[ordered >= middle, None], ordered[None, ordered <= middle]
    apart = above - below
    sides = (above - middle) - (middle - below)
    return float(np.median(np.divide(sides, apart, out=np.zeros_like(apart), where=apart > 0)))
