"""Conformal p-values from the scores of held-out normal items, and the rules that flag items by them.

If an item is normal, its score and those of the held-out items are exchangeable: each rank of it among them is equally
likely. So the share of normal items that are flagged is known in advance, whatever the score and the data.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoders.errors import BadItemError, OptionError

#: Scores whose relative difference is below this are equal: what float32 products lose to rounding.
SAME = 1e-5

Floats = NDArray[np.float64]


def p_values(
    calibration: ArrayLike, scores: ArrayLike, ties: str = "conservative", seed: int = 0, distinct: int | None = None
) -> Floats:
    """Return the conformal p-value of each score: (1 + number of calibration scores >= it) / (n + 1).

    Parameters
    ----------
    calibration : array-like float (n,)
        Scores of normal items that no part of the detector was fitted on; larger is stranger.
    scores : array-like float (m,)
    ties : str
        ``conservative`` counts an equal calibration score as larger: P(p <= t) <= t for a normal item. ``random``
        counts a random share of the equal ones: P(p <= t) = t exactly, also where many scores are equal.
    seed : int
        Of random ties.
    distinct : int, optional
        Number of different items among those of the calibration; by default, n. Repeats say nothing new: the new item
        then counts as one of `distinct`, as if each of these had been repeated equally often.

    Returns
    -------
    ndarray float64 (m,)
        From 1 / (distinct + 1) to 1.

    Raises
    ------
    BadItemError
        When there is no calibration score, or a score is not a number.
    OptionError
        For another way to treat ties.

    References
    ----------
    Bates, Candès, Lei, Romano & Sesia, Testing for outliers with conformal p-values, Annals of Statistics 51(1), 2023,
    equation 2; Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World, 2005, §2.2 (random ties).

    Examples
    --------
    >>> p_values([1.0, 2.0, 3.0, 4.0], [0.0, 3.0, 9.0]).tolist()
    [1.0, 0.6, 0.2]
    >>> p_values([1.0, 1.0, 2.0, 2.0], [1.5, 9.0], distinct=2).round(3).tolist()
    [0.667, 0.333]
    """
    known, asked = np.sort(_numbers(calibration)), _numbers(scores)
    if not len(known):
        raise BadItemError("a p-value needs the scores of held-out normal items, and there are none")
    # the score of an item differs by rounding between batches of different size: nearly equal scores are equal
    at_least = len(known) - np.searchsorted(known, asked - SAME * np.abs(asked), side="left")
    if ties == "conservative":
        return _shares(at_least, len(known), distinct)
    if ties != "random":
        raise OptionError(f"ties are counted as 'conservative' or 'random'; got '{ties}'")
    above = len(known) - np.searchsorted(known, asked + SAME * np.abs(asked), side="right")
    share = 1 - np.random.default_rng(seed).random(len(asked))  # above 0: no p-value is 0
    repeated = len(known) / (distinct or len(known))
    return _shares(above + share * (repeated + at_least - above) - repeated, len(known), distinct)


def _shares(at_least: NDArray[Any], count: int, distinct: int | None) -> Floats:
    different = distinct or count
    return np.asarray((1 + at_least * different / count) / (different + 1), dtype=np.float64)


def threshold(calibration: ArrayLike, rate: float, distinct: int | None = None) -> float:
    """Return the score above which a p-value is at most `rate`; infinite if no p-value can be.

    Parameters
    ----------
    calibration : array-like float (n,)
    rate : float
    distinct : int, optional
        See `p_values`.

    Examples
    --------
    >>> threshold([1.0, 2.0, 3.0, 4.0], 0.4), threshold([1.0, 2.0], 0.2)
    (3.0, inf)
    """
    known = np.sort(_numbers(calibration))[::-1]
    different = distinct or len(known)
    allowed = math.floor((rate * (different + 1) - 1) * len(known) / different + 1e-9)
    if allowed < 0:
        return math.inf
    return float(known[allowed]) if allowed < len(known) else -math.inf


def benjamini_hochberg(p: ArrayLike, rate: float) -> NDArray[np.bool_]:
    """Return which items of a batch are flagged; at most a share `rate` of those is expected to be normal.

    Parameters
    ----------
    p : array-like float (m,)
        Conformal p-values, all from the same calibration scores.
    rate : float
        The false discovery rate, from 0 to 1.

    References
    ----------
    Benjamini & Hochberg, Controlling the false discovery rate, JRSS B 57(1), 1995; Bates et al. 2023, theorem 2: it
    holds for conformal p-values too, although they depend on each other.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.02, 0.03, 0.5], 0.05).tolist()
    [True, True, True, False]
    """
    values = _numbers(p)
    if not len(values):
        return np.zeros(0, dtype=bool)
    ordered = np.sort(values)
    # p and rate are rounded: k / (n + 1) may be a little above the exact product that it equals
    passed = np.flatnonzero(ordered <= rate * np.arange(1, len(values) + 1) / len(values) * (1 + 1e-12))
    return values <= ordered[passed[-1]] if len(passed) else np.zeros(len(values), dtype=bool)


def smallest_p_value(count: int) -> float:
    """Return the p-value of an item that is stranger than all of `count` held-out items.

    Examples
    --------
    >>> smallest_p_value(99)
    0.01
    """
    return 1 / (count + 1)


def needed_items(rate: float) -> int:
    """Return the number of held-out normal items from which a p-value can be as small as `rate`.

    Examples
    --------
    >>> needed_items(0.01), needed_items(0.05), needed_items(0.03)
    (99, 19, 33)
    """
    if not rate > 1e-9:
        raise OptionError(f"a rate of {rate:g} is too small: no number of held-out items is enough for it")
    exact = Fraction(rate).limit_denominator(10**9)  # 0.01 is a little more than 1/100 as a float
    return math.ceil(1 / exact) - 1


def require_calibration(count: int, rate: float, what: str) -> None:
    """Raise an error if `count` held-out items are too few for a rate.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> require_calibration(50, 0.01, "--false-alarms")
    Traceback (most recent call last):
    encoders.errors.OptionError: --false-alarms 1% needs at least 99 held-out normal items, and this detector has 50: fit it with more items or a larger --hold-out, or ask for 2% or more
    """  # noqa: E501
    if count < needed_items(rate):
        raise OptionError(
            f"{what} {percent(rate)} needs at least {needed_items(rate):,} held-out normal items, and this detector "
            f"has {count:,}: fit it with more items or a larger --hold-out, or ask for "
            f"{percent(possible_rate(count))} or more"
        )


def possible_rate(count: int) -> float:
    """Return the smallest rate, in tenths of a percent, for which `count` held-out items suffice.

    Examples
    --------
    >>> possible_rate(71)
    0.014
    """
    return math.ceil(1000 / (count + 1)) / 1000


def percent(share: float) -> str:
    """Return a share as a percentage.

    Examples
    --------
    >>> percent(0.01), percent(0.125), percent(0.0005)
    ('1%', '12.5%', '0.05%')
    """
    return f"{100 * share:.4g}%"


def _numbers(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if np.isnan(array).any():
        raise BadItemError(f"score {int(np.isnan(array).argmax())} is not a number, so it has no rank")
    return array
