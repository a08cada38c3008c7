"""How much pictures, sounds or vectors have lost: squared error, signal-to-noise ratio, structural similarity."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: The window of the structural similarity: standard deviation, and radius in pixels.
_SIGMA, _RADIUS = 1.5, 5
_C1, _C2 = 0.01**2, 0.03**2


class Quality(NamedTuple):
    """Means over pictures.

    Attributes
    ----------
    error : float
        Squared error of a picture, summed over its values, which go from 0 to 1.
    psnr : float
        Peak signal-to-noise ratio of all pictures together, in dB.
    ssim : float
        Structural similarity, 1 for equal pictures.
    """

    error: float
    psnr: float
    ssim: float


def quality(originals: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> Quality:
    """Compare pictures (n, height, width[, channels]) with decoded ones."""
    first, second = originals.astype(np.float64) / 255, decoded.astype(np.float64) / 255
    error = float(squared_error(first, second).mean())
    return Quality(error, psnr(error / first[0].size), float(structural_similarity(first, second).mean()))


def squared_error(items: NDArray[Any], others: NDArray[Any]) -> NDArray[np.float64]:
    """Return the squared error of each item (n,), summed over its values.

    Examples
    --------
    >>> squared_error(np.array([[0.0, 1.0]]), np.array([[1.0, 3.0]])).tolist()
    [5.0]
    """
    squares = np.square(np.asarray(items, np.float64) - others)
    error: NDArray[np.float64] = squares.reshape(len(squares), -1).sum(axis=1)
    return error


def psnr(mean_squared_error: float) -> float:
    """Return the peak signal-to-noise ratio in decibels, for values from 0 to 1; infinite without an error.

    Examples
    --------
    >>> psnr(0.01), psnr(0)
    (20.0, inf)
    """
    return math.inf if mean_squared_error == 0 else -10 * math.log10(mean_squared_error)


def structural_similarity(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the structural similarity of each pair of pictures (n,), with values from 0 to 1.

    The mean over all places at which the Gaussian window of 11x11 pixels lies inside the picture, and over channels; in
    pictures smaller than the window, over all pixels.

    Parameters
    ----------
    first, second : ndarray (n, height, width[, channels])

    Examples
    --------
    >>> picture = np.random.default_rng(0).random((1, 16, 16))
    >>> structural_similarity(picture, picture).tolist(), bool(structural_similarity(picture, 1 - picture)[0] < 0)
    ([1.0], True)

    References
    ----------
    .. [1] Wang, Bovik, Sheikh & Simoncelli, Image quality assessment: from error visibility to structural similarity,
       IEEE Transactions on Image Processing 13(4), 2004.
    """
    from scipy.ndimage import gaussian_filter

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sigmas = (0, _SIGMA, _SIGMA, *(0 for _ in values.shape[3:]))
        smoothed: NDArray[np.float64] = gaussian_filter(values, sigmas, truncate=_RADIUS / _SIGMA)
        return smoothed

    mean1, mean2 = smooth(first), smooth(second)
    variance1, variance2 = smooth(first * first) - mean1**2, smooth(second * second) - mean2**2
    covariance = smooth(first * second) - mean1 * mean2
    above = (2 * mean1 * mean2 + _C1) * (2 * covariance + _C2)
    below = (mean1**2 + mean2**2 + _C1) * (variance1 + variance2 + _C2)
    similarity = above / below
    if min(first.shape[1:3]) > 2 * _RADIUS:
        similarity = similarity[:, _RADIUS:-_RADIUS, _RADIUS:-_RADIUS]
    means: NDArray[np.float64] = similarity.reshape(len(first), -1).mean(axis=1)
    return means
