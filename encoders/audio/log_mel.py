"""Log-mel spectrograms of sounds as vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.audio.mel_filters import mel_filters
from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Modality, Space, whole_number
from encoders.errors import BadItemError, DimensionError, NotInvertibleError, OptionError
from encoders.options import option
from encoders.progress import say
from encoders.sound import FULL_SCALE, MAX_RATE, MAX_SAMPLES, MIN_RATE, Sound, sound_library, sound_of

#: Samples of windows that are transformed at once.
_BLOCK = 2**21
#: Share of the sounds that keep their whole length where the number of frames is chosen by nearby.
_WHOLE = 0.95
#: Largest number of frames that nearby chooses; it is a multiple of `_MULTIPLE`, so that networks can halve it.
_MAX_FRAMES, _MULTIPLE = 1024, 8
#: Iterations of Griffin and Lim.
_ITERATIONS = 60
#: Largest number of samples of a decoded sound: 95 s at 44,100 Hz. The length of a code is what its file says.
MAX_DECODED = 2**22
#: Peak of a decoded sound, as a share of the largest sample.
_PEAK = 0.9


@dataclass
class LogMel(Encoder):
    """The log-mel spectrogram of a sound: how loud each band of pitch is at each time.

    Use it when your items are sounds: put it before every encoder of vectors, as `pixels` for pictures.

    A spectrogram is a picture: a row is a band, the highest first, a column is a frame in time. Values go from 0
    (`floor` dB below the loudest value of the sound, or quieter) to 1 (the loudest), so the volume of a recording does
    not matter. All spectrograms have `frames` columns. With ``length=pad``, a frame is taken every `hop` ms; a shorter
    sound is followed by silence, and a longer one loses its end: one line on standard error says how many do. With
    ``length=stretch``, the frames are spread evenly over each sound: nothing is lost but the length. That suits spoken
    words; sounds of many seconds need more `frames`, or ``length=pad``.

    All sounds must have the sample rate of the first sound of the fit. A code is decoded by the algorithm of Griffin
    and Lim, which finds phases that fit the spectrogram; only that needs the library librosa.

    Examples
    --------
    >>> sound = Sound((8000 * np.sin(np.arange(4000) / 4)).astype(np.int16), 8000)
    >>> encoder = LogMel(n_mels=20, frames=16).fit([sound])
    >>> encoder.space.shape, encoder.encode([sound]).max()
    ((20, 16), np.float32(1.0))

    References
    ----------
    Davis & Mermelstein, Comparison of parametric representations for monosyllabic word recognition, IEEE TASSP 28(4),
    1980 (mel bands). Griffin & Lim, Signal estimation from modified short-time Fourier transform, IEEE TASSP 32(2),
    1984 (decoding).
    """

    name: ClassVar[str] = "log-mel"
    reads: ClassVar[Modality] = Modality.SOUND
    n_mels: int = option(40, "Number of bands of pitch.", ge=2, le=512)
    frames: int | None = option(
        None,
        "Number of frames in time; none: with pad, as many as 95 of 100 sounds need, with stretch 64.",
        ge=2,
        le=10_000,
    )
    length: str = option(
        "stretch", "How sounds of several lengths get the same number of frames.", choices=("pad", "stretch")
    )
    window: float = option(25.0, "Length of the window of a frame, in ms.", ge=2, le=500)
    hop: float = option(10.0, "Time from one frame to the next, in ms.", ge=0.5, le=500)
    floor: float = option(80.0, "Values that are this many dB below the loudest become 0.", ge=10, le=200)
    pool: str = option(
        "none", "With mean, the code is the mean of all frames of the whole sound.", choices=("none", "mean")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        #: Samples in a second of the sounds of the fit.
        self.rate: int | None = None

    # -- fitting -----------------------------------------------------------------------------------------------

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        self.rate = None
        lengths = []
        for batch in batches:
            for sound in batch.items:
                if self.rate is None:
                    self.rate = sound.rate
                self._require_rate(sound)
                lengths.append(len(sound.samples))
        if self.rate is None:
            raise BadItemError("there is nothing to fit on: the corpus holds no sounds")
        self._prepare(int(np.median(lengths)))
        if self.pool == "mean":
            return Space(self.n_mels, Kind.DENSE, Metric.EUCLIDEAN)
        shape = self.n_mels, self._chosen_frames(lengths)
        return Space(shape[0] * shape[1], Kind.DENSE, Metric.EUCLIDEAN, shape)

    def _chosen_frames(self, lengths: list[int]) -> int:
        if self.length == "stretch":
            return 64 if self.frames is None else self.frames
        needed = 1 + np.array(lengths) // self._hop
        frames = self.frames
        if frames is None:
            wanted = int(np.quantile(needed, _WHOLE, method="higher"))
            frames = min(_MAX_FRAMES, -(-wanted // _MULTIPLE) * _MULTIPLE)
        cut = int(np.count_nonzero(needed > frames))
        if cut:
            limit, longest = frames * self._hop / self._rate, max(lengths) / self._rate
            say(
                f"{self.name}: {cut:,} of {len(lengths):,} sounds are longer than {limit:.2f} s and lose their end "
                f"(the longest lasts {longest:.2f} s); frames= changes it"
            )
        return frames

    def _prepare(self, length: int) -> None:
        """Keep the length of a typical sound, in samples, and make what encoding needs."""
        rate = self._rate
        self._length = length
        self._hop = max(1, round(self.hop * rate / 1000))
        self._size = max(2, round(self.window * rate / 1000))
        n_fft = 1 << (self._size - 1).bit_length()
        filters = mel_filters(rate, n_fft, self.n_mels)
        if not filters.any(axis=1).all():
            raise OptionError(
                f"{self.name}: {self.n_mels} bands are more than a window of {self.window:g} ms tells apart at "
                f"{rate:,} Hz: give fewer n-mels, or a longer window"
            )
        self._bands = csr_array(filters)  # summed in the order of the entries: the same alone and in any batch
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self._size) / self._size)
        before = (n_fft - self._size) // 2
        self._window = np.pad(hann, (before, n_fft - self._size - before)).astype(np.float32)

    @property
    def _rate(self) -> int:
        assert self.rate is not None  # noqa: S101  # it is fitted
        return self.rate

    def _require_rate(self, sound: Sound) -> None:
        if sound.rate != self.rate:
            raise DimensionError(
                f"this space consists of sounds of {self.rate:,} Hz, got one of {sound.rate:,} Hz; "
                f"read the corpus with ?rate={self.rate}"
            )

    # -- encoding ----------------------------------------------------------------------------------------------

    def _encode(self, items: Any) -> Codes:
        codes = np.empty((len(items), self.space.dim), dtype=np.float32)
        for row, sound in enumerate(items):
            self._require_rate(sound)
            codes[row] = self._pooled(sound) if self.pool == "mean" else self._picture(sound).reshape(-1)
        return codes

    def _picture(self, sound: Sound) -> NDArray[np.float32]:
        """Return the spectrogram of a sound, float32 (n_mels, frames)."""
        n, frames = len(sound.samples), self._shape[1]
        if self.length == "stretch":
            return self._levels(sound, np.rint(np.linspace(0, max(0, n - 1), frames)).astype(np.int64))
        centres = np.arange(min(frames, 1 + n // self._hop)) * self._hop
        picture = np.zeros(self._shape, np.float32)
        picture[:, : len(centres)] = self._levels(sound, centres)
        return picture

    def _pooled(self, sound: Sound) -> NDArray[np.float32]:
        centres = np.arange(1 + len(sound.samples) // self._hop) * self._hop
        return np.asarray(self._levels(sound, centres).mean(axis=1), dtype=np.float32)

    def _levels(self, sound: Sound, centres: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the level of each band around some samples, from 0 to 1: float32 (n_mels, n), highest band first."""
        n_fft = len(self._window)
        samples = sound.samples[: centres[-1] + n_fft].astype(np.float32) / FULL_SCALE
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(samples, n_fft // 2 + 1), n_fft)
        power = np.empty((self.n_mels, len(centres)), np.float32)
        step = max(1, _BLOCK // n_fft)
        for start in range(0, len(centres), step):
            spectra = np.fft.rfft(windows[centres[start : start + step] + 1] * self._window)
            power[:, start : start + step] = self._bands @ np.square(np.abs(spectra)).T
        loudest = power.max(initial=0.0)
        if loudest <= 0:
            return np.zeros_like(power)
        with np.errstate(divide="ignore"):  # silence has no logarithm; it is cut off at 0
            decibels = 10 * np.log10(power / loudest)
        return np.asarray(np.clip(1 + decibels / np.float32(self.floor), 0, 1)[::-1], dtype=np.float32)

    @property
    def _shape(self) -> tuple[int, int]:
        shape = self.space.shape
        if shape is None or len(shape) != 2:
            raise ValueError(f"a spectrogram has rows and columns, not the shape {shape}")
        return shape[0], shape[1]

    # -- decoding ----------------------------------------------------------------------------------------------

    def _decode(self, codes: Codes) -> Items:
        return self.sounds(codes)

    def _reconstruct(self, items: Any) -> Items:
        return self.sounds(self._encode(items), [sound.seconds for sound in items])

    def sounds(self, codes: Codes, seconds: Sequence[float] | None = None) -> list[Sound]:
        """Return the sounds of spectrograms, by the algorithm of Griffin and Lim.

        Parameters
        ----------
        codes : ndarray float32 (n, dim)
        seconds : sequence of float, optional
            How long each sound lasts, at most `MAX_DECODED` samples. Default: with ``length=stretch``, as long as half
            of the sounds of the fit; with ``length=pad``, up to the last frame that is not silent.

        Raises
        ------
        NotInvertibleError
            When the codes are mean spectra.
        MissingLibraryError
            When librosa is not installed.
        """
        if self.pool == "mean":
            raise NotInvertibleError("a mean spectrum cannot be turned back into a sound: leave pool=mean out")
        rows = np.asarray(codes)
        counts = [None] * len(rows) if seconds is None else [1 + round(s * self._rate / self._hop) for s in seconds]
        return [self._sound(row, count) for row, count in zip(rows, counts, strict=True)]

    def _sound(self, row: NDArray[np.float32], count: int | None) -> Sound:
        """Return the sound of a code, from as many frames, one every `hop` ms."""
        levels = np.clip(row.reshape(self._shape)[::-1], 0, 1)
        max_frames = 1 + MAX_DECODED // self._hop
        sounding = np.flatnonzero(levels.any(axis=0))
        if self.length == "stretch":
            levels = _spread(
                levels, min(max_frames, 1 + math.ceil(self._length / self._hop) if count is None else count)
            )
        else:
            levels = levels[:, : sounding[-1] + 1 if count is None and len(sounding) else count][:, :max_frames]
        length = max(1, (levels.shape[1] - 1) * self._hop)
        if not len(sounding):
            return Sound(np.zeros(length, np.int16), self._rate)
        power = np.where(levels > 0, 10 ** ((levels - 1) * (self.floor / 10)), 0).astype(np.float32)
        librosa, n_fft = sound_library("librosa"), len(self._window)
        wave = librosa.griffinlim(
            librosa.feature.inverse.mel_to_stft(power, sr=self._rate, n_fft=n_fft, power=2.0),
            n_iter=_ITERATIONS,
            hop_length=self._hop,
            win_length=self._size,
            n_fft=n_fft,
            length=length,
            random_state=0,
        )
        return sound_of(wave * (_PEAK / max(float(np.abs(wave).max()), 1e-9)), self._rate)

    # -- saving ------------------------------------------------------------------------------------------------

    def state(self) -> State:
        """Return the sample rate, and the length of a typical sound in samples."""
        return {"rate": np.array(self._rate), "length": np.array(self._length)}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.rate = whole_number(int(state["rate"]), MAX_RATE)
        if self.rate < MIN_RATE:
            raise ValueError(f"no sound has {self.rate} samples in a second")
        self._prepare(whole_number(int(state["length"]), MAX_SAMPLES))


def _spread(levels: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return levels (n_mels, frames) at as many equally spaced times, interpolated."""
    frames = np.arange(levels.shape[1])
    times = np.linspace(0, frames[-1], max(2, count))
    return np.stack([np.interp(times, frames, band) for band in levels]).astype(np.float32)
