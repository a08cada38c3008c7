"""The strange items among items taken as normal, from their scores alone: those beyond a gap in the upper tail."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoders.errors import OptionError

Floats = NDArray[np.float64]
#: What asks for the strange items to be found, instead of a share of them.
ESTIMATE = "auto"
#: Fewer items show no gap that chance does not make.
FEWEST = 100
#: The largest probability that items are left out of data without strange ones.
LEVEL = 0.05
#: The largest share of items that can be beyond a gap.
LARGEST_SHARE = 0.25
#: Spacings below a gap that it is compared with: at least so many, and this share of the items.
_SPACINGS, _SPACINGS_SHARE = 20, 0.1
#: Larger scores, such as that of a text without any known word, count as this one: differences stay finite.
_LARGEST = 1e300


def require_enough(count: int) -> None:
    """Refuse to look for strange items among few.

    Raises
    ------
    OptionError
    """
    if count < FEWEST:
        raise OptionError(
            f"--contaminated cannot find strange items among {count:,} items, it needs {FEWEST}: give their share, as "
            "in --contaminated 5%, or leave it out (then too few items are flagged, not too many)"
        )


def has_gap(scores: ArrayLike) -> bool:
    """Return whether a gap separates the largest scores from the others, as far as that can be seen.

    Examples
    --------
    >>> scores = np.random.default_rng(0).gamma(2, size=500)
    >>> has_gap(scores), has_gap(np.append(scores, [90, 95, 99])), has_gap([1, 2, 99])
    (False, True, False)
    """
    try:
        return bool(strange_items(scores).any())
    except OptionError:  # too few, or most of them equal
        return False


def strange_items(scores: ArrayLike, level: float = LEVEL) -> NDArray[np.bool_]:
    r"""Return which scores are beyond a gap that the tail of normal scores does not explain.

    Let y(1) >= y(2) >= ... be the scores minus their median, and e(i) = i log(y(i) / y(i+1)). If the tail is that of a
    Pareto distribution, the e(i) are independent and exponential with one mean (Rényi 1953); if it is lighter, as of
    normal, gamma and log-normal scores, those of the largest scores are smaller. So e(j) divided by the mean of the
    next e(i) is too large by chance with a known probability at most. That probability may be a share of `level`; the
    shares of all gaps add up to 1, and that of gap j falls as j^-1.5. So of data without strange items, none is left
    out with probability 1 - `level`, and many hardly ever. The gap farthest below its share counts.

    Leaving normal items out of a calibration makes p-values too small, leaving strange ones in makes them too large:
    in doubt, items stay.

    Parameters
    ----------
    scores : array-like float (n,)
        Scores of items on which their detector was not fitted.
    level : float

    Returns
    -------
    ndarray bool (n,)
        At most a quarter is True.

    Raises
    ------
    OptionError
        When there are fewer than 100 scores, or so many equal ones that there is no tail.

    References
    ----------
    Rényi, On the theory of order statistics, Acta Mathematica Hungarica 4, 1953; Bhattacharya, Kallitsis & Stoev,
    Data-adaptive trimming of the Hill estimator and detection of outliers in the extremes of heavy-tailed data,
    Electronic Journal of Statistics 13(1), 2019, §4; Bashari, Sesia & Romano, Robust conformal outlier detection under
    contaminated reference data, ICML 2025 (why a calibration must not be trimmed by a guess).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> usual, strange = rng.gamma(2, size=950), rng.uniform(20, 30, size=50)
    >>> int(strange_items(usual).sum()), int(strange_items(np.append(usual, strange)).sum())
    (0, 50)
    """
    values = np.clip(np.asarray(scores, np.float64), -_LARGEST, _LARGEST)
    require_enough(len(values))
    order = np.argsort(-values, kind="stable")
    above = values[order] - np.median(values)
    tail = int((above > 0).sum())
    window = max(_SPACINGS, int(_SPACINGS_SHARE * len(values)))
    gaps = min(int(LARGEST_SHARE * len(values)), tail - 1 - window)
    if gaps < 1:
        raise OptionError(
            "--contaminated cannot find strange items, because most of the scores are equal: give their share, as in "
            "--contaminated 5%"
        )
    logs = np.log(above[:tail])
    spacings = np.arange(1, tail) * (logs[:-1] - logs[1:])
    sums = np.append(0.0, np.cumsum(spacings))
    below = sums[1 + window : 1 + window + gaps] - sums[1 : 1 + gaps]
    # the ratio of an exponential to a mean of others has the survival function (1 + ratio / window)^-window
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = -window * np.log1p(spacings[:gaps] / np.maximum(below, 0))
    log_p[spacings[:gaps] == 0] = 0.0
    weights = np.arange(1.0, gaps + 1) ** -1.5
    log_p -= np.log(level * weights / weights.sum())
    best = int(np.argmin(log_p))
    flagged = np.zeros(len(values), dtype=bool)
    if log_p[best] <= 0:
        flagged[order[: best + 1]] = True
    return flagged
