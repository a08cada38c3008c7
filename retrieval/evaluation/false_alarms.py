"""How sure a measured share of false alarms is: its interval, and whether it is more than was asked for."""

from __future__ import annotations

import math

from retrieval.evaluation.significance import Interval


def excess_p_value(alarms: int, n: int, n_calibration: int, rate: float) -> float:
    """Return how often at least this number of n normal items is flagged, if they are like the calibration items.

    The share of normal items that one set of calibration scores flags has a beta distribution, so their number has a
    beta-binomial one.

    References
    ----------
    Vovk, Conditional validity of inductive conformal predictors, ACML 2012, §3; Bates et al. 2023, §3.

    Examples
    --------
    >>> excess_p_value(2, 100, 199, 0.01) > 0.1, excess_p_value(20, 100, 199, 0.01) < 0.001
    (True, True)
    """
    from scipy.stats import betabinom

    flagging = int(rate * (n_calibration + 1) + 1e-9)
    return float(betabinom.sf(alarms - 1, n, flagging, n_calibration + 1 - flagging))


def wilson_interval(count: float, n: float) -> Interval:
    """Return the 95% interval of a share of which `count` of `n` were seen.

    References
    ----------
    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927.

    Examples
    --------
    >>> low, high = wilson_interval(5, 100)
    >>> round(low, 3), round(high, 3)
    (0.022, 0.112)
    """
    z = 1.959963984540054
    share = count / n
    centre, width = share + z**2 / (2 * n), z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = ((centre + sign * width) / (1 + z**2 / n) for sign in (-1, 1))
    return Interval(max(0.0, low), min(1.0, high))
