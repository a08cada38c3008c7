"""A sound: the samples of one channel and their rate; and the libraries of sound, which are imported when needed."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import MissingLibraryError

#: The sample that stands for the number 1; the largest sample is one less.
FULL_SCALE = 32_768
#: Largest number of samples of a sound, of all its channels, before and after resampling: a small FLAC file can hold
#: hours of silence.
MAX_SAMPLES = 100_000_000
#: Sample rates of sounds, in Hz.
MIN_RATE, MAX_RATE = 1_000, 384_000


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound with one channel.

    Attributes
    ----------
    samples : ndarray int16 (n,)
    rate : int
        Samples in a second, from `MIN_RATE` to `MAX_RATE`.

    Examples
    --------
    >>> sound = Sound(np.zeros(4000, np.int16), 8000)
    >>> sound.seconds, sound.nbytes
    (0.5, 8000)
    """

    samples: NDArray[np.int16]
    rate: int

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.rate

    @property
    def nbytes(self) -> int:
        """Bytes of its samples."""
        return self.samples.nbytes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sound) and self.rate == other.rate and np.array_equal(self.samples, other.samples)

    def __hash__(self) -> int:
        return hash((self.rate, self.samples.tobytes()))


def sound_of(values: NDArray[Any], rate: int) -> Sound:
    """Return real numbers from -1 to 1 as a sound; louder ones are made quieter as a whole, so that none is cut off.

    Examples
    --------
    >>> sound_of(np.array([0.0, 0.5, -2.0]), 8000).samples.tolist()
    [0, 8192, -32768]
    """
    scaled = np.array(values, np.float64)  # changed in place: a long sound has 100 million samples
    loudest = max(float(scaled.max(initial=0.0)), -float(scaled.min(initial=0.0)))
    scaled *= FULL_SCALE / max(loudest, 1.0)
    np.minimum(np.rint(scaled, out=scaled), FULL_SCALE - 1, out=scaled)
    return Sound(scaled.astype(np.int16), rate)


def sound_library(name: str) -> Any:
    """Import a library of sound: ``soundfile``, ``soxr`` or ``librosa``.

    Raises
    ------
    MissingLibraryError
        When it is not installed.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:  # OSError: soundfile is there, but its libsndfile is not
        raise MissingLibraryError(
            f"the library {name} is not installed, which this needs: pip install {name}"
        ) from error
