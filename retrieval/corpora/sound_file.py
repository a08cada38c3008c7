"""Reading a sound file: its header, and its samples, mixed to one channel."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.errors import CorpusError, NearbyError, one_line
from encoders.plain_file import read_plain
from encoders.sound import MAX_RATE, MAX_SAMPLES, MIN_RATE, Sound, sound_library, sound_of
from retrieval.corpora.folder_files import MAX_FILE_BYTES

#: The formats that are read, as libsndfile names them, with the endings of their files.
FORMATS: dict[str, tuple[str, ...]] = {
    "WAV": (".wav", ".wave"),
    "WAVEX": (".wav", ".wave"),
    "RF64": (".wav", ".wave", ".rf64"),
    "FLAC": (".flac",),
}
SUFFIXES = tuple(sorted({suffix for suffixes in FORMATS.values() for suffix in suffixes}))
#: Endings of sounds in other formats.
OTHER_SUFFIXES = (".aac", ".aif", ".aiff", ".amr", ".au", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".sph", ".wma")
#: Samples that are decoded at once.
_BLOCK = 2**18
#: Sizes from here on mean "not known" in the header of a WAV file that was written to a pipe.
_UNKNOWN_SIZE = 0x7FFFF000


class SoundHeader(NamedTuple):
    """The header of a sound file: samples in a second, and channels."""

    rate: int
    channels: int


class Recording(NamedTuple):
    """A decoded sound file: float32 (n,), the mean of its channels, as loud as in the file."""

    values: NDArray[np.float32]
    rate: int
    channels: int

    def at(self, rate: int | None) -> Sound:
        """Return the recording as a sound of 16 bits, resampled to another rate if one is given.

        Raises
        ------
        CorpusError
            When it is silent, or would have more than `MAX_SAMPLES` samples.
        """
        rate = self.rate if rate is None else rate
        values: Any = self.values
        if rate != self.rate:
            if len(values) * (rate / self.rate) > MAX_SAMPLES:
                raise CorpusError(f"has more than the {MAX_SAMPLES:,} samples that are read, at {rate:,} Hz")
            values = sound_library("soxr").resample(values, self.rate, rate)
        sound = sound_of(values, rate)
        if not sound.samples.any():
            raise CorpusError("is silent")
        return sound


def read_header(stream: IO[bytes]) -> SoundHeader:
    """Read the header of a sound file; its samples are not decoded.

    Raises
    ------
    CorpusError
        When it is not a WAV or FLAC file, is damaged, or has a rate out of range.
    """
    with _opened(stream) as file:
        return SoundHeader(file.samplerate, file.channels)


def decode(raw: bytes) -> Recording:
    """Decode a sound file completely.

    Raises
    ------
    CorpusError
        When it is not a WAV or FLAC file, is cut off or damaged, is empty, is longer than `MAX_SAMPLES`, or holds NaN
        or infinite values.
    """
    with _opened(io.BytesIO(raw)) as file:
        rows, parts, length = max(1, _BLOCK // file.channels), [], 0
        while len(block := file.read(rows, dtype="float32", always_2d=True)):
            length += len(block)
            if length * file.channels > MAX_SAMPLES:
                raise CorpusError(f"has more than the {MAX_SAMPLES:,} samples that are read")
            parts.append(block.mean(axis=1, dtype=np.float32))
        if _is_cut_off(raw) or length < file.frames < MAX_SAMPLES:
            raise CorpusError("is cut off: it ends before the length that its header states")
        if not length:
            raise CorpusError("is empty: it lasts 0 seconds")
        values = np.concatenate(parts)
        if not np.isfinite(values).all():
            raise CorpusError("holds NaN or infinite values")
        return Recording(values, file.samplerate, file.channels)


def read_sound(path: Path, rate: int | None = None) -> Sound:
    """Read one sound file, resampled to `rate` if it is given.

    Raises
    ------
    CorpusError
        Naming the file, when it is missing, truncated, silent, too long or no sound.
    """
    try:
        return decode(read_plain(path, MAX_FILE_BYTES)).at(rate)
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}") from error
    except CorpusError as error:
        raise CorpusError(f"{path} {error}") from error


@contextmanager
def _opened(stream: IO[bytes]) -> Iterator[Any]:
    soundfile = sound_library("soundfile")
    try:
        with soundfile.SoundFile(stream) as file:
            if file.format not in FORMATS:
                raise CorpusError(f"is not a WAV or FLAC file, but {file.format_info}")
            if not MIN_RATE <= file.samplerate <= MAX_RATE:
                raise CorpusError(f"has {file.samplerate:,} samples in a second; {MIN_RATE:,} to {MAX_RATE:,} are read")
            yield file
    except NearbyError:
        raise
    except soundfile.SoundFileError as error:
        reason = one_line(getattr(error, "error_string", error)).rstrip(".")
        raise CorpusError(f"is damaged, or no WAV or FLAC file: {reason}") from error
    except (
        ValueError,
        TypeError,
        RuntimeError,
        OverflowError,
    ) as error:  # libsndfile's reader raises them for an impossible header
        raise CorpusError(f"is damaged: {one_line(error)}") from error


def _is_cut_off(raw: bytes) -> bool:
    r"""Return whether a WAV file ends before its samples do, which libsndfile does not mind.

    Examples
    --------
    >>> _is_cut_off(b"RIFF\x2c\0\0\0WAVEdata\x08\0\0\0\1\0\2\0"), _is_cut_off(b"fLaC")
    (True, False)
    """
    if raw[:4] not in (b"RIFF", b"RF64") or raw[8:12] != b"WAVE":
        return False
    at, long_size = 12, None
    while at + 8 <= len(raw):
        size = int.from_bytes(raw[at + 4 : at + 8], "little")
        if raw[at : at + 4] == b"ds64":  # sizes of 64 bits: of the file, and of the samples
            long_size = int.from_bytes(raw[at + 16 : at + 24], "little")
        if raw[at : at + 4] == b"data":
            if size < _UNKNOWN_SIZE:
                return at + 8 + size > len(raw)
            return long_size is not None and at + 8 + long_size > len(raw)
        at += 8 + size + size % 2
    return False
