"""The mel scale of pitch, and bands that are equally wide in it.

References
----------
Slaney, Auditory Toolbox, version 2, Interval Research technical report 1998-010: linear below 1000 Hz, logarithmic
above, triangles of equal area.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Where the scale turns from linear to logarithmic, in Hz and in mel; and its steps.
_TURN_HZ, _TURN_MEL, _HZ_OF_MEL, _LOG_STEP = 1000.0, 15.0, 200 / 3, np.log(6.4) / 27


def mel_of_hz(hz: Any) -> NDArray[np.float64]:
    """Return pitches in mel.

    Examples
    --------
    >>> mel_of_hz([0, 500, 1000, 6400]).round(3).tolist()
    [0.0, 7.5, 15.0, 42.0]
    """
    hz = np.asarray(hz, np.float64)
    above = _TURN_MEL + np.log(np.maximum(hz, _TURN_HZ) / _TURN_HZ) / _LOG_STEP
    return np.asarray(np.where(hz < _TURN_HZ, hz / _HZ_OF_MEL, above))


def hz_of_mel(mel: Any) -> NDArray[np.float64]:
    """Return frequencies in Hz: the inverse of `mel_of_hz`."""
    mel = np.asarray(mel, np.float64)
    above = _TURN_HZ * np.exp((mel - _TURN_MEL) * _LOG_STEP)
    return np.asarray(np.where(mel < _TURN_MEL, mel * _HZ_OF_MEL, above))


def mel_filters(rate: int, n_fft: int, n_mels: int) -> NDArray[np.float32]:
    """Return triangular bands from 0 Hz to half the sample rate, lowest first.

    Parameters
    ----------
    rate : int
        Samples in a second.
    n_fft : int
        Length of the Fourier transform.
    n_mels : int

    Returns
    -------
    ndarray float32 (n_mels, n_fft // 2 + 1)
        The weight of each frequency in each band; the area of each band is 1, in Hz.

    Examples
    --------
    >>> mel_filters(8000, 256, 40).shape
    (40, 129)
    """
    edges = hz_of_mel(np.linspace(0, mel_of_hz(rate / 2), n_mels + 2))[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    frequencies = np.fft.rfftfreq(n_fft, 1 / rate)
    triangles = np.minimum((frequencies - low) / (middle - low), (high - frequencies) / (high - middle))
    return np.asarray(np.maximum(triangles, 0) * (2 / (high - low)), dtype=np.float32)
