"""Sounds inside a page: FLAC in a data address, short."""

from __future__ import annotations

import base64
import io

from encoders.sound import Sound, sound_library

#: The longest part of a sound in the page, in seconds, and its largest sample rate, in Hz: both keep the page small.
MAX_SECONDS, _PAGE_RATE = 3.0, 16_000


def sound_uri(sound: Sound, limit: float = MAX_SECONDS) -> str:
    """Return the beginning of a sound as ``data:audio/flac;base64,...``.

    Parameters
    ----------
    sound : Sound
        Resampled to 16 kHz if its rate is higher.
    limit : float
        The longest part in seconds.

    Raises
    ------
    MissingLibraryError
        When soundfile or soxr is not installed.
    """
    samples, rate = sound.samples[: max(1, int(limit * sound.rate))], sound.rate
    if rate > _PAGE_RATE:
        samples, rate = sound_library("soxr").resample(samples, rate, _PAGE_RATE), _PAGE_RATE
    stream = io.BytesIO()
    sound_library("soundfile").write(stream, samples, rate, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
