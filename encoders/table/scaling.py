"""Robust scaling of numbers: median and interquartile range, after a signed logarithm where numbers are skewed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Numbers are skewed where their skewness is larger than this, and the logarithm makes it smaller.
_SKEWED = 2.0
#: Largest number of a code: the square of a float32 overflows above 1e19.
LARGEST = 1e15
#: Largest exponent whose power does not overflow.
_LARGEST_EXPONENT = 700.0
_MOST = float(np.finfo(np.float64).max)


class Scaling(NamedTuple):
    """How numbers become numbers of a code.

    Attributes
    ----------
    centre, spread : float
        Subtracted, then divided by.
    unit : float
        The logarithm is sign(x) log(1 + |x| / unit); 0: there is none.
    """

    centre: float
    spread: float
    unit: float

    def apply(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scaled numbers; NaN stays."""
        with np.errstate(over="ignore"):
            scaled = (signed_log(numbers, self.unit) - self.centre) / self.spread
        return np.clip(scaled, -LARGEST, LARGEST)

    def inverse(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the numbers of scaled ones."""
        with np.errstate(over="ignore"):
            numbers = scaled * self.spread + self.centre
            if self.unit:
                sizes = np.expm1(np.minimum(np.abs(numbers), _LARGEST_EXPONENT))
                numbers = np.sign(numbers) * sizes * self.unit
        return np.nan_to_num(numbers)


def rounded(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers with seven significant digits, which a float32 holds: 12.5, not 12.50000001.

    Examples
    --------
    >>> rounded(np.array([12.50000001, 123456789.0, 0.0])).tolist()
    [12.5, 123456800.0, 0.0]
    """
    with np.errstate(divide="ignore"):
        digits = 6 - np.floor(np.log10(np.abs(numbers)))
    digits = np.where(np.isfinite(digits), digits, 0)
    up, down = 10.0 ** np.clip(digits, 0, 300), 10.0 ** np.clip(-digits, 0, 300)
    return np.asarray(np.rint(numbers * up / down) / up * down)


def signed_log(numbers: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """Return sign(x) log(1 + |x| / unit); the numbers themselves where the unit is 0.

    Examples
    --------
    >>> signed_log(np.array([-1.0, 0.0, np.expm1(2.0)]), 1.0).round(3).tolist()
    [-0.693, 0.0, 2.0]
    """
    if not unit:
        return numbers
    with np.errstate(over="ignore"):
        sizes = np.minimum(np.abs(numbers) / unit, _MOST)
    return np.asarray(np.sign(numbers) * np.log1p(sizes))


def fitted_scaling(numbers: NDArray[np.float64], log: bool) -> Scaling:
    """Return the scaling of a column.

    Parameters
    ----------
    numbers : ndarray float64 (n,)
        At least one, all finite.
    log : bool
        Whether the logarithm may be taken: where numbers are skewed, and less so afterwards. Its unit is the first
        percentile of their sizes, so that another unit of the data changes no code.

    Examples
    --------
    >>> fitted_scaling(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), True)
    Scaling(centre=3.0, spread=2.0, unit=0.0)
    >>> fitted_scaling(np.array([7.0, 7.0]), True)
    Scaling(centre=7.0, spread=7.0, unit=0.0)
    """
    unit = _log_unit(numbers) if log else 0.0
    values = signed_log(numbers, unit)
    low, centre, high = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
    largest = float(np.abs(values).max())
    spread = high - low
    if not _is_spread(spread, largest):  # more than half of the numbers are equal
        spread = float((values / largest).std()) * largest if largest else 0.0
    if not _is_spread(spread, largest):  # all numbers are equal
        spread = abs(centre) or 1.0
    return Scaling(centre, min(spread, _MOST), unit)


def _is_spread(spread: float, largest: float) -> bool:
    """Return whether a spread is more than the rounding of the numbers."""
    return spread > 1e-12 * largest


def _log_unit(numbers: NDArray[np.float64]) -> float:
    before = abs(_skewness(numbers))
    if before <= _SKEWED:
        return 0.0
    sizes = np.abs(numbers[numbers != 0])
    unit = float(np.quantile(sizes, 0.01, method="lower"))
    after = abs(_skewness(signed_log(numbers, unit)))
    return unit if after < before else 0.0


def _skewness(numbers: NDArray[np.float64]) -> float:
    """Return the skewness of numbers; 0 where all are equal."""
    largest = float(np.abs(numbers).max())
    if not 0 < largest < np.inf:
        return 0.0
    centred = numbers / largest
    centred = centred - centred.mean()
    variance = float(np.square(centred).mean())
    return float((centred**3).mean()) / variance**1.5 if variance > 1e-24 else 0.0
