"""Sounds as pictures: the spectrogram of an item, beside which it may be played."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from encoders.registry import create
from encoders.sound import Sound
from retrieval.search.result import Shown

#: A frame stands for this time, in seconds; a long sound has fewer, up to `_MAX_FRAMES`.
_FRAME, _MIN_FRAMES, _MAX_FRAMES = 0.01, 8, 256
#: Sample rate from which a window of 25 ms tells the bands apart.
_FULL_RATE = 8_000


def picture_shown(shown: Shown) -> NDArray[np.uint8] | None:
    """Return the picture that stands for an item: its own, or its spectrogram; None for texts and vectors."""
    return spectrogram(shown.sound) if shown.sound is not None else shown.picture


def spectrogram(sound: Sound) -> NDArray[np.uint8]:
    """Return the log-mel spectrogram of a sound, uint8 (40, frames): high bands on top, loud values white.

    Examples
    --------
    >>> spectrogram(Sound(np.ones(8000, np.int16), 8000)).shape
    (40, 100)
    """
    frames = int(np.clip(round(sound.seconds / _FRAME), _MIN_FRAMES, _MAX_FRAMES))
    window = 25 * max(1.0, _FULL_RATE / sound.rate)
    encoder = create(f"log-mel:40,length=stretch,frames={frames},window={window:g}").fit([sound])
    levels = encoder.encode([sound])[0].reshape(encoder.space.shape or ())
    return np.asarray(np.rint(levels * 255), dtype=np.uint8)
